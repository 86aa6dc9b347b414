// Tells the scheduling trace which task is which part of the run.
//
// The trace knows tasks by the numbers of the kernel's first pid namespace, which a process in another (a container, a
// sandbox) cannot learn. So each says itself, by a line in the trace, who it is; what it forks later is of its part.
#pragma once

#include <string_view>

namespace corerig {

// The descriptor every child finds open: the trace's marker, or /dev/null where there is no trace.
inline constexpr int kMarkerFd = 6;

// The calling thread is `part` ("source", "loop flight", "worker price.0") from now on. Does nothing in a process that
// has no marker.
void MarkPart(std::string_view part, int marker = kMarkerFd);

}  // namespace corerig
