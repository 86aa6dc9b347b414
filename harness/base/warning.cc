#include "harness/base/warning.h"

namespace corerig {

std::string_view ToText(WarningId id) {
  switch (id) {
    case WarningId::kPolicyRefused:
      return "policy-refused";
    case WarningId::kMemoryNotLocked:
      return "memory-not-locked";
    case WarningId::kDmaLatencyNotHeld:
      return "dma-latency-not-held";
    case WarningId::kSourceSharesCore:
      return "source-shares-core";
    case WarningId::kStampsDiscarded:
      return "stamps-discarded";
    case WarningId::kSourceLate:
      return "source-late";
    case WarningId::kTruthLost:
      return "truth-lost";
    case WarningId::kRigHeavy:
      return "rig-heavy";
    case WarningId::kGovernor:
      return "governor";
    case WarningId::kMemorySampled:
      return "memory-sampled";
    case WarningId::kPerfBuffers:
      return "perf-buffers";
    case WarningId::kSteal:
      return "steal";
    case WarningId::kNotTaken:
      return "not-taken";
    case WarningId::kOutputLost:
      return "output-lost";
    case WarningId::kChannelSubstitute:
      return "channel-substitute";
  }
  return {};
}

std::string_view RemedyFor(WarningId id) {
  switch (id) {
    case WarningId::kPolicyRefused:
      return "run as root, or add \"YOUR-USER - rtprio 99\" to /etc/security/limits.conf and log in again";
    case WarningId::kMemoryNotLocked:
      return "run as root, or add \"YOUR-USER - memlock unlimited\" to /etc/security/limits.conf and log in again";
    case WarningId::kDmaLatencyNotHeld:
      return "run as root, or first: sudo setfacl -m u:$USER:rw /dev/cpu_dma_latency";
    case WarningId::kSourceSharesCore:
      return "set cores in [source] to a core that no [loop] has";
    case WarningId::kStampsDiscarded:
      return "keep the clock from being stepped while the run goes on: sudo timedatectl set-ntp false";
    case WarningId::kSourceLate:
      return "set cores in [source] to a core of its own and its policy to \"fifo:90\"; where they are so, keep other "
             "load off that core or lower the stream's rate";
    case WarningId::kTruthLost:
      return "set the loop's policy to \"fifo:80\" on a core without workers, or lower the stream's rate";
    case WarningId::kRigHeavy:
      return "set cores so that one is left to the rig that no worker, loop or source has, or set trace = false";
    case WarningId::kGovernor:
      return "first: echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor";
    case WarningId::kMemorySampled:
      return "run as root, or: systemd-run --user --scope -p Delegate=yes corerig run ...; the kernel needs "
             "CONFIG_MEMCG "
             "(on a Raspberry Pi: cgroup_enable=memory in cmdline.txt)";
    case WarningId::kPerfBuffers:
      return "first: sudo sysctl kernel.perf_event_mlock_kb=8192";
    case WarningId::kSteal:
      return "run on bare metal, or pin the virtual CPUs to cores of their own, on the host: virsh vcpupin DOMAIN VCPU "
             "CORE";
    case WarningId::kNotTaken:
      return "set a warmup that is longer than the receiving program takes to open its end; where it has it open, it "
             "must "
             "read as fast as the stream sends";
    case WarningId::kOutputLost:
      return "run it with --out in a folder of a file system that has room";
    case WarningId::kChannelSubstitute:
      return "first: sudo modprobe vcan && sudo ip link add dev vcan0 type vcan && sudo ip link set vcan0 up; the "
             "kernel needs "
             "CONFIG_CAN_RAW and CONFIG_CAN_VCAN";
  }
  return {};
}

}  // namespace corerig
