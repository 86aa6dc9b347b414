#include "harness/child/worker_job.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "harness/base/text.h"

namespace corerig {
namespace {

constexpr std::string_view kParameter = "parameter.";

void Put(std::string& out, std::string_view key, std::string_view value) {
  out += StrCat(key, " ", value.size(), " ", value, "\n");
}
template <typename Number>
void PutNumber(std::string& out, std::string_view key, Number value) {
  Put(out, key, StrCat(value));
}

// A number in plain digits. By hand: the library's functions lie elsewhere in the program, and each other part of it
// that is touched costs a worker a page fault on its way to the barrier.
[[gnu::hot]] std::optional<std::uint64_t> Digits(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    const auto digit = static_cast<std::uint64_t>(static_cast<unsigned char>(c) - '0');
    if (digit > 9 || value > (UINT64_MAX - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return text.empty() ? std::nullopt : std::optional(value);
}

// "KEY LENGTH VALUE", each ended by a line feed; a value may hold anything.
class Lines {
 public:
  [[gnu::hot]] static Result<Lines> Parse(std::string_view text) {
    Lines lines;
    for (std::string_view rest = text; !rest.empty();) {
      const auto wrong = [&] {
        return Fail("worker job: \"", rest.substr(0, rest.find('\n')), "\" is no KEY LENGTH VALUE");
      };
      const std::size_t key = rest.find(' '), length = key == rest.npos ? key : rest.find(' ', key + 1);
      if (length == rest.npos) return wrong();
      const auto size = Digits(rest.substr(key + 1, length - key - 1));
      const std::string_view tail = rest.substr(length + 1);
      if (!size || *size >= tail.size() || tail[*size] != '\n') return wrong();
      lines.lines_.emplace_back(rest.substr(0, key), tail.substr(0, *size));
      rest = tail.substr(*size + 1);
    }
    return lines;
  }

  [[gnu::hot]] const std::string_view* Find(std::string_view key) const {
    for (const auto& [name, value] : lines_) {
      if (name == key) return &value;
    }
    return nullptr;
  }

  // Into `out`; a fault stands in `status`.
  template <typename Number>
  [[gnu::hot]] void Read(std::string_view key, Number& out, Status& status) const {
    const std::string_view* const value = Find(key);
    const auto number = value == nullptr ? std::nullopt : Digits(*value);
    if (number && *number <= static_cast<std::uint64_t>(std::numeric_limits<Number>::max())) {
      out = static_cast<Number>(*number);
    } else if (status) {
      status = Fail("worker job: ", key, " is ", value == nullptr ? "missing" : "no such number");
    }
  }

  [[gnu::hot]] void Read(std::string_view key, std::string& out, Status& status) const {
    const std::string_view* const value = Find(key);
    if (value != nullptr) {
      out = *value;
    } else if (status) {
      status = Fail("worker job: ", key, " is missing");
    }
  }

  const std::vector<std::pair<std::string_view, std::string_view>>& all() const { return lines_; }

 private:
  std::vector<std::pair<std::string_view, std::string_view>> lines_;
};

[[gnu::hot]] Result<NamedWorkerJob> FromLines(const Lines& lines) {
  NamedWorkerJob named;
  WorkerJob& job = named.job;
  Status status;
  lines.Read("workload", named.workload, status);
  lines.Read("group", job.group, status);
  lines.Read("index", job.index, status);
  lines.Read("workers", job.workers, status);
  lines.Read("shard", job.shard, status);
  lines.Read("shards", job.shards, status);
  lines.Read("seed", job.seed, status);
  if (lines.Find("units") != nullptr) lines.Read("units", job.units.emplace(), status);
  if (!status) return Forward(status);
  for (const auto& [key, value] : lines.all()) {
    if (key.starts_with(kParameter)) {
      job.parameters.push_back({std::string(key.substr(kParameter.size())), std::string(value)});
    }
  }
  if (job.workers < 1 || job.index < 0 || job.index >= job.workers) {
    return Fail("worker job: index ", job.index, " of ", job.workers, " workers; 0 to workers - 1 was expected");
  }
  if (job.shards < 1 || job.shard < 0 || job.shard >= job.shards) {
    return Fail("worker job: shard ", job.shard, " of ", job.shards, "; 0 to shards - 1 was expected");
  }
  return named;
}

// "0,1 2 2": the cores of each worker.
std::string CoresText(const std::vector<std::vector<CpuId>>& cores) {
  std::string out;
  for (const auto& each : cores) {
    if (!out.empty()) out += ' ';
    for (std::size_t i = 0; i < each.size(); ++i) out += StrCat(i == 0 ? "" : ",", each[i].value);
  }
  return out;
}

std::optional<std::vector<std::vector<CpuId>>> ParseCores(std::string_view text) {
  std::vector<std::vector<CpuId>> cores;
  for (const std::string_view each : Split(text, ' ')) {
    auto& of_worker = cores.emplace_back();
    for (const std::string_view core : Split(each, ',')) {
      const auto number = ParseNumber<int>(core);
      if (!number) return std::nullopt;
      of_worker.push_back({*number});
    }
  }
  return cores;
}

}  // namespace

std::string WriteWorkerJob(const WorkerJob& job, std::string_view workload) {
  std::string out;
  Put(out, "workload", workload);
  Put(out, "group", job.group);
  PutNumber(out, "index", job.index);
  PutNumber(out, "workers", job.workers);
  PutNumber(out, "shard", job.shard);
  PutNumber(out, "shards", job.shards);
  PutNumber(out, "seed", job.seed);
  if (job.units) PutNumber(out, "units", *job.units);
  for (const Parameter& parameter : job.parameters) Put(out, StrCat(kParameter, parameter.name), parameter.value);
  return out;
}

[[gnu::hot]] Result<NamedWorkerJob> ReadWorkerJob(std::string_view text) {
  const auto lines = Lines::Parse(text);
  if (!lines) return Forward(lines);
  return FromLines(*lines);
}

std::string WriteThreadGroupJob(const ThreadGroupJob& group) {
  std::string out = WriteWorkerJob(group.first.job, group.first.workload);
  Put(out, "cores", CoresText(group.cores));
  Put(out, "policy", ToText(group.policy));
  return out;
}

Result<ThreadGroupJob> ReadThreadGroupJob(std::string_view text) {
  const auto lines = Lines::Parse(text);
  if (!lines) return Forward(lines);
  auto first = FromLines(*lines);
  if (!first) return Forward(first);
  const std::string_view *const cores_text = lines->Find("cores"), *const policy_text = lines->Find("policy");
  const auto cores = cores_text == nullptr ? std::nullopt : ParseCores(*cores_text);
  const auto policy = policy_text == nullptr ? std::nullopt : ParsePolicy(*policy_text);
  if (!policy || !cores || cores->size() != static_cast<std::size_t>(first->job.workers)) {
    return Fail("worker job: a policy, and cores for each of ", first->job.workers, " workers, were expected");
  }
  return ThreadGroupJob{.first = std::move(*first), .cores = *cores, .policy = *policy};
}

}  // namespace corerig
