#include "scenarios/train/bearing.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "harness/base/philox.h"
#include "harness/base/text.h"
#include "scenarios/simd/random_fill.h"
#include "sensors/icm42688p.h"
#include "sensors/ieee952.h"
#include "sensors/imu_model.h"

namespace corerig {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;
constexpr std::uint32_t kNoise = StreamId("train/bearing/noise"), kDrawn = StreamId("train/bearing/drawn"),
                        kSlip = StreamId("train/bearing/slip");

// The housing's ringing after a blow of strength 1: exp(-t/T) sin(w t), added from `begin` seconds on. Computed by the
// recurrence of a damped oscillation, which takes two multiplications a sample.
void Ring(std::span<float> samples, double begin, double hertz, double decay, double strength) {
  const double rate = BearingRig::kRate;
  const auto first = static_cast<std::size_t>(std::ceil(std::max(begin, 0.0) * rate));
  const double damp = std::exp(-1 / (decay * rate)), turn = kTurn * hertz / rate;
  const double offset = static_cast<double>(first) / rate - begin;
  const auto at = [&](double t) { return strength * std::exp(-t / decay) * std::sin(kTurn * hertz * t); };
  double before = at(offset - 1 / rate), now = at(offset);
  const double along = 2 * damp * std::cos(turn), back = damp * damp;
  const std::size_t end = std::min(samples.size(), first + static_cast<std::size_t>(8 * decay * rate));
  for (std::size_t i = first; i < end; ++i) {
    samples[i] += static_cast<float>(now);
    const double next = along * now - back * before;
    before = now;
    now = next;
  }
}

// strength * cos(w t + 2 pi phase), sample by sample, by rotation instead of a cosine each.
class Oscillation {
 public:
  Oscillation(double hertz, double strength, double phase)
      : along_(2 * std::cos(kTurn * hertz / BearingRig::kRate)),
        now_(strength * std::cos(kTurn * phase)),
        before_(strength * std::cos(kTurn * (phase - hertz / BearingRig::kRate))) {}

  double Next() {
    const double value = now_;
    now_ = along_ * value - before_;
    before_ = value;
    return value;
  }

 private:
  double along_, now_, before_;
};

// How strong a blow is at time t, for a defect that is carried through the load zone.
double InLoadZone(double turns) { return 0.55 + 0.45 * std::cos(kTurn * turns); }

}  // namespace

double PassingFrequency(Bearing fault, const BearingGeometry& geometry) {
  const double ratio = geometry.element_diameter / geometry.pitch_diameter, n = geometry.elements;
  switch (fault) {
    case Bearing::kHealthy:
      return 0;
    case Bearing::kOuterRace:
      return n / 2 * (1 - ratio);
    case Bearing::kInnerRace:
      return n / 2 * (1 + ratio);
    case Bearing::kBall:
      return (1 - ratio * ratio) / ratio;
    case Bearing::kCage:
      return (1 - ratio) / 2;
  }
  return 0;
}

BearingRig BearingRigOfIcm42688p() {
  const SensorType sensor = Icm42688p();
  BearingRig rig{.lsb = kStandardGravity / 2048};
  for (const ParameterInfo& parameter : sensor.info.parameters) {
    if (parameter.name != "accel_density") continue;
    rig.noise = RandomWalkOf(*ParseNumber<double>(parameter.default_value)) * std::sqrt(BearingRig::kRate);
  }
  return rig;
}

