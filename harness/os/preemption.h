// When the kernel lets a woken task take the CPU from one that runs in the kernel.
//
//   Preemption p = ParsePreemption({.version = "#1 SMP PREEMPT_DYNAMIC …", .debug = "none voluntary (full)"});
//
// Nothing tells this in every case: the kernel's version string names PREEMPT_RT and PREEMPT; a PREEMPT_DYNAMIC kernel
// chooses at boot and shows it in debugfs (root alone), from its command line or its configuration's default.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace corerig {

struct Preemption {
  enum class Model { kUnknown, kNone, kVoluntary, kFull, kLazy, kRealTime };
  Model model = Model::kUnknown;
  bool dynamic = false;  // can be changed: PREEMPT_DYNAMIC
  std::string origin;    // where it is known from, or why it is not
};

std::string_view ToText(Preemption::Model model);  // "unknown" "none" "voluntary" "full" "lazy" "PREEMPT_RT"

struct PreemptionTexts {
  std::string_view version;                // of uname, or /proc/sys/kernel/version
  std::optional<std::string> debug = {};   // debugfs sched/preempt: "none voluntary (full) lazy"
  std::string_view command_line = {};      // /proc/cmdline
  std::optional<std::string> config = {};  // /boot/config-RELEASE
};

Preemption ParsePreemption(const PreemptionTexts& texts);

// debugfs sched/preempt of this board: where debugfs is not mounted, through a mount of our own (mount_detached.h).
std::optional<std::string> ReadPreemptOfDebugFs();

}  // namespace corerig
