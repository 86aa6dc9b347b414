// What counters and records of switches cost the tasks they are about: CPU time per switch and per page fault.
//
//   bazel run -c opt //tests/bench:counting_bench [PAIRS]
//
// Two threads on one core hand a byte to and fro; memory is touched page by page. CPU time, not the wall's, so that
// other load on the machine is out of it.
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "harness/measure/counters.h"
#include "harness/measure/switch_records.h"
#include "harness/os/board.h"
#include "harness/os/scheduling.h"
#include "tests/bench/pairs.h"

namespace corerig {
namespace {

constexpr int kRounds = 20'000, kPages = 20'000;

double ProcessCpuSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// What follows two tasks while they run; `Keep` ends with it.
using Keep = std::shared_ptr<void>;
using Follow = std::function<Keep(const std::array<pid_t, 2>&)>;

Keep Nothing(const std::array<pid_t, 2>&) { return nullptr; }

Follow Count(Counters::Which which) {
  return [which](const std::array<pid_t, 2>& tids) {
    auto counters = std::make_shared<std::vector<Counters>>();
    counters->push_back(Counters::OfThread(tids[0], which));
    if (tids[1] != tids[0]) counters->push_back(Counters::OfThread(tids[1], which));
    return counters;
  };
}

Keep RecordSwitches(const std::array<pid_t, 2>& tids) {
  auto records = SwitchRecords::Start({"a", "b"}, OnlineCpus(""), 1 << 22);
  if (!records) return nullptr;
  for (std::size_t i = 0; i < tids.size(); ++i) (void)(*records)->FollowThread(tids[i], i);
  return std::shared_ptr<SwitchRecords>(std::move(*records));
}

// CPU seconds per switch.
std::optional<double> PerSwitch(const Follow& follow) {
  int there[2], back[2];
  if (pipe(there) != 0 || pipe(back) != 0) return std::nullopt;
  std::array<std::atomic<pid_t>, 2> tids{};
  std::counting_semaphore<2> go(0);
  const auto play = [&](std::size_t me, int from, int to) {
    (void)SetAffinity(0, AllowedCores().back());
    tids[me] = gettid();
    go.acquire();
    char byte = 'x';
    for (int i = 0; i < kRounds; ++i) {
      if (me == 0 && write(to, &byte, 1) != 1) return;
      if (read(from, &byte, 1) != 1) return;
      if (me == 1 && write(to, &byte, 1) != 1) return;
    }
  };
  std::thread a(play, 0, back[0], there[1]), b(play, 1, there[0], back[1]);
  while (tids[0] == 0 || tids[1] == 0) std::this_thread::yield();
  const Keep keep = follow({tids[0], tids[1]});
  const double begin = ProcessCpuSeconds();
  go.release(2);
  a.join();
  b.join();
  const double seconds = ProcessCpuSeconds() - begin;
  for (const int fd : {there[0], there[1], back[0], back[1]}) close(fd);
  return seconds / (2.0 * kRounds);
}

// CPU seconds per first touch of a page.
std::optional<double> PerFault(const Follow& follow) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const memory = mmap(nullptr, kPages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return std::nullopt;
  (void)madvise(memory, kPages * page, MADV_NOHUGEPAGE);
  const Keep keep = follow({gettid(), gettid()});
  const double begin = ProcessCpuSeconds();
  for (std::size_t i = 0; i < kPages; ++i) static_cast<volatile char*>(memory)[i * page] = 1;
  const double seconds = ProcessCpuSeconds() - begin;
  munmap(memory, kPages * page);
  return seconds / kPages;
}

void Compare(const std::string& what, int pairs, const std::function<std::optional<double>(const Follow&)>& measure,
             const Follow& follow) {
  const auto with = Pairs::Measure(
      pairs, [&] { return measure(follow); }, [&] { return measure(Nothing); });
  printf("%s   %.3f µs more each\n",
         Line(what, with, "with", "bare",
              [](double seconds) { return std::to_string(static_cast<int>(seconds * 1e9)) + " ns"; })
             .c_str(),
         (Median(with.a) - Median(with.b)) * 1e6);
}

}  // namespace
}  // namespace corerig

int main(int argc, char** argv) {
  using namespace corerig;
  const int pairs = CountFrom(argc, argv, 24);
  printf("%s\n", Conditions().c_str());
  Compare("a switch, all counters", pairs, PerSwitch, Count(Counters::Which::kAll));
  Compare("a switch, the hardware's counters", pairs, PerSwitch, Count(Counters::Which::kHardware));
  Compare("a switch, recorded", pairs, PerSwitch, RecordSwitches);
  Compare("a page fault, counted", pairs, PerFault, Count(Counters::Which::kAll));
}