void SimulateWindow(const BearingRig& rig, std::uint64_t seed, std::uint64_t index, Bearing state, BearingWindow& out) {
  // Everything that is drawn of the window but noise and slip, uniform.
  std::array<double, 16> drawn;
  for (std::uint32_t i = 0; i < drawn.size() / 4; ++i) {
    const auto words = RandomWords(seed, kDrawn, index, i);
    for (std::size_t j = 0; j < 4; ++j) drawn[4 * i + j] = UniformOpen(words[j]);
  }
  auto between = [&, next = std::size_t{0}](double low, double high) mutable {
    return low + (high - low) * drawn[next++];
  };

  const double shaft = out.shaft_hertz = between(24, 36);
  std::array<double, BearingRig::kWindow> noise;
  FillNormals(seed, kNoise, index * noise.size() / 4, noise);
  // The machine's own noise swells with the shaft, with twice its turns, and with the vanes of the pump that it drives.
  Oscillation once(shaft, between(0, 0.9), between(0, 1)), twice(2 * shaft, between(0, 0.6), between(0, 1));
  Oscillation vanes(5 * shaft, between(0, 0.9), between(0, 1));
  // Harmonics of unbalance and misalignment.
  Oscillation first_harmonic(shaft, between(0.1, 0.6), between(0, 1));
  Oscillation second_harmonic(2 * shaft, between(0.05, 0.3), between(0, 1));
  for (std::size_t i = 0; i < out.samples.size(); ++i) {
    const double swell = std::max(1 + once.Next() + twice.Next() + vanes.Next(), 0.0);
    out.samples[i] = static_cast<float>((rig.noise + rig.machine * swell) * noise[i] + first_harmonic.Next() +
                                        second_harmonic.Next());
  }

  if (state != Bearing::kHealthy) {
    const double resonance = between(2200, 3400), decay = between(0.6e-3, 1.5e-3);
    // From faults that just show to ones that anybody hears.
    const double strength = (rig.noise + rig.machine) * std::exp(between(std::log(4.0), std::log(40.0)));
    const double interval = 1 / (shaft * PassingFrequency(state)), first = between(0, 1), zone = between(0, 1);
    const double cage = shaft * PassingFrequency(Bearing::kCage);
    const double end = static_cast<double>(out.samples.size()) / BearingRig::kRate;
    double at = (first - 1) * interval;
    for (std::uint64_t blow = 0; at < end; ++blow) {
      const auto normals = RandomNormals(seed, kSlip, index, static_cast<std::uint32_t>(blow));
      if (at >= 0) {
        const double load = state == Bearing::kInnerRace ? InLoadZone(shaft * at + zone)
                            : state == Bearing::kBall    ? InLoadZone(cage * at + zone)
                                                         : 1;
        Ring(out.samples, at, resonance, decay, strength * load * std::exp(0.1 * normals[1]));
      }
      at += interval * (1 + 0.01 * normals[0]);
    }
  }
  for (float& sample : out.samples) {
    sample = static_cast<float>(rig.lsb * std::round(static_cast<double>(sample) / rig.lsb));
  }
}

void BearingFeatures(const BearingWindow& window, std::span<float> features) {
  // Second difference: a high pass whose gain at the shaft's third harmonic is a hundredth of that at the resonances.
  // Then the magnitude, as means of eight: 1000 of them a second.
  constexpr std::size_t kDecimation = 8, kEnvelope = BearingRig::kWindow / kDecimation;
  std::array<float, kEnvelope> envelope{};
  const auto& x = window.samples;
  for (std::size_t i = 2; i < x.size(); ++i) envelope[i / kDecimation] += std::abs(x[i] - 2 * x[i - 1] + x[i - 2]);
  envelope[0] *= 8.0f / 6.0f;
  float mean = 0;
  for (const float value : envelope) mean += value / kEnvelope;
  // What remains around the mean, under Hann's window, relative to it.
  for (std::size_t i = 0; i < kEnvelope; ++i) {
    const double hann = 0.5 - 0.5 * std::cos(kTurn * (static_cast<double>(i) + 0.5) / kEnvelope);
    envelope[i] = static_cast<float>(hann) * (mean > 0 ? envelope[i] / mean - 1 : 0);
  }
  // Goertzel's recurrence at each order, eight orders side by side.
  constexpr std::size_t kSide = 8;
  for (std::size_t k = 0; k < features.size(); k += kSide) {
    std::array<float, kSide> along, now{}, before{};
    for (std::size_t j = 0; j < kSide; ++j) {
      const double order = static_cast<double>(k + j + 1) / 8;
      along[j] = static_cast<float>(2 * std::cos(kTurn * order * window.shaft_hertz * kDecimation / BearingRig::kRate));
    }
    for (const float value : envelope) {
      for (std::size_t j = 0; j < kSide; ++j) {
        const float next = value + along[j] * now[j] - before[j];
        before[j] = now[j];
        now[j] = next;
      }
    }
    for (std::size_t j = 0; j < kSide && k + j < features.size(); ++j) {
      const float power = now[j] * now[j] + before[j] * before[j] - along[j] * now[j] * before[j];
      // A Hann window's amplitude is a quarter of the number of samples.
      features[k + j] = std::sqrt(std::sqrt(std::max(power, 0.0f)) / (kEnvelope / 4.0f));
    }
  }
}

Examples BearingTable(std::size_t rows, std::uint64_t seed, Goal goal) {
  const BearingRig rig = BearingRigOfIcm42688p();
  Examples table{.name = "the simulated bearing", .columns = BearingRig::kFeatures, .one_unit = true};
  table.values.resize(rows * table.columns);
  const std::size_t states = kBearingStates.size();
  if (goal == Goal::kClassify) table.classes.assign(kBearingStates.begin(), kBearingStates.end());
  BearingWindow window;
  for (std::size_t row = 0; row < rows; ++row) {
    // Of an autoencoder every other window is healthy, the rest are of the four faults in turn.
    const std::size_t state = goal == Goal::kClassify ? row % states : row % 2 == 0 ? 0 : 1 + row / 2 % (states - 1);
    SimulateWindow(rig, seed, row, static_cast<Bearing>(state), window);
    BearingFeatures(window, std::span(table.values).subspan(row * table.columns, table.columns));
    table.labels.push_back(
        static_cast<std::int32_t>(goal == Goal::kClassify ? state : std::min<std::size_t>(state, 1)));
  }
  return table;
}

}  // namespace corerig
