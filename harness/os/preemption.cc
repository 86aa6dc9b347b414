#include "harness/os/preemption.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "harness/base/text.h"
#include "harness/os/cpu_isolation.h"
#include "harness/os/detached_mount.h"
#include "harness/os/fd.h"

namespace corerig {
namespace {

using Model = Preemption::Model;

Model ModelOf(std::string_view word) {
  for (const Model model : {Model::kNone, Model::kVoluntary, Model::kFull, Model::kLazy}) {
    if (ToText(model) == word) return model;
  }
  return Model::kUnknown;
}

// "none voluntary (full) lazy": the one in parentheses.
Model FromDebug(std::string_view text) {
  const auto open = text.find('('), close = text.find(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return Model::kUnknown;
  return ModelOf(text.substr(open + 1, close - open - 1));
}

Model FromConfig(std::string_view config) {
  constexpr std::pair<std::string_view, Model> kOptions[] = {{"CONFIG_PREEMPT_NONE=y", Model::kNone},
                                                             {"CONFIG_PREEMPT_VOLUNTARY=y", Model::kVoluntary},
                                                             {"CONFIG_PREEMPT_LAZY=y", Model::kLazy},
                                                             {"CONFIG_PREEMPT=y", Model::kFull}};
  for (const auto line : Split(config, '\n')) {
    for (const auto& [option, model] : kOptions) {
      if (Trim(line) == option) return model;
    }
  }
  return Model::kUnknown;
}

bool HasWord(std::string_view text, std::string_view word) {
  for (const auto part : Split(text, ' ')) {
    if (part == word) return true;
  }
  return false;
}

}  // namespace

std::string_view ToText(Preemption::Model model) {
  switch (model) {
    case Model::kUnknown:
      return "unknown";
    case Model::kNone:
      return "none";
    case Model::kVoluntary:
      return "voluntary";
    case Model::kFull:
      return "full";
    case Model::kLazy:
      return "lazy";
    case Model::kRealTime:
      return "PREEMPT_RT";
  }
  return {};
}

Preemption ParsePreemption(const PreemptionTexts& texts) {
  // Releases before 5.4's patch set wrote "PREEMPT RT".
  if (HasWord(texts.version, "PREEMPT_RT") || texts.version.find("PREEMPT RT") != std::string_view::npos) {
    return {.model = Model::kRealTime, .origin = "kernel version"};
  }
  const bool dynamic = HasWord(texts.version, "PREEMPT_DYNAMIC");
  if (texts.debug) {
    if (const Model model = FromDebug(*texts.debug); model != Model::kUnknown) {
      return {.model = model, .dynamic = true, .origin = "debugfs sched/preempt"};
    }
  }
  if (dynamic) {
    if (const auto chosen = CommandLineValue(texts.command_line, "preempt")) {
      if (const Model model = ModelOf(*chosen); model != Model::kUnknown) {
        return {.model = model, .dynamic = true, .origin = "kernel command line"};
      }
    }
  } else if (HasWord(texts.version, "PREEMPT")) {
    return {.model = Model::kFull, .origin = "kernel version"};
  }
  if (texts.config) {
    if (const Model model = FromConfig(*texts.config); model != Model::kUnknown) {
      return {.model = model, .dynamic = dynamic, .origin = "kernel configuration"};
    }
  }
  return {
      .model = Model::kUnknown,
      .dynamic = dynamic,
      .origin = dynamic ? "chosen at boot; debugfs sched/preempt would tell, and cannot be read" : "none or voluntary"};
}

std::optional<std::string> ReadPreemptOfDebugFs() {
  if (auto mounted = ReadFile("/sys/kernel/debug/sched/preempt")) return *mounted;
  const auto debugfs = MountDetached("debugfs");
  if (!debugfs) return std::nullopt;
  const Fd file(openat(debugfs->get(), "sched/preempt", O_RDONLY | O_CLOEXEC));
  char text[256];
  const ssize_t got = file.valid() ? read(file.get(), text, sizeof text) : -1;
  if (got <= 0) return std::nullopt;
  return std::string(text, static_cast<std::size_t>(got));
}

}  // namespace corerig
