// Paths per second and core of a European option: montecarlo/option beside QuantLib's Monte Carlo engine on the same
// contract.
//
//   tools/setup.sh peers && bazel run -c opt //tests/bench:option_bench [-- PAIRS]
//
// One time step, neither antithetic nor controlled, on one core; QuantLib with its Mersenne twister and with its Sobol
// sequence. By the thread's CPU time, so that other load on the machine is out of it.
#include <stdio.h>
#include <time.h>

#include <cmath>
#include <iostream>
#include <ql/exercise.hpp>
#include <ql/instruments/vanillaoption.hpp>
#include <ql/math/randomnumbers/rngtraits.hpp>
#include <ql/pricingengines/vanilla/mceuropeanengine.hpp>
#include <ql/processes/blackscholesprocess.hpp>
#include <ql/quotes/simplequote.hpp>
#include <ql/settings.hpp>
#include <ql/termstructures/volatility/equityfx/blackconstantvol.hpp>
#include <ql/termstructures/yield/flatforward.hpp>
#include <ql/time/calendars/nullcalendar.hpp>
#include <ql/time/daycounters/actual365fixed.hpp>

#include "harness/base/text.h"
#include "harness/os/scheduling.h"
#include "scenarios/montecarlo_option.h"
#include "scenarios/simd/kernel_choice.h"
#include "tests/bench/pairs.h"

namespace corerig {
namespace {

constexpr double kSpot = 100, kStrike = 105, kInterest = 0.05, kVolatility = 0.2;  // one year, call

double CpuSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Neither side is measured at anything but the price of this option.
bool IsRight(double price, double paths) {
  const Expectation exact = BlackScholes({kSpot, kStrike, kInterest, kVolatility, 1, true, 0});
  if (std::abs(price - exact.price) < 5 * exact.standard_deviation / std::sqrt(paths)) return true;
  std::cerr << "price " << price << " is not " << exact.price << "\n";
  return false;
}

std::optional<double> OurPathsPerSecond() {
  const WorkloadType workload = MonteCarloOption();
  WorkerJob job{.group = "price", .seed = 1, .units = {}, .parameters = {}};
  for (const ParameterInfo& parameter : workload.info.parameters) {
    job.parameters.push_back({std::string(parameter.name), std::string(parameter.default_value)});
  }
  auto made = workload.make(job, {});
  if (!made) return std::nullopt;
  std::uint64_t units = 0;
  const double begin = CpuSeconds();
  double end = begin;
  for (; end - begin < 0.05; end = CpuSeconds()) (*made)->RunUnit(units++);
  std::vector<std::byte> bytes(workload.result_size(job));
  bytes.resize((*made)->WriteResult(bytes));
  const auto answer = workload.merge(job, std::vector<WorkerResult>{{0, bytes}});
  const double paths = static_cast<double>(units * kPathsPerBlock);
  if (!answer || !IsRight(answer->figures[0].value, paths)) return std::nullopt;
  return paths / (end - begin);
}

template <typename Traits>
std::optional<double> TheirPathsPerSecond() {
  using namespace QuantLib;
  constexpr Size kSamples = 262'143;  // 2^18 - 1, as Sobol sequences like it
  const Date today(1, January, 2026);
  Settings::instance().evaluationDate() = today;
  const DayCounter days = Actual365Fixed();
  const auto process = ext::make_shared<BlackScholesProcess>(
      Handle<Quote>(ext::make_shared<SimpleQuote>(kSpot)),
      Handle<YieldTermStructure>(ext::make_shared<FlatForward>(today, kInterest, days)),
      Handle<BlackVolTermStructure>(ext::make_shared<BlackConstantVol>(today, NullCalendar(), kVolatility, days)));
  VanillaOption option(ext::make_shared<PlainVanillaPayoff>(QuantLib::Option::Call, kStrike),
                       ext::make_shared<EuropeanExercise>(today + 365));
  option.setPricingEngine(
      MakeMCEuropeanEngine<Traits>(process).withSteps(1).withSamples(kSamples).withSeed(1).withAntitheticVariate(
          false));
  const double begin = CpuSeconds();
  const double price = option.NPV();
  const double seconds = CpuSeconds() - begin;
  if (!IsRight(price, kSamples)) return std::nullopt;
  return kSamples / seconds;
}

std::string Format(double paths) {
  char text[64];
  snprintf(text, sizeof text, "%.2f M paths/s", paths / 1e6);
  return text;
}

}  // namespace
}  // namespace corerig

int main(int argc, char** argv) {
  using namespace corerig;
  if (const Status pinned = SetAffinity(0, AllowedCores().back()); !pinned) {
    std::cerr << pinned.error().message << "\n";
    return 1;
  }
  const int count = CountFrom(argc, argv, 20);
  const auto twister = Pairs::Measure(count, OurPathsPerSecond, TheirPathsPerSecond<QuantLib::PseudoRandom>);
  const auto sobol = Pairs::Measure(count, OurPathsPerSecond, TheirPathsPerSecond<QuantLib::LowDiscrepancy>);
  const auto name = StrCat("corerig ", ChosenKernels().name);
  std::cout << Conditions() << "\n"
            << Line("European option", twister, name, "QuantLib PseudoRandom", Format) << "\n"
            << Line("European option", sobol, name, "QuantLib LowDiscrepancy", Format) << "\n";
  return 0;
}
