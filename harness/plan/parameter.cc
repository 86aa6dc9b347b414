#include "harness/plan/parameter.h"

#include <cstdio>
#include <cstdlib>

#include "harness/base/quantity.h"
#include "harness/base/text.h"

namespace corerig {
namespace {

[[noreturn]] void Undeclared(std::string_view name, std::string_view kind) {
  std::fprintf(stderr, "corerig: the parameter \"%.*s\" is asked for as a %.*s, but was not declared so\n",
               static_cast<int>(name.size()), name.data(), static_cast<int>(kind.size()), kind.data());
  std::abort();
}

const Parameter* Find(const std::vector<Parameter>& parameters, std::string_view name) {
  for (const Parameter& parameter : parameters) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

}  // namespace

double NumberOf(const std::vector<Parameter>& parameters, std::string_view name) {
  const Parameter* found = Find(parameters, name);
  const auto number = found ? ParseNumber<double>(found->value) : std::nullopt;
  if (!number) Undeclared(name, "number");
  return *number;
}

Nanos DurationOf(const std::vector<Parameter>& parameters, std::string_view name) {
  const Parameter* found = Find(parameters, name);
  const auto duration = found ? ParseDuration(found->value) : Fail("");
  if (!duration) Undeclared(name, "duration");
  return *duration;
}

Bytes SizeOf(const std::vector<Parameter>& parameters, std::string_view name) {
  const Parameter* found = Find(parameters, name);
  const auto size = found ? ParseSize(found->value) : Fail("");
  if (!size) Undeclared(name, "size");
  return *size;
}

std::string_view WordOf(const std::vector<Parameter>& parameters, std::string_view name) {
  const Parameter* found = Find(parameters, name);
  if (!found) Undeclared(name, "word");
  return found->value;
}

}  // namespace corerig
