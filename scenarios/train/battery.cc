#include "scenarios/train/battery.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "harness/base/philox.h"

namespace corerig {
namespace {

constexpr std::uint32_t kDrawn = StreamId("train/battery/drawn"), kLoad = StreamId("train/battery/load"),
                        kNoise = StreamId("train/battery/noise");
constexpr std::size_t kSeconds = 60;
// Of a monitor such as cars and drones have.
constexpr double kVoltNoise = 0.005, kAmpereNoise = 0.02, kCelsiusNoise = 0.3;

// The mean of the last `seconds` values.
double MeanOfLast(const std::array<double, kSeconds>& values, std::size_t seconds) {
  double sum = 0;
  for (std::size_t i = kSeconds - seconds; i < kSeconds; ++i) sum += values[i];
  return sum / static_cast<double>(seconds);
}

}  // namespace

double OpenCircuitVolts(double charge) {
  // A knee where it is empty, a slope, and a flat stretch in the middle.
  return 3.45 + 0.75 * charge - 0.55 * std::exp(-18 * charge) - 0.05 * std::sin(2 * 3.14159265 * charge);
}

Cell::Cell(CellState state, double celsius) : state_(state) {
  constexpr double kActivation = 2400;  // K, over the gas constant
  const double colder = std::exp(kActivation * (1 / (celsius + 273.15) - 1 / 298.15));
  fast_ohms_ = 0.025 * colder;
  slow_ohms_ = 0.015 * colder;
}

double Cell::Step(double amperes) {
  state_.charge = std::clamp(state_.charge - amperes / kCapacity, 0.0, 1.0);
  const double kept = std::exp(-1 / kSlowSeconds);
  state_.slow_volts = kept * state_.slow_volts + (1 - kept) * slow_ohms_ * amperes;
  return OpenCircuitVolts(state_.charge) - fast_ohms_ * amperes - state_.slow_volts;
}

Examples BatteryTable(std::size_t rows, std::uint64_t seed) {
  Examples table{.name = "the simulated cell", .columns = kBatteryFeatures};
  for (std::size_t row = 0; row < rows; ++row) {
    const auto drawn = RandomWords(seed, kDrawn, row);
    const double celsius = 45 * UniformOpen(drawn[0]);
    Cell cell({.charge = 0.03 + 0.95 * UniformOpen(drawn[1])}, celsius);
    std::array<double, kSeconds> volts, amperes;
    double load = 0;
    for (std::size_t second = 0; second < kSeconds; ++second) {
      // The load changes every eight seconds or so: from charging at 2.5 A to drawing 7.5.
      const auto words = RandomWords(seed, kLoad, row, static_cast<std::uint32_t>(second));
      if (second == 0 || UniformOpen(words[0]) < 1.0 / 8) load = -2.5 + 10 * UniformOpen(words[1]);
      const auto noise = RandomNormals(seed, kNoise, row, static_cast<std::uint32_t>(second));
      volts[second] = cell.Step(load) + kVoltNoise * noise[0];
      amperes[second] = load + kAmpereNoise * noise[1];
    }
    const double measured = celsius + kCelsiusNoise * RandomNormals(seed, kNoise, row, kSeconds)[0];
    for (const double value :
         {volts[kSeconds - 1], amperes[kSeconds - 1], measured, MeanOfLast(volts, 5), MeanOfLast(amperes, 5),
          MeanOfLast(volts, 15), MeanOfLast(amperes, 15), MeanOfLast(volts, 60), MeanOfLast(amperes, 60),
          volts[kSeconds - 2], amperes[kSeconds - 2], amperes[kSeconds - 11]}) {
      table.values.push_back(static_cast<float>(value));
    }
    table.targets.push_back(static_cast<float>(cell.state().charge));
  }
  return table;
}

}  // namespace corerig
