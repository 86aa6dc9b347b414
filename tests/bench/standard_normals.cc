// The standard library's normal variates, compiled for the CPUs that our widest kernels are for: prints millions per
// second of CPU time.
#include <stdio.h>
#include <time.h>

#include <algorithm>
#include <random>
#include <vector>

int main() {
  const auto seconds = [] {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  };
  constexpr std::size_t kCount = 4096;
  std::mt19937_64 bits(1);
  std::normal_distribution<double> normal;
  std::vector<double> variates(kCount), rates;
  for (int i = 0; i < 15; ++i) {
    const double begin = seconds();
    double end = begin;
    std::size_t done = 0;
    for (; end - begin < 2e-3; end = seconds()) {
      for (double& variate : variates) variate = normal(bits);
      // As if someone read them.
      asm volatile("" : : "r"(variates.data()) : "memory");
      done += kCount;
    }
    rates.push_back(static_cast<double>(done) / (end - begin) / 1e6);
  }
  std::sort(rates.begin(), rates.end());
  printf("%.3f\n", rates[rates.size() / 2]);
  return 0;
}
