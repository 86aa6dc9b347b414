// Normal variates per second and core: our kernels beside the standard library and NumPy.
//
//   tools/setup.sh peers && bazel run -c opt //tests/bench:normals_bench [-- PAIRS]
//
// Each side fills an array of 4096 doubles again and again, on one core. By the thread's CPU time, so that other load
// on the machine is out of it. The kernels are those of x86-64-v3 where this CPU has them.
#include <stdio.h>
#include <time.h>

#include <iostream>
#include <vector>

#include "harness/base/text.h"
#include "harness/os/scheduling.h"
#include "scenarios/simd/kernel_choice.h"
#include "tests/bench/command.h"
#include "tests/bench/pairs.h"

namespace corerig {
namespace {

constexpr std::size_t kCount = 4096;

double CpuSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Millions of variates per second: the median of 15 measurements of 2 ms, as an interrupt may fall into one.
double Ours(const Kernels& kernels) {
  std::vector<double> variates(kCount), rates;
  Draws draws{.seed = 1, .stream = 2};
  for (int i = 0; i < 15; ++i) {
    const double begin = CpuSeconds();
    double end = begin;
    std::size_t done = 0;
    for (; end - begin < 2e-3; end = CpuSeconds()) {
      kernels.fill_normals(draws, variates.data(), variates.size());
      draws.first += kCount / 4;
      done += kCount;
    }
    rates.push_back(static_cast<double>(done) / (end - begin) / 1e6);
  }
  return Median(rates);
}

// std::mt19937_64 and std::normal_distribution, in a program compiled for the same CPUs as the kernels.
std::optional<double> StandardLibrary(const std::string& core) {
  const auto output = OutputOf({"taskset", "-c", core, DataFile("tests/bench/standard_normals")});
  return output ? std::optional(std::stod(*output)) : std::nullopt;
}

// The same loop in Python: Generator.standard_normal(out = array), PCG64 and the ziggurat.
std::optional<double> NumPy(const std::string& core) {
  const auto output = OutputOf({"taskset", "-c", core, "/usr/bin/python3", "-c", R"(
import time, statistics, numpy
draw = numpy.random.default_rng(1).standard_normal
variates = numpy.empty(4096)
rates = []
for i in range(15):
    begin = end = time.thread_time()
    done = 0
    while end - begin < 2e-3:
        draw(out=variates)
        done += 4096
        end = time.thread_time()
    rates.append(done / (end - begin) / 1e6)
print(statistics.median(rates))
)"});
  return output ? std::optional(std::stod(*output)) : std::nullopt;
}

std::string Format(double millions) {
  char text[64];
  snprintf(text, sizeof text, "%.0f M/s (%.2f ns)", millions, 1e3 / millions);
  return text;
}

}  // namespace
}  // namespace corerig

int main(int argc, char** argv) {
  using namespace corerig;
  const CpuId core = AllowedCores().back();
  if (const Status pinned = SetAffinity(0, core); !pinned) {
    std::cerr << pinned.error().message << "\n";
    return 1;
  }
  const int pairs = CountFrom(argc, argv, 20);
  const Kernels& kernels = ChosenKernels();
  const auto ours = [&] { return std::optional(Ours(kernels)); };
  const auto name = StrCat("corerig ", kernels.name);
  const auto standard = Pairs::Measure(pairs, ours, [&] { return StandardLibrary(std::to_string(core.value)); });
  const auto numpy = Pairs::Measure(pairs, ours, [&] { return NumPy(std::to_string(core.value)); });
  std::cout << Conditions() << "\n"
            << Line("normal variates", standard, name, "mt19937_64 + normal_distribution", Format) << "\n"
            << Line("normal variates", numpy, name, "NumPy standard_normal", Format) << "\n";
  return 0;
}
