// Why a sample was late, held against a culprit whose misdeeds are known: a hog that takes a loop's core at known
// instants for a known time.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "harness/os/scheduling.h"
#include "tests/support/rig_run.h"

namespace corerig {
namespace {

using std::chrono::milliseconds;

// Ticks so dense that one is due soon after the hog begins: the loop waits for nearly all of the burst.
std::string Scenario(int core) {
  return R"(
name = "hogged"
duration = "2500ms"
warmup = "100ms"
drain = "100ms"
[loop.flight]
cores = [)" +
         std::to_string(core) + R"(]
policy = "fifo:80"
[stream.tick]
sensor = "tick"
rate = "10kHz"
loop = "flight"
)";
}

struct Burst {
  long long begin = 0, end = 0;
};

// Six bursts of 5 ms, 220 ms apart: the worst eight samples of a stream have room for two stalls that are not ours.
class Hog {
 public:
  explicit Hog(int core) {
    std::FILE* const file = std::tmpfile();
    out_ = file;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(file), STDOUT_FILENO);
    const std::string program = std::string(getenv("TEST_SRCDIR")) + "/" + getenv("TEST_WORKSPACE") + "/tests/rig/hog";
    const std::string on = std::to_string(core);
    const char* const words[] = {program.c_str(), on.c_str(), "95", "5000", "0", "220000", "6", nullptr};
    if (posix_spawn(&pid_, program.c_str(), &actions, nullptr, const_cast<char**>(words), environ) != 0) pid_ = 0;
    posix_spawn_file_actions_destroy(&actions);
  }
  Hog(const Hog&) = delete;
  ~Hog() { std::fclose(out_); }
  pid_t pid() const { return pid_; }

  std::vector<Burst> Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    EXPECT_EQ(status, 0);
    std::rewind(out_);
    std::vector<Burst> bursts;
    for (Burst burst; std::fscanf(out_, "%lld %lld", &burst.begin, &burst.end) == 2;) bursts.push_back(burst);
    return bursts;
  }

 private:
  std::FILE* out_ = nullptr;
  pid_t pid_ = 0;
};

// The spike that blames `tid` for this burst, with what it says of its length; 0 if there is none.
long long LengthFound(const nlohmann::json& report, const Burst& burst, int tid) {
  for (const auto& spike : report["spikes"]) {
    const auto at = spike["at"].get<long long>();
    if (at < burst.begin - 1'000'000 || at > burst.end) continue;
    const auto& worst = spike["causes"][0];
    const bool of_hog = worst["tid"] == tid || !InFirstPidNamespace();
    if (worst["kind"] == "core_held" && of_hog && worst["task"] == "hog" && worst["role"] == "foreign") {
      return worst["duration"].get<long long>();
    }
  }
  return 0;
}

TEST(Spikes, AHogOfKnownLengthIsFoundAndItsLengthIsRight) {
  if (!SetPolicy(0, {Policy::Class::kFifo, 1})) GTEST_SKIP() << "SCHED_FIFO is refused";
  ASSERT_TRUE(SetPolicy(0, {}));
  const int core = TestCores().back();
  int injected = 0, found = 0, right = 0;
  for (int run = 0; run < 25 && injected < 100; ++run) {
    RigRun rig(Scenario(core));
    std::this_thread::sleep_for(milliseconds(300));
    Hog hog(core);
    const auto bursts = hog.Wait();
    const FinishedRun finished = rig.Wait();
    ASSERT_TRUE(finished.report.is_object()) << finished.err;
    if (finished.report["metrics"]["rig.trace.lost"].contains("absent")) {
      GTEST_SKIP() << finished.report["metrics"]["rig.trace.lost"]["absent"];
    }
    const auto begin = finished.report["window"]["begin"].get<long long>();
    const auto end = finished.report["window"]["end"].get<long long>();
    for (const Burst& burst : bursts) {
      if (burst.begin < begin + 10'000'000 || burst.end > end - 10'000'000) continue;
      const auto length = static_cast<double>(burst.end - burst.begin);
      const auto said = static_cast<double>(LengthFound(finished.report, burst, hog.pid()));
      ++injected;
      found += said > 0;
      right += said > 0.95 * length && said < 1.05 * length;
      if (said < 0.95 * length || said > 1.05 * length) {
        std::printf("run %d: a burst of %.0f ns at %lld was said to take %.0f ns\n", run, length, burst.begin, said);
      }
    }
  }
  std::printf("%d bursts, %d found, %d with the right length\n", injected, found, right);
  EXPECT_GE(injected, 100);
  EXPECT_GE(found * 100, injected * 99);
  EXPECT_GE(right * 100, injected * 99);
}

}  // namespace
}  // namespace corerig
