// perf_event_open(2): counters and records of the kernel about tasks, for whom it allows them.
//
//   auto event = PerfEvent::Open(CountingAttr(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS), {.tid = tid});
//   auto count = event->Read();
//
//   auto ring = PerfRing::Map(event->fd(), 1 << 19);
//   ring->Read([](const perf_event_header& header, std::span<const std::byte> body) { ... });
//
// Formats and rules: the man page, and the kernel's include/uapi/linux/perf_event.h.
#pragma once

#include <linux/perf_event.h>
#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/os/fd.h"

namespace corerig {

// What a counter counted. While more counters are wanted than the hardware has, each counts for a share of the time
// only: `running` of `enabled`.
struct PerfCount {
  std::uint64_t value = 0;
  Nanos enabled{0}, running{0};  // of all tasks that it counted, together
};

// What an event watches: one task on one CPU, or (cpu -1) wherever it runs.
struct PerfTarget {
  pid_t tid = 0;  // 0: the calling thread
  int cpu = -1;
  int group = -1;  // descriptor of the group's first event; -1: it is the first itself
};

class PerfEvent {
 public:
  // The error says what would help.
  static Result<PerfEvent> Open(perf_event_attr attr, const PerfTarget& target);

  int fd() const { return fd_.get(); }
  bool user_only() const { return user_only_; }
  // Works after the task ended, too; tasks that inherited the event are in it. Of events made by CountingAttr.
  Result<PerfCount> Read() const;
  // What records call it.
  Result<std::uint64_t> Id() const;
  // Its records go to the ring of `other`, which is of the same CPU.
  Status SendTo(const PerfEvent& other) const;
  Status Enable() const;

 private:
  PerfEvent(Fd fd, bool user_only) : fd_(std::move(fd)), user_only_(user_only) {}
  Fd fd_;
  bool user_only_ = false;
};

// An event that counts from its opening on, with what is needed to scale it; `inherit`: in what the task starts from
// now on as well.
perf_event_attr CountingAttr(std::uint32_t type, std::uint64_t config, bool inherit);

// The error of an event on a task that has ended.
inline constexpr std::string_view kTaskEnded = "the task ended";

// Why perf_event_open failed, and what would help. `paranoid` is the text of /proc/sys/kernel/perf_event_paranoid;
// nothing if there is no such file.
std::string PerfErrorText(int error, bool hardware, const std::optional<std::string>& paranoid);

// Hands out the records between two positions of a ring (positions only grow; the ring's size is a power of two) as
// header and body, and returns how far it came: `head`, unless the last record is not whole. What wraps around is put
// together in `scratch`.
template <typename OnRecord>
std::uint64_t ForEachPerfRecord(std::span<const std::byte> ring, std::uint64_t tail, std::uint64_t head,
                                std::vector<std::byte>& scratch, const OnRecord& on_record) {
  while (head - tail >= sizeof(perf_event_header)) {
    const std::size_t at = tail & (ring.size() - 1);
    perf_event_header header;  // records are aligned to 8 bytes: no header wraps around
    std::memcpy(&header, ring.data() + at, sizeof header);
    if (header.size < sizeof header)
      return head;  // not what a kernel writes: there is no telling where the next one is
    if (header.size > head - tail) break;
    std::span<const std::byte> record;
    if (at + header.size <= ring.size()) {
      record = ring.subspan(at, header.size);
    } else {
      const std::size_t before = ring.size() - at;
      scratch.resize(header.size);
      std::copy_n(ring.begin() + static_cast<std::ptrdiff_t>(at), before, scratch.begin());
      std::copy_n(ring.begin(), header.size - before, scratch.begin() + static_cast<std::ptrdiff_t>(before));
      record = scratch;
    }
    on_record(header, record.subspan(sizeof header));
    tail += header.size;
  }
  return tail;
}

// The buffer an event writes its records to. Read by one thread.
class PerfRing {
 public:
  // The size is rounded down to a power of two of pages, and halved until the kernel grants it (to whom it does not
  // trust it grants kernel.perf_event_mlock_kb per CPU, and RLIMIT_MEMLOCK).
  static Result<PerfRing> Map(int fd, std::size_t bytes);

  PerfRing(PerfRing&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)), size_(other.size_), page_(other.page_) {}
  PerfRing& operator=(PerfRing&&) = delete;
  ~PerfRing();

  std::size_t size() const { return size_; }
  // There is hardly a place left: the kernel may have dropped records, which it writes down with the next one only.
  bool full() const {
    const auto* const page = static_cast<const perf_event_mmap_page*>(base_);
    return __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE) - page->data_tail + kLargestRecord > size_;
  }
  // Hands out every record that is complete, and frees its place.
  template <typename OnRecord>
  void Read(const OnRecord& on_record) {
    auto* const page = static_cast<perf_event_mmap_page*>(base_);
    // The kernel's counterparts are in kernel/events/ring_buffer.c, perf_output_put_handle().
    const std::uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
    const std::uint64_t tail = ForEachPerfRecord({static_cast<const std::byte*>(base_) + page_, size_}, page->data_tail,
                                                 head, scratch_, on_record);
    __atomic_store_n(&page->data_tail, tail, __ATOMIC_RELEASE);
  }

 private:
  static constexpr std::uint64_t kLargestRecord = 256;
  PerfRing(void* base, std::size_t size, std::size_t page) : base_(base), size_(size), page_(page) {}
  void* base_ = nullptr;
  std::size_t size_ = 0;  // of the data, a power of two
  std::size_t page_ = 0;
  std::vector<std::byte> scratch_;
};

}  // namespace corerig
