// Warnings: each has a fixed identity, a text of this run, and what to do about it.
#pragma once

#include <string>
#include <string_view>

namespace corerig {

enum class WarningId {
  kPolicyRefused,      // a real-time policy was asked for and not granted
  kMemoryNotLocked,    // mlockall refused
  kDmaLatencyNotHeld,  // /dev/cpu_dma_latency cannot be opened
  kSourceSharesCore,   // source and loop on one core: the sender's work is in the receiver's latency
  kStampsDiscarded,    // CLOCK_REALTIME moved: kernel receive stamps not used
  kSourceLate,         // frames sent more than one period late
  kTruthLost,          // the truth ring was too small
  kRigHeavy,           // the rig itself took more than 2 % of a core that it shares
  kGovernor,           // CPU frequency may change during the run
  kMemorySampled,      // a worker's memory limit is enforced by sampling, for want of a control group
  kPerfBuffers,        // the kernel grants too little memory for records of switches
  kSteal,              // the hypervisor took time away
  kNotTaken,           // an external receiver did not take all frames
  kOutputLost,         // a command's output could not be written to its file
  kChannelSubstitute,  // a stream's channel is not what its name says on this board
};

std::string_view ToText(WarningId id);     // "policy-refused"
std::string_view RemedyFor(WarningId id);  // "run as root, or set rtprio 99 in limits.conf"

struct Warning {
  WarningId id;
  std::string text;  // what, where
};

}  // namespace corerig
