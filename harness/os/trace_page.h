// A page of the kernel's trace ring buffer as read(2) of trace_pipe_raw hands it over (kernel:
// Documentation/trace/ring-buffer-design.rst, include/linux/ring_buffer.h).
//
//   const TracePageLayout layout = ...;                // from events/header_page
//   ForEachRecord(page, layout, [&](Nanos at, std::span<const std::byte> event) { ... });
//
// Nothing in a page is trusted: a record that does not fit ends the page.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/os/trace_format.h"

namespace corerig {

struct TracePageLayout {
  std::size_t commit_offset = 8, commit_size = 8, data_offset = 16;
};

// From the fields of events/header_page. Fails if they are not those of a known ring buffer.
Result<TracePageLayout> LayoutFrom(const TraceFormat& header_page);

// How many events were lost before those of the page: 0 if none, 1 where the kernel knows that some were, not how many.
std::uint64_t LostBefore(std::span<const std::byte> page, const TracePageLayout& layout);

namespace trace_page_internal {
// The commit word: bytes of data in the page, and two flags above them.
inline constexpr std::uint64_t kMissed = 1u << 31, kMissedStored = 1u << 30, kBytes = (1u << 27) - 1;
// Kinds of records (enum ring_buffer_type); a smaller number is the length of an event's data in words of four bytes.
inline constexpr std::uint32_t kPadding = 29, kTimeExtend = 30, kTimeStamp = 31;

template <typename Integer>
Integer Load(const std::byte* from) {
  Integer value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline std::uint64_t CommitOf(std::span<const std::byte> page, const TracePageLayout& layout) {
  if (page.size() < layout.data_offset) return 0;
  return layout.commit_size == 8 ? Load<std::uint64_t>(page.data() + layout.commit_offset)
                                 : Load<std::uint32_t>(page.data() + layout.commit_offset);
}
}  // namespace trace_page_internal

// Calls `on_event(Nanos at, std::span<const std::byte> event)` for every event, in the order of their time.
template <typename OnEvent>
void ForEachRecord(std::span<const std::byte> page, const TracePageLayout& layout, const OnEvent& on_event) {
  using namespace trace_page_internal;
  if (page.size() < layout.data_offset) return;
  std::uint64_t time = Load<std::uint64_t>(page.data());
  const std::size_t end = std::min<std::size_t>(page.size(), layout.data_offset + (CommitOf(page, layout) & kBytes));
  std::size_t at = layout.data_offset;
  while (at + 4 <= end) {
    // Bit fields of one word, in the machine's order: the lowest bits first where that is little-endian.
    const auto header = Load<std::uint32_t>(page.data() + at);
    const std::uint32_t kind = std::endian::native == std::endian::little ? header & 31 : header >> 27;
    const std::uint32_t delta = std::endian::native == std::endian::little ? header >> 5 : header & ((1u << 27) - 1);
    at += 4;
    if (kind == kTimeExtend || kind == kTimeStamp) {
      if (at + 4 > end) return;
      const std::uint64_t wide = delta + (std::uint64_t(Load<std::uint32_t>(page.data() + at)) << 27);
      // A whole stamp has 59 bits; the five above them are those of the time so far.
      time = kind == kTimeExtend ? time + wide : (time & ~((std::uint64_t(1) << 59) - 1)) | wide;
      at += 4;
      continue;
    }
    std::size_t length = std::size_t(kind) * 4;
    if (kind == kPadding || kind == 0) {
      if (at + 4 > end) return;
      // Without a delta, padding fills the rest of the page.
      if (kind == kPadding && delta == 0) return;
      length = Load<std::uint32_t>(page.data() + at);
      // The length of an event counts its own word, that of a discarded one too.
      if (length < 4) return;
      at += 4;
      length -= 4;
    }
    if (length > end - at) return;
    time += delta;
    if (kind != kPadding) on_event(Nanos(static_cast<std::int64_t>(time)), page.subspan(at, length));
    at += (length + 3) / 4 * 4;
  }
}

}  // namespace corerig
