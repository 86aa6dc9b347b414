#include "harness/run/address_space.h"

#include <cstdint>

#include "harness/base/quantity.h"

// The first byte of this program and the one past its last, from the linker (ld(1), default script).
extern "C" const char __executable_start, _end;

namespace corerig {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kStackHeapAndSlab = kMiB;  // and the kernel's pages

}  // namespace

Bytes LeastAddressSpace() {
  const auto program = static_cast<std::uint64_t>(&_end - &__executable_start);
  return Bytes{(program + kStackHeapAndSlab + kMiB - 1) / kMiB * kMiB};
}

Status CheckAddressSpaces(const Plan& plan, Bytes least) {
  for (const auto& group : plan.workers) {
    if (!group.memory || !group.memory_counts_address_space || group.memory->count >= least.count) continue;
    return Fail("worker ", group.name, ": memory = \"", ToText(*group.memory),
                "\" is an address space that does not hold this program; write at least \"", ToText(least), "\"");
  }
  return {};
}

}  // namespace corerig
