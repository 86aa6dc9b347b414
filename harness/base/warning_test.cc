#include "harness/base/warning.h"

#include <gtest/gtest.h>

#include <set>

namespace corerig {
namespace {

constexpr WarningId kAll[] = {WarningId::kPolicyRefused,     WarningId::kMemoryNotLocked,
                              WarningId::kDmaLatencyNotHeld, WarningId::kSourceSharesCore,
                              WarningId::kStampsDiscarded,   WarningId::kSourceLate,
                              WarningId::kTruthLost,         WarningId::kRigHeavy,
                              WarningId::kGovernor,          WarningId::kSteal,
                              WarningId::kMemorySampled,     WarningId::kPerfBuffers,
                              WarningId::kNotTaken,          WarningId::kOutputLost,
                              WarningId::kChannelSubstitute};

TEST(Warning, EachHasAnIdentityOfItsOwn) {
  std::set<std::string_view> identities;
  for (const WarningId id : kAll) {
    const std::string_view text = ToText(id);
    EXPECT_FALSE(text.empty()) << static_cast<int>(id);
    EXPECT_EQ(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos) << text;
    EXPECT_TRUE(identities.insert(text).second) << text << " twice";
  }
  EXPECT_EQ(ToText(WarningId::kPolicyRefused), "policy-refused");
}

// A remedy begins with what to do and is part of a line: "warning: TEXT; REMEDY".
TEST(Warning, EachHasARemedyThatSaysWhatToRunOrSet) {
  std::set<std::string_view> remedies;
  for (const WarningId id : kAll) {
    const std::string_view remedy = RemedyFor(id);
    EXPECT_TRUE(remedy.starts_with("run ") || remedy.starts_with("set ") || remedy.find(": sudo ") != remedy.npos ||
                remedy.find("| sudo ") != remedy.npos)
        << ToText(id) << ": " << remedy;
    EXPECT_FALSE(remedy.ends_with('.')) << remedy;
    EXPECT_TRUE(remedies.insert(remedy).second) << ToText(id) << " has the remedy of another";
  }
}

}  // namespace
}  // namespace corerig
