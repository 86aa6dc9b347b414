#include "tests/bench/pairs.h"

#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <sstream>

namespace corerig {

double Median(std::vector<double> values) {
  if (values.empty()) return NAN;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Pairs Pairs::Measure(int count, const std::function<std::optional<double>()>& a,
                     const std::function<std::optional<double>()>& b) {
  Pairs pairs;
  for (int i = 0; i < count; ++i) {
    const bool reverse = i % 2 == 1;
    const auto first = reverse ? b() : a();
    const auto second = reverse ? a() : b();
    const auto& from_a = reverse ? second : first;
    const auto& from_b = reverse ? first : second;
    if (!from_a || !from_b) {
      std::cerr << "pair " << i + 1 << " failed and is left out\n";
      continue;
    }
    pairs.a.push_back(*from_a);
    pairs.b.push_back(*from_b);
    std::cerr << "pair " << i + 1 << "/" << count << ": " << *from_a << " against " << *from_b << "\n";
  }
  return pairs;
}

Pairs::Ratio Pairs::ratio() const {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < a.size(); ++i) ratios.push_back(a[i] / b[i]);
  if (ratios.empty()) return {NAN, NAN, NAN};
  std::sort(ratios.begin(), ratios.end());
  // The interval of ranks (k, n + 1 - k) holds the median with probability 1 - 2·P(Binomial(n, 1/2) < k).
  const auto n = ratios.size();
  double tail = 0, term = std::pow(0.5, static_cast<double>(n));
  std::size_t k = 0;
  while (k < n / 2 && tail + term <= 0.025) {
    tail += term;
    term *= static_cast<double>(n - k) / static_cast<double>(k + 1);
    ++k;
  }
  if (k == 0) return {Median(ratios), -INFINITY, INFINITY};
  return {Median(ratios), ratios[k - 1], ratios[n - k]};
}

std::string Line(const std::string& what, const Pairs& pairs, const std::string& name_a, const std::string& name_b,
                 const std::function<std::string(double)>& format) {
  const auto ratio = pairs.ratio();
  std::ostringstream line;
  line.precision(3);
  line << what << "   " << pairs.a.size() << " pairs   " << name_a << " " << format(Median(pairs.a)) << "   " << name_b
       << " " << format(Median(pairs.b)) << "   ratio " << std::fixed << ratio.median << " [" << ratio.low << ", "
       << ratio.high << "]";
  return line.str();
}

std::string Conditions() {
  utsname system = {};
  uname(&system);
  double load = 0;
  getloadavg(&load, 1);
  std::ostringstream text;
  text << "Linux " << system.release << " " << system.machine << ", " << sysconf(_SC_NPROCESSORS_ONLN)
       << " cores, load " << load;
  return text.str();
}

int CountFrom(int argc, char** argv, int otherwise) { return argc > 1 ? atoi(argv[1]) : otherwise; }

}  // namespace corerig
