#include "harness/child/part_marker.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "harness/base/trace_event.h"

namespace corerig {

[[gnu::hot]] void MarkPart(std::string_view part, int marker) {
  // For ps and top, cut to what the kernel keeps; a user's command changes it again.
  prctl(PR_SET_NAME, std::string(part).c_str(), 0, 0, 0);
  const std::string line = std::string(kTraceMarkerPrefix).append(part);
  // Without it the task counts as foreign, which the report shows.
  [[maybe_unused]] const auto written = write(marker, line.data(), line.size());
  // Not for what it may execute: a user's command.
  fcntl(marker, F_SETFD, FD_CLOEXEC);
}

}  // namespace corerig
