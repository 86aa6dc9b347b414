#include "harness/run/switch_watch.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/os/board.h"
#include "harness/plan/parts.h"
#include "harness/stream/slabs.h"

namespace corerig {
namespace {

constexpr std::size_t kSeconds = 2;
constexpr std::size_t kBytesPerRecord = 32;  // two per switch: in and out
// A sample brings the source and the loop to the CPU, once each; a core's tasks give way to the kernel's own, too.
constexpr std::size_t kRecordsPerSample = 4, kRecordsPerCore = 1000;

std::size_t BytesWanted(const Plan& plan) {
  return kSeconds * kBytesPerRecord *
         (kRecordsPerCore + kRecordsPerSample * static_cast<std::size_t>(FramesPerSecond(plan)));
}

}  // namespace

SwitchWatch::SwitchWatch(const Plan& plan, const std::string& no_trace) : plan_(plan) {
  if (no_trace.empty()) {
    absent_ = "the scheduling trace has more";
    return;
  }
  if (!plan.trace) {
    absent_ = no_trace;
    return;
  }
  if (plan.source) parts_.emplace_back(kSourcePart);
  for (auto& part : LoopParts(plan)) parts_.push_back(std::move(part));
  for (auto& part : WorkerParts(plan)) parts_.push_back(std::move(part));
  const std::size_t wanted = BytesWanted(plan);
  // The next power of two, which a ring has to be.
  auto records = SwitchRecords::Start(parts_, OnlineCpus(""), std::bit_ceil(wanted));
  if (!records) {
    absent_ = records.error().message;
    return;
  }
  records_ = std::move(*records);
  if (const std::size_t granted = records_->bytes_per_cpu(); granted < wanted) {
    too_small_ = StrCat("records of switches: rings of ", FormatSize(static_cast<double>(granted)),
                        " per core hold less than 2 s of the expected ", FormatSize(static_cast<double>(wanted)));
  }
}

void SwitchWatch::Follow(const std::vector<SupervisedChild>& children) {
  if (!records_) return;
  const auto followed = FollowAll(children);
  if (followed) return;
  absent_ = followed.error().message;
  records_.reset();
}

Status SwitchWatch::FollowAll(const std::vector<SupervisedChild>& children) {
  const auto part = [this](const std::string& name) {
    return static_cast<std::size_t>(std::find(parts_.begin(), parts_.end(), name) - parts_.begin());
  };
  for (const auto& child : children) {
    if (!child.running() || child.launched.role == Role::kGroup) continue;
    if (child.is_thread()) {
      if (child.tid() <= 0) continue;
      auto followed = records_->FollowThread(child.tid(), part(child.launched.name));
      if (!followed) return followed;
      continue;
    }
    if (child.launched.role != Role::kHandler) {
      auto followed = records_->FollowProcess(procfs_, child.launched.process->pid, part(child.launched.name));
      if (!followed) return followed;
      continue;
    }
    const HandlerSlabLayout layout(plan_);
    for (std::size_t i = 0; i < plan_.loops.size(); ++i) {
      const auto tid = static_cast<pid_t>(child.launched.slab.At<HandlerLoop>(layout.loops[i])->tid.Get());
      if (tid <= 0) continue;
      if (auto followed = records_->FollowThread(tid, part(LoopPart(plan_.loops[i].name))); !followed) return followed;
    }
  }
  return {};
}

void SwitchWatch::SetWindow(Nanos begin, Nanos end) {
  if (records_) records_->SetWindow(begin, end);
}

void SwitchWatch::Read() {
  if (records_) records_->Read();
}

void SwitchWatch::Stop() {
  if (records_) records_->Stop();
}

SwitchesRecord SwitchWatch::Record() const {
  if (!records_) return {.absent = absent_};
  SwitchesRecord record = records_->Stop();
  record.too_small = too_small_;
  return record;
}

}  // namespace corerig
