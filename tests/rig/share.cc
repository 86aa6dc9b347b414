#include "tests/rig/share.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "harness/base/text.h"

namespace corerig {
namespace {

struct Input final : WorkloadInput {
  ~Input() override {
    if (stops) raise(SIGSTOP);
  }
  std::vector<char> bytes;
  bool stops = false;
};

using Count = std::atomic<std::uint64_t>;

struct Counts {
  std::uint64_t units = 0, group = 0;
};

class Sharing final : public Workload {
 public:
  explicit Sharing(const Surroundings& surroundings)
      : input_(static_cast<const Input*>(surroundings.input)),
        count_(reinterpret_cast<Count*>(surroundings.exchange.data())) {}

  void RunUnit(std::uint64_t) override {
    for (std::size_t at = 0; at < input_->bytes.size(); at += 4096) {
      if (input_->bytes[at] != 'x') throw std::runtime_error("the input is not what was loaded");
    }
    count_->fetch_add(1);
    ++units_;
    usleep(1000);
  }
  std::size_t WriteResult(std::span<std::byte> out) const override {
    const Counts counts = {.units = units_, .group = count_->load()};
    std::memcpy(out.data(), &counts, sizeof counts);
    return sizeof counts;
  }

 private:
  const Input* input_;
  Count* count_;
  std::uint64_t units_ = 0;
};

Result<std::unique_ptr<WorkloadInput>> Load(const WorkerJob& job) {
  // The supervisor loads it as well, to check the scenario: without a seed.
  const bool in_child = job.seed != 0;
  if (in_child && job.Word("load") == "throw") throw std::runtime_error("line 17 has no number");
  if (in_child && job.Word("load") == "die") raise(SIGKILL);
  auto input = std::make_unique<Input>();
  input->bytes.assign(static_cast<std::size_t>(job.Number("mib")) << 20, 'x');
  input->stops = in_child && job.Word("load") == "stop-at-end";
  return std::unique_ptr<WorkloadInput>(std::move(input));
}

Result<std::unique_ptr<Workload>> Make(const WorkerJob&, const Surroundings& surroundings) {
  return std::unique_ptr<Workload>(std::make_unique<Sharing>(surroundings));
}

Result<Answer> Merge(const WorkerJob&, std::span<const WorkerResult> results) {
  Answer answer;
  std::uint64_t counted = 0;
  for (const auto& result : results) {
    Counts counts;
    if (result.bytes.size() != sizeof counts) return Fail("a result of ", result.bytes.size(), " bytes");
    std::memcpy(&counts, result.bytes.data(), sizeof counts);
    answer.units += counts.units;
    counted = std::max(counted, counts.group);
  }
  answer.figures = {{.name = "counted", .value = static_cast<double>(counted), .unit = ""}};
  answer.check = {.passed = counted == answer.units, .text = StrCat(counted, " units counted of ", answer.units)};
  return answer;
}

}  // namespace

WorkloadType Share() {
  return {
      .info = {.name = "test/share",
               .about = "Counts in memory of its group",
               .unit = "millisecond",
               .parameters = {{.name = "mib",
                               .kind = ParameterInfo::Kind::kWholeNumber,
                               .default_value = "8",
                               .about = "size of the input"},
                              {.name = "load",
                               .kind = ParameterInfo::Kind::kWord,
                               .default_value = "well",
                               .about = "what becomes of loading it"}}},
      .make = Make,
      .result_size = [](const WorkerJob&) { return sizeof(Counts); },
      .merge = Merge,
      .load = Load,
      .exchange_size = [](const WorkerJob&) { return sizeof(Count); },
  };
}

}  // namespace corerig
