#include "harness/child/workload.h"

#include <cstdio>
#include <cstdlib>

#include "harness/base/text.h"

namespace corerig {
namespace {

// A workload that asks for what it did not declare is wrong in its source: nothing a scenario says can bring it about.
[[noreturn]] void Undeclared(std::string_view parameter, std::string_view kind) {
  std::fprintf(stderr, "corerig: a workload asks for its parameter \"%.*s\" as a %.*s, but does not declare it so\n",
               static_cast<int>(parameter.size()), parameter.data(), static_cast<int>(kind.size()), kind.data());
  std::abort();
}

const Parameter* Find(const std::vector<Parameter>& parameters, std::string_view name) {
  for (const Parameter& parameter : parameters) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

}  // namespace

std::uint64_t WorkerJob::UnitsOfWorker() const {
  const auto first = static_cast<std::uint64_t>(index), step = static_cast<std::uint64_t>(workers);
  if (!units || *units <= first) return 0;
  return (*units - first - 1) / step + 1;
}

double WorkerJob::Number(std::string_view parameter) const {
  const Parameter* found = Find(parameters, parameter);
  const auto number = found ? ParseNumber<double>(found->value) : std::nullopt;
  if (!number) Undeclared(parameter, "number");
  return *number;
}

std::string_view WorkerJob::Word(std::string_view parameter) const {
  const Parameter* found = Find(parameters, parameter);
  if (!found) Undeclared(parameter, "word");
  return found->value;
}

}  // namespace corerig
