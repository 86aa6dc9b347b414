#include "scenarios/train/all_reduce.h"

#include <cstring>
#include <stdexcept>

#include "harness/base/text.h"

namespace corerig {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kPlace = AllReduce::kMost * sizeof(float) + kPage;  // the loss, then the values

constexpr std::size_t ToPage(std::size_t size) { return (size + kPage - 1) / kPage * kPage; }

float* ValuesOf(std::span<std::byte> place) { return reinterpret_cast<float*>(place.data() + 64); }

}  // namespace

std::size_t AllReduce::SizeFor(int parties) {
  return ToPage(Rendezvous::SizeFor(parties)) + 2 * kPlace * static_cast<std::size_t>(parties);
}

Result<std::unique_ptr<AllReduce>> AllReduce::Join(std::span<std::byte> memory, Party party,
                                                   std::function<bool()> told_to_stop) {
  if (memory.size() < SizeFor(party.parties)) {
    return Fail("worker ", party.name, ": ", memory.size(), " bytes to exchange gradients through; ", party.parties,
                " workers need ", SizeFor(party.parties));
  }
  auto rendezvous = Rendezvous::Join(memory, party.index, party.parties, told_to_stop);
  if (!rendezvous) return Forward(rendezvous);
  return std::unique_ptr<AllReduce>(
      new AllReduce(memory, std::move(party), std::move(told_to_stop), std::move(*rendezvous)));
}

AllReduce::AllReduce(std::span<std::byte> memory, Party party, std::function<bool()> told_to_stop,
                     std::unique_ptr<Rendezvous> rendezvous)
    : party_(std::move(party)),
      memory_(memory),
      told_to_stop_(std::move(told_to_stop)),
      rendezvous_(std::move(rendezvous)) {}

std::span<std::byte> AllReduce::Place(int index) const {
  const std::size_t place = 2 * static_cast<std::size_t>(index) + turn_ % 2;
  return memory_.subspan(ToPage(Rendezvous::SizeFor(party_.parties)) + place * kPlace, kPlace);
}

bool AllReduce::Sum(std::span<float> values, double& loss) {
  const auto own = Place(party_.index);
  std::memcpy(own.data(), &loss, sizeof loss);
  std::memcpy(ValuesOf(own), values.data(), values.size_bytes());
  const Rendezvous::Met met = rendezvous_->Meet();
  switch (met.how) {
    case Rendezvous::How::kAll:
      break;
    case Rendezvous::How::kToldToStop:
      return false;
    case Rendezvous::How::kLeft:
      // It may have been told to stop a moment before this one.
      if (told_to_stop_ && told_to_stop_()) return false;
      throw std::runtime_error(StrCat("worker ", party_.name, ".", met.who,
                                      ", with which this one trains one model, has ended; no step can be finished"));
    case Rendezvous::How::kDied:
      throw std::runtime_error(StrCat("worker ", party_.name, ".", met.who,
                                      ", with which this one trains one model, has died; no step can be finished"));
    case Rendezvous::How::kNeverCame:
      throw std::runtime_error(
          StrCat("worker ", party_.name, ".", met.who, ", with which this one trains one model, has not begun"));
  }
  const TrainKernels& kernels = BestTrainKernels();
  std::memcpy(values.data(), ValuesOf(Place(0)), values.size_bytes());
  std::memcpy(&loss, Place(0).data(), sizeof loss);
  for (int i = 1; i < party_.parties; ++i) {
    const auto place = Place(i);
    kernels.add(values.data(), ValuesOf(place), values.size());
    double other = 0;
    std::memcpy(&other, place.data(), sizeof other);
    loss += other;
  }
  ++turn_;
  return true;
}

}  // namespace corerig
