#include "harness/measure/trace_reader.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "harness/base/text.h"
#include "harness/os/clock.h"
#include "harness/os/scheduling.h"

namespace corerig {
namespace {

using std::chrono::milliseconds;

constexpr Nanos kInterval = milliseconds(200);
// Where the kernel does not wake us for a buffer that fills, and while children say what they are: from then on their
// page faults are traced.
constexpr Nanos kShortInterval = milliseconds(50), kPartsCome = milliseconds(500);
// A CPU that is interrupted while it writes an event (a virtual one: by its host) completes it that much later; and an
// inferred switch is seen at the next event of its CPU, which is no further than a tick (10 ms at HZ=100).
constexpr Nanos kSettle = milliseconds(20);
constexpr Nanos kGuardInterval = milliseconds(250), kGuardPatience = milliseconds(500);
// Pages of one CPU per look, some 4,000 events, and the rest before the next: a task without a priority on our core is
// not kept from it for longer, however much there is to catch up with.
constexpr int kPagesPerLook = 32;
constexpr Nanos kRest = milliseconds(1);
constexpr Nanos kAllRead = Nanos::max();
constexpr std::size_t kBatch = 2048, kEndedKept = 4096;
constexpr Policy kLow = {Policy::Class::kFifo, 1}, kHighest = {Policy::Class::kFifo, 99};

std::vector<CpuId> CpusOf(const std::vector<TraceReader::Buffer>& buffers) {
  std::vector<CpuId> cpus;
  for (const auto& buffer : buffers) cpus.push_back(buffer.cpu);
  return cpus;
}

// "  24:   123   0  PCI-MSI 524288-edge  virtio0" → 24, "virtio0"
void ReadInterruptNames(TraceNames& names) {
  const auto text = ReadFile("/proc/interrupts");
  if (!text) return;
  for (const auto line : Split(*text, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto number = ParseNumber<std::int64_t>(Trim(line.substr(0, colon)));
    const auto blank = Trim(line).rfind("  ");
    if (number && blank != std::string_view::npos) names.SetIrq(*number, std::string(Trim(Trim(line).substr(blank))));
  }
}

}  // namespace

Result<std::unique_ptr<TraceReader>> TraceReader::Start(const Options& options, Sink sink) {
  auto tracefs = TraceFs::Open();
  if (!tracefs) return Forward(tracefs);
  auto decoder = TraceDecoder::Create(*tracefs, options.parts);
  if (!decoder) return Forward(decoder);
  auto instance = TraceInstance::Create(std::move(*tracefs), decoder->events());
  if (!instance) return Forward(instance);
  for (const auto& buffer : options.buffers) {
    if (auto set = instance->SetBuffer(buffer.cpu, buffer.bytes); !set) return Forward(set);
  }
  if (auto begun = instance->Begin(CpusOf(options.buffers)); !begun) return Forward(begun);
  const std::string mark = StrCat(kTraceMarkerPrefix, options.parts[0]);
  if (write(instance->marker(), mark.data(), mark.size()) < 0) return Fail("trace_marker: ", ErrnoText(errno));
  std::unique_ptr<TraceReader> reader(
      new TraceReader(std::move(*decoder), std::move(*instance), options, std::move(sink)));
  return reader;
}

TraceReader::TraceReader(TraceDecoder decoder, TraceInstance instance, const Options& options, Sink sink)
    : decoder_(std::move(decoder)),
      instance_(std::move(instance)),
      cpus_(CpusOf(options.buffers)),
      core_(options.core),
      sink_(std::move(sink)),
      wake_(eventfd(0, EFD_CLOEXEC)),
      merge_(cpus_.size()),
      page_(static_cast<std::size_t>(std::max(sysconf(_SC_PAGESIZE), 4096L))),
      lost_(cpus_.size()),
      faults_of_(options.faults_of) {
  for (const auto& part : options.parts) names_.AddPart(part);
  for (const auto& vector : decoder_.vectors()) names_.AddVector(vector);
  const auto& events = decoder_.events();
  sees_interrupts_ = std::find(events.begin(), events.end(), "irq/irq_handler_entry") != events.end();
  ReadInterruptNames(names_);
  woken_when_filled_ = instance_.WakeWhenFilled().has_value();
  for (const CpuId cpu : cpus_) missing_switches_.emplace_back(cpu);
  batch_.reserve(kBatch);
  last_look_.store(MonotonicNow().count());
  thread_ = std::thread([this] { Body(); });
  guard_ = std::thread([this] { Guard(); });
}

TraceReader::~TraceReader() { Stop(); }

void TraceReader::Stop() {
  if (!thread_.joinable()) return;
  (void)instance_.End();
  stop_.store(true);
  eventfd_write(wake_.get(), 1);
  thread_.join();
  guard_.join();
}

void TraceReader::Body() {
  prctl(PR_SET_NAME, "corerig-trace", 0, 0, 0);
  // Before we go where someone may hold the core: from now on the guard can help.
  (void)SetPolicy(0, kLow);
  tid_.store(gettid());
  // Every CPU switches to us once: from then on it is known what runs there, also where nothing else happens.
  for (const CpuId cpu : cpus_) (void)SetAffinity(0, cpu);
  (void)SetAffinity(0, core_);
  for (;;) {
    const bool last = stop_.load();
    const Nanos now = MonotonicNow();
    const Nanos read_until = ReadAll();
    last_look_.store(MonotonicNow().count());
    const bool more = read_until != kAllRead;
    HandOver(last && !more ? kAllRead : std::min(read_until, now - kSettle));
    if (!more && last) return;
    if (more) {
      Wait(kRest);
    } else if (!woken_when_filled_) {
      Wait(kShortInterval);
    } else {
      Wait(now - latest_part_ < kPartsCome ? kShortInterval : kInterval, cpus_.size());
    }
  }
}

void TraceReader::Wait(Nanos time, std::size_t filled) const {
  std::vector<pollfd> entries = {{.fd = wake_.get(), .events = POLLIN, .revents = 0}};
  for (std::size_t i = 0; i < filled; ++i) entries.push_back({.fd = instance_.pipe(i), .events = POLLIN, .revents = 0});
  poll(entries.data(), entries.size(), static_cast<int>(std::chrono::ceil<milliseconds>(time).count()));
}

void TraceReader::Guard() {
  prctl(PR_SET_NAME, "corerig-guard", 0, 0, 0);
  if (!SetPolicy(0, kHighest)) return;  // then nothing here is real-time, and nothing can starve the reader
  bool lifted = false;
  while (!stop_.load()) {
    const Nanos now = MonotonicNow();
    const bool starved = now - Nanos(last_look_.load()) > kGuardPatience;
    if (const int tid = tid_.load(); tid != 0 && starved != lifted) {
      if (SetPolicy(tid, starved ? kHighest : kLow)) lifted = starved;
    }
    Wait(kGuardInterval);
  }
  // The rest is read, whatever else runs.
  if (const int tid = tid_.load(); tid != 0) (void)SetPolicy(tid, kHighest);
}

Nanos TraceReader::ReadAll() {
  Nanos read_until = kAllRead;
  for (std::size_t i = 0; i < cpus_.size(); ++i) {
    int pages = 0;
    Nanos latest{0};
    for (; pages < kPagesPerLook; ++pages) {
      const ssize_t got = read(instance_.pipe(i), page_.data(), page_.size());
      if (got <= 0) break;  // EAGAIN: nothing more
      const std::span<const std::byte> page(page_.data(), static_cast<std::size_t>(got));
      if (std::uint64_t lost = LostBefore(page, decoder_.layout()); lost > 0) {
        // In a full page there is no room for the number. The kernel's own count may be ahead of the page: then the
        // losses that follow are in it already.
        if (const auto count = instance_.Overwritten(cpus_[i])) {
          lost = *count > lost_[i] ? *count - lost_[i] : 1;
        }
        lost_[i] += lost;
        total_lost_.fetch_add(lost, std::memory_order_relaxed);
        Nanos first{0};
        ForEachRecord(page, decoder_.layout(), [&](Nanos at, auto) {
          if (first == Nanos(0)) first = at;
        });
        merge_.Add(i, {.at = first,
                       .value = static_cast<std::int64_t>(lost),
                       .cpu = static_cast<std::int16_t>(cpus_[i].value),
                       .kind = TraceEvent::Kind::kLost});
        missing_switches_[i].Reset();
      }
      ForEachRecord(page, decoder_.layout(), [&](Nanos at, std::span<const std::byte> raw) {
        latest = at;
        const auto event = decoder_.Decode(at, cpus_[i].value, raw, names_);
        if (const auto inferred = missing_switches_[i].Before(at, decoder_.ContextOf(raw), event ? &*event : nullptr)) {
          merge_.Add(i, *inferred);
          ++inferred_;
        }
        if (event) merge_.Add(i, *event);
      });
    }
    if (pages == kPagesPerLook) read_until = std::min(read_until, latest);
  }
  return read_until;
}

void TraceReader::HandOver(Nanos horizon) {
  const auto flush = [&](Nanos complete_until) {
    events_.fetch_add(batch_.size(), std::memory_order_relaxed);
    sink_(batch_, names_, complete_until);
    batch_.clear();
  };
  merge_.TakeUntil(horizon, [&](const TraceEvent& event) {
    Follow(event);
    batch_.push_back(event);
    if (batch_.size() == kBatch) flush(event.at);
  });
  flush(horizon);
  // Where it cannot be set, page faults are not seen, and explain nothing.
  if (std::exchange(watched_changed_, false)) (void)instance_.WatchPageFaults(watched_);
  if (ended_.size() <= kEndedKept) return;
  for (std::size_t i = 0; i < ended_.size() - kEndedKept; ++i) decoder_.Forget(ended_[i], names_);
  ended_.erase(ended_.begin(), ended_.end() - kEndedKept);
}

// Keeps the names and parts of tasks.
void TraceReader::Follow(const TraceEvent& event) {
  switch (event.kind) {
    case TraceEvent::Kind::kPart: {
      names_.SetPart(event.tid, event.value);
      latest_part_ = event.at;
      const auto part = names_.Part(event.tid);
      if (std::find(faults_of_.begin(), faults_of_.end(), part) == faults_of_.end()) return;
      watched_.push_back(event.tid);
      watched_changed_ = true;
      return;
    }
    case TraceEvent::Kind::kFork:
      names_.InheritPart(event.tid, event.other);
      return;
    case TraceEvent::Kind::kExit:
      ended_.push_back(event.tid);
      return;
    default:
      return;
  }
}

}  // namespace corerig
