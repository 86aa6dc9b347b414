#include "harness/measure/capabilities.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "harness/base/metric.h"
#include "harness/base/text.h"
#include "harness/os/procfs.h"
#include "harness/os/trace_fs.h"

namespace corerig {
namespace {

// What is granted depends on where the test runs; each must be told in full either way.
TEST(Capabilities, EachSaysWhatNeedsItAndARefusalWhyAndWhatHelps) {
  const auto all = TryCapabilities();
  std::set<std::string> names;
  for (const auto& capability : all) {
    EXPECT_TRUE(names.insert(capability.name).second) << capability.name;
    EXPECT_FALSE(capability.needed_by.empty()) << capability.name;
    EXPECT_EQ(capability.remedy.empty(), capability.available) << capability.name << ": " << capability.remedy;
    EXPECT_TRUE(capability.available || !capability.detail.empty()) << capability.name;
    // Once: why here, what helps there.
    if (!capability.remedy.empty()) {
      EXPECT_EQ(capability.detail.find(capability.remedy), std::string::npos) << capability.detail;
    }
  }
  EXPECT_EQ(all.size(), 17u);
  for (const auto name : {kDmaLatencyCapability, kFifoCapability, kHardwareCounterCapability}) {
    EXPECT_NE(FindCapability(all, name), nullptr) << name;
  }
  EXPECT_EQ(FindCapability(all, "wings"), nullptr);
}

// "{loop.NAME,worker.NAME.I}.cpu" written out: each of the first group with each of the next.
std::vector<std::string> WrittenOut(const std::string& text) {
  const auto open = text.find('{');
  if (open == std::string::npos) return {text};
  const auto close = text.find('}', open);
  std::vector<std::string> all;
  for (const auto each : Split(std::string_view(text).substr(open + 1, close - open - 1), ',')) {
    for (auto& one : WrittenOut(StrCat(text.substr(0, open), each, text.substr(close + 1)))) all.push_back(one);
  }
  return all;
}

// The parts' names in capitals are those of the table, so that what a board is said to lack can be looked up in `list`.
TEST(Capabilities, NameOnlyMetricsThatThereAre) {
  std::vector<std::string> metrics;
  for (const auto& kind : MetricKinds()) {
    for (auto& name : MetricNames(kind.part, kind.part)) metrics.push_back(std::move(name));
  }
  int named = 0;
  for (const auto& capability : TryCapabilities()) {
    std::string spaced;  // a comma between braces stays one word, one outside ends it
    int depth = 0;
    for (const char c : capability.needed_by) {
      depth += c == '{' ? 1 : c == '}' ? -1 : 0;
      spaced += depth == 0 && (c == ',' || c == ';') ? ' ' : c;
    }
    for (const auto word : Split(spaced, ' ')) {
      if (word.find('{') == std::string_view::npos && word.find('.') == std::string_view::npos) continue;
      if (word == "trace.perfetto-trace" || word.starts_with("/") || word.starts_with("report.json")) continue;
      for (const auto& name : WrittenOut(std::string(word))) {
        EXPECT_TRUE(std::any_of(metrics.begin(), metrics.end(),
                                [&](const std::string& metric) {
                                  return metric == name || metric.starts_with(name + ".") ||
                                         (name.ends_with(".*") && metric.starts_with(name.substr(0, name.size() - 1)));
                                }))
            << capability.name << " names " << name;
        ++named;
      }
    }
  }
  EXPECT_GT(named, 30);
}

// Oracles that do not go through the probes.
TEST(Capabilities, AgreeWithWhatIsThere) {
  const auto all = TryCapabilities();
  const auto available = [&](std::string_view name) { return FindCapability(all, name)->available; };
  EXPECT_EQ(available("smaps_rollup"), ProcFs().Read(getpid(), "smaps_rollup").has_value());
  EXPECT_EQ(available("schedstat"), ProcFs().Read(getpid(), "schedstat").has_value());
  constexpr std::size_t kLocked = std::size_t{64} << 20;
  void* const memory = mmap(nullptr, kLocked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  EXPECT_EQ(available("locked memory"), mlock(memory, kLocked) == 0);
  munmap(memory, kLocked);
  EXPECT_EQ(available("pressure stall information"), access("/proc/pressure/cpu", R_OK) == 0);
  if (available("scheduling trace")) {
    EXPECT_EQ(geteuid(), 0u) << "tracing takes root";
    const auto tracefs = TraceFs::Open();
    ASSERT_TRUE(tracefs);
    EXPECT_EQ(available("interrupts in the trace"), tracefs->Has("events/irq/irq_handler_entry"));
    // Nothing of the trial is left; another process of ours may be tracing.
    for (const auto& name : tracefs->List("instances")) {
      EXPECT_EQ(name.find(StrCat("corerig-", getpid(), "-")), std::string::npos) << name;
    }
  } else {
    EXPECT_FALSE(available("interrupts in the trace"));
  }
}

}  // namespace
}  // namespace corerig
