// What the scheduling trace costs: the same run with it and with `trace = false`, in turn.
//
//   bazel run -c opt //tests/bench:trace_bench [-- PAIRS [ROUND TRIPS]]
//
// 1. A worker beside the drone's streams: units per second, traced against not.
// 2. The rig's CPU time in those traced runs, per 10,000 switches/s of all cores.
// 3. The worst case: two tasks that wake each other through a pipe on one core (`perf bench sched pipe`, package
//    linux-perf), as a command of the user's; and for comparison the same under `perf sched record`. Real-time where we
//    may, so that other load does not disturb.
#include <stdlib.h>
#include <unistd.h>

#include <cmath>
#include <iostream>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/os/scheduling.h"
#include "tests/bench/command.h"
#include "tests/bench/pairs.h"

namespace corerig {
namespace {

using Report = std::optional<nlohmann::json>;

// Figures of the traced runs.
struct Traced {
  std::vector<double> cpu, switches, cpu_of_10000, events, lost;

  void Add(const nlohmann::json& report) {
    const double window = (report["window"]["end"].get<double>() - report["window"]["begin"].get<double>()) / 1e9;
    double all = 0;
    for (const auto& core : report["trace"]["cores"]) all += core["switches"].get<double>() / window;
    switches.push_back(all);
    // The trace's events are those of the whole run, start and drain included.
    events.push_back(report["trace"]["events"].get<double>());
    lost.push_back(report["trace"]["lost"].get<double>());
    const auto rig = MetricOf(report, "rig.cpu");
    if (!rig || all == 0) return;
    cpu.push_back(*rig);
    cpu_of_10000.push_back(*rig / (all / 10'000));
  }
};

std::string TraceKey(bool traced) { return traced ? "" : "trace = false\n"; }

std::string Integer(double value) { return StrCat(std::llround(value)); }

int Run(int pairs_wanted, const std::string& round_trips) {
  const auto cores = AllowedCores();
  if (cores.size() < 2) {
    std::cerr << "needs two cores: one for the streams and the rig, one for the worker\n";
    return 1;
  }
  const std::string first = StrCat("cores = [", cores.front().value, "]\n");
  const std::string last = StrCat("cores = [", cores.back().value, "]\n");
  std::cout << Conditions() << "\n";

  Traced with, without;
  const auto rate = [&](bool traced) -> std::optional<double> {
    const Report report =
        ReportOf("name = \"trace\"\nduration = \"1s\"\nwarmup = \"300ms\"\ndrain = \"100ms\"\n" + TraceKey(traced) +
                 "[source]\npolicy = \"fifo:90\"\n" + first + "[loop.flight]\npolicy = \"fifo:80\"\n" + first +
                 "[stream.tick]\nsensor = \"tick\"\nloop = \"flight\"\n"
                 "[stream.imu]\nsensor = \"icm42688p\"\nloop = \"flight\"\n"
                 "[stream.gnss]\nsensor = \"zed-f9p\"\nloop = \"flight\"\n"
                 "[stream.lidar]\nsensor = \"vlp16\"\nloop = \"flight\"\n"
                 "[worker.price]\nworkload = \"montecarlo/option\"\n" +
                 last);
    if (!report) return std::nullopt;
    if (traced) {
      if (!(*report)["trace"]["absent"].is_null()) {
        std::cerr << "no trace: " << (*report)["trace"]["absent"] << "\n";
        return std::nullopt;
      }
      with.Add(*report);
    } else if (const auto cpu = MetricOf(report, "rig.cpu")) {
      without.cpu.push_back(*cpu);
    }
    return MetricOf(report, "worker.price.0.rate");
  };
  const Pairs rates = Pairs::Measure(
      pairs_wanted, [&] { return rate(true); }, [&] { return rate(false); });
  if (rates.a.empty()) return 1;
  std::cout << Line("worker beside the drone's streams", rates, "traced", "not traced",
                    [](double value) { return Integer(value) + " units/s"; })
            << "   (target: lower end at least 0.985)\n"
            << "rig CPU per 10,000 switches/s   " << FormatShare(Median(with.cpu_of_10000))
            << " of one core   (target: under 1 %)   at " << Integer(Median(with.switches)) << " switches/s, rig "
            << FormatShare(Median(with.cpu)) << " traced, " << FormatShare(Median(without.cpu)) << " not traced\n"
            << "events of a run   " << Integer(Median(with.events)) << "   lost " << Integer(Median(with.lost)) << "\n";

  const bool real_time = geteuid() == 0;
  Traced worst;
  const auto pipe = [&](bool traced) -> std::optional<double> {
    const Report report =
        ReportOf("name = \"pipe\"\nduration = \"120s\"\nwarmup = \"0s\"\ndrain = \"100ms\"\n" + TraceKey(traced) +
                 "[worker.pipe]\nworkload = \"exec\"\nuntil = \"exit\"\n"
                 "command = [\"perf\", \"bench\", \"-f\", \"simple\", \"sched\", \"pipe\", \"-l\", \"" +
                 round_trips + "\"]\n" + (real_time ? "policy = \"fifo:50\"\n" : "") + last);
    if (!report) return std::nullopt;
    if (traced) worst.Add(*report);
    const std::string output = OutputOfWorker("pipe");
    if (output.empty()) {
      std::cerr << "perf bench said nothing: is linux-perf installed (tools/setup.sh bench)?\n";
      return std::nullopt;
    }
    return std::stod(output) / std::stod(round_trips) * 1e9;
  };
  const auto time = [](double nanos) { return FormatDuration(nanos); };
  const Pairs pipes = Pairs::Measure(
      pairs_wanted, [&] { return pipe(true); }, [&] { return pipe(false); });
  if (pipes.a.empty()) return 1;
  std::cout << Line("perf bench sched pipe, a round trip", pipes, "traced", "not traced", time)
            << "   (target: at most 1.3)\n"
            << "events of a run   " << Integer(Median(worst.events)) << "   "
            << Integer(Median(worst.events) / std::stod(round_trips)) << " a round trip   lost "
            << Integer(Median(worst.lost)) << "   rig CPU per 10,000 switches/s "
            << FormatShare(Median(worst.cpu_of_10000)) << "   at " << Integer(Median(worst.switches))
            << " switches/s\n";

  const auto bench = [&](std::vector<std::string> words) -> std::optional<double> {
    words.insert(words.end(), {"taskset", "-c", StrCat(cores.back().value)});
    if (real_time) words.insert(words.end(), {"chrt", "-f", "50"});
    words.insert(words.end(), {"perf", "bench", "-f", "simple", "sched", "pipe", "-l", round_trips});
    const auto output = OutputOf(words);
    if (!output || output->empty()) return std::nullopt;
    return std::stod(*output) / std::stod(round_trips) * 1e9;
  };
  const Pairs perf = Pairs::Measure(
      pairs_wanted,
      [&] {
        return bench({"perf", "sched", "record", "-o", "/dev/null", "--"});
      },
      [&] { return bench({}); });
  if (!perf.a.empty()) {
    std::cout << Line("the same", perf, "perf sched record", "alone", time) << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace corerig

int main(int argc, char** argv) {
  return corerig::Run(corerig::CountFrom(argc, argv, 20), argc > 2 ? argv[2] : "200000");
}
