#include "harness/os/trace_page.h"

namespace corerig {

Result<TracePageLayout> LayoutFrom(const TraceFormat& header_page) {
  const TraceField* const commit = header_page.Find("commit");
  const TraceField* const data = header_page.Find("data");
  if (commit == nullptr || data == nullptr || (commit->size != 4 && commit->size != 8) ||
      data->offset < commit->offset + commit->size) {
    return Fail("the kernel's trace pages have an unknown layout (events/header_page)");
  }
  return TracePageLayout{.commit_offset = commit->offset, .commit_size = commit->size, .data_offset = data->offset};
}

std::uint64_t LostBefore(std::span<const std::byte> page, const TracePageLayout& layout) {
  using namespace trace_page_internal;
  const std::uint64_t commit = CommitOf(page, layout);
  if ((commit & kMissed) == 0) return 0;
  // The number stands behind the data, a long, where there was room for it.
  const std::size_t at = layout.data_offset + (commit & kBytes);
  if ((commit & kMissedStored) == 0 || at + layout.commit_size > page.size()) return 1;
  const std::uint64_t lost =
      layout.commit_size == 8 ? Load<std::uint64_t>(page.data() + at) : Load<std::uint32_t>(page.data() + at);
  return std::max<std::uint64_t>(lost, 1);
}

}  // namespace corerig
