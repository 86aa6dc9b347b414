#include "harness/base/policy.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

Policy Fifo(int priority) { return {Policy::Class::kFifo, priority}; }

TEST(Policy, ReadsBackAsWritten) {
  EXPECT_EQ(ToText(Policy{}), "other");
  EXPECT_EQ(ToText(Fifo(80)), "fifo:80");
  for (const Policy& policy : {Policy{}, Fifo(1), Fifo(80), Fifo(99)}) {
    EXPECT_EQ(ParsePolicy(ToText(policy)), policy) << ToText(policy);
  }
}

TEST(Policy, FifoPrioritiesAre1To99) {
  EXPECT_EQ(ParsePolicy("fifo:1"), Fifo(1));
  EXPECT_EQ(ParsePolicy("fifo:99"), Fifo(99));
  EXPECT_FALSE(ParsePolicy("fifo:0"));
  EXPECT_FALSE(ParsePolicy("fifo:100"));
  EXPECT_FALSE(ParsePolicy("fifo:-1"));
}

TEST(Policy, NothingElseIsOne) {
  for (const char* text :
       {"", "fifo", "fifo:", "fifo:8x", "fifo: 80", "FIFO:80", "rr:10", "other:0", "fifo:99999999999"}) {
    EXPECT_FALSE(ParsePolicy(text)) << '"' << text << '"';
  }
}

}  // namespace
}  // namespace corerig
