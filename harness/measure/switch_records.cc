#include "harness/measure/switch_records.h"

#include <sys/utsname.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "harness/base/text.h"
#include "harness/os/clock.h"

namespace corerig {
namespace {

// A CPU that is interrupted while it writes a record (a virtual one: by its host) completes it that much later.
constexpr Nanos kSettle = std::chrono::milliseconds(20);

// Behind every record but samples, as asked for by sample_type (perf_event_open(2), struct sample_id). Which CPU it is
// the ring tells.
struct Trailer {
  std::uint32_t pid, tid;
  std::uint64_t time;
  std::uint64_t id;
};
constexpr std::uint64_t kSampleType = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_IDENTIFIER;

// The bodies of PERF_RECORD_EXIT and PERF_RECORD_LOST in front of it.
struct ExitBody {
  std::uint32_t pid, ppid, tid, ptid;
  std::uint64_t time;
};
struct LostBody {
  std::uint64_t id, lost;
};

template <typename T>
T Load(std::span<const std::byte> bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

perf_event_attr SwitchAttr() {
  perf_event_attr attr = {};
  attr.size = sizeof attr;
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_DUMMY;
  attr.sample_type = kSampleType;
  attr.sample_id_all = 1;
  attr.use_clockid = 1;
  attr.clockid = CLOCK_MONOTONIC;
  attr.disabled = 1;
  attr.exclude_kernel = 1;  // it counts nothing: so that nobody minds
  attr.exclude_hv = 1;
  return attr;
}

bool TellsPreemptions() {
  utsname names;
  if (uname(&names) != 0) return false;
  const auto version = Split(names.release, '.');
  if (version.size() < 2) return false;
  const int major = std::atoi(std::string(version[0]).c_str()), minor = std::atoi(std::string(version[1]).c_str());
  return major > 4 || (major == 4 && minor >= 17);
}

}  // namespace

std::optional<SwitchEvent> DecodeSwitchRecord(const perf_event_header& header, std::span<const std::byte> body, int cpu,
                                              const std::map<std::uint64_t, std::size_t>& parts) {
  using Kind = SwitchEvent::Kind;
  if (body.size() < sizeof(Trailer)) return std::nullopt;
  const auto trailer = Load<Trailer>(body.last(sizeof(Trailer)));
  SwitchEvent event = {
      .at = Nanos(static_cast<std::int64_t>(trailer.time)), .tid = static_cast<int>(trailer.tid), .cpu = cpu};
  switch (header.type) {
    case PERF_RECORD_SWITCH:
      if ((header.misc & PERF_RECORD_MISC_SWITCH_OUT) == 0) {
        event.kind = Kind::kIn;
      } else {
        event.kind = (header.misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT) != 0 ? Kind::kPreempted : Kind::kOut;
      }
      break;
    case PERF_RECORD_EXIT:
      if (body.size() < sizeof(ExitBody) + sizeof(Trailer)) return std::nullopt;
      event.kind = Kind::kExit;
      event.tid = static_cast<int>(Load<ExitBody>(body).tid);
      break;
    case PERF_RECORD_LOST:
      if (body.size() < sizeof(LostBody) + sizeof(Trailer)) return std::nullopt;
      event.kind = Kind::kLost;
      return event;
    default:
      return std::nullopt;
  }
  const auto part = parts.find(trailer.id);
  if (part == parts.end()) return std::nullopt;
  event.part = part->second;
  return event;
}

Result<std::unique_ptr<SwitchRecords>> SwitchRecords::Start(const std::vector<std::string>& parts,
                                                            const std::vector<CpuId>& cpus, std::size_t bytes_per_cpu) {
  if (!TellsPreemptions()) return Fail("the kernel's records of switches tell preemptions from Linux 4.17 on");
  std::unique_ptr<SwitchRecords> records(new SwitchRecords(parts));
  records->bytes_per_cpu_ = bytes_per_cpu;
  for (const CpuId cpu : cpus) {
    auto event = PerfEvent::Open(SwitchAttr(), {.tid = 0, .cpu = cpu.value});
    if (!event) return Forward(event);
    auto ring = PerfRing::Map(event->fd(), bytes_per_cpu);
    if (!ring) return Forward(ring);
    records->bytes_per_cpu_ = std::min(records->bytes_per_cpu_, ring->size());
    records->cpus_.push_back({.id = cpu, .event = std::move(*event), .ring = std::move(*ring)});
  }
  return records;
}

Status SwitchRecords::FollowThread(pid_t tid, std::size_t part) {
  perf_event_attr attr = SwitchAttr();
  attr.context_switch = 1;
  attr.task = 1;  // its end
  attr.inherit = 1;
  for (const auto& cpu : cpus_) {
    auto event = PerfEvent::Open(attr, {.tid = tid, .cpu = cpu.id.value});
    if (!event) return event.error().message == kTaskEnded ? Status() : Status(Forward(event));
    const auto id = event->Id();
    if (!id) return Forward(id);
    if (auto sent = event->SendTo(cpu.event); !sent) return sent;
    part_of_event_[*id] = part;
    events_.push_back(std::move(*event));
  }
  for (std::size_t i = events_.size() - cpus_.size(); i < events_.size(); ++i) {
    if (auto enabled = events_[i].Enable(); !enabled) return enabled;
  }
  return {};
}

Status SwitchRecords::FollowProcess(const ProcFs& procfs, pid_t pid, std::size_t part) {
  const auto threads = procfs.Threads(pid);
  if (!threads) return {};  // it ended
  for (const pid_t tid : *threads) {
    if (auto followed = FollowThread(tid, part); !followed) return followed;
  }
  return {};
}

void SwitchRecords::Read() {
  const Nanos now = MonotonicNow();
  for (auto& cpu : cpus_) {
    cpu.ring.Read([&](const perf_event_header& header, std::span<const std::byte> body) {
      auto event = DecodeSwitchRecord(header, body, cpu.id.value, part_of_event_);
      if (!event) return;
      ++records_;
      if (event->kind == SwitchEvent::Kind::kLost) {
        lost_ += Load<LostBody>(body).lost;
        event->at = cpu.latest;  // it may have been from then on
      }
      cpu.latest = std::max(cpu.latest, event->at);
      pending_.push_back(*event);
    });
  }
  last_look_ = now;
  FoldUntil(now - kSettle);
}

void SwitchRecords::FoldUntil(Nanos horizon) {
  std::stable_sort(pending_.begin(), pending_.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  auto next = pending_.begin();
  for (; next != pending_.end() && next->at < horizon; ++next) fold_.OnEvent(*next);
  pending_.erase(pending_.begin(), next);
}

SwitchesRecord SwitchRecords::Stop() {
  if (result_) return *result_;
  events_.clear();  // nothing is written from here on
  for (auto& cpu : cpus_) {
    // Losses are written down with the next record, which does not come any more.
    if (cpu.ring.full()) pending_.push_back({.at = last_look_, .kind = SwitchEvent::Kind::kLost});
  }
  Read();
  FoldUntil(Nanos::max());
  result_ = fold_.Take(last_look_);
  result_->absent.clear();
  result_->records = records_;
  result_->lost = lost_;
  return *result_;
}

}  // namespace corerig
