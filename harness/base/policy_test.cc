#include "harness/base/policy.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

Policy Fifo(int priority) { return {Policy::Class::kFifo, priority}; }
Policy Nice(Policy::Class scheduling_class, int nice) { return {scheduling_class, 0, nice}; }

TEST(Policy, ReadsBackAsWritten) {
  EXPECT_EQ(ToText(Policy{}), "other");
  EXPECT_EQ(ToText(Fifo(80)), "fifo:80");
  EXPECT_EQ(ToText(Nice(Policy::Class::kOther, -5)), "other:-5");
  EXPECT_EQ(ToText(Nice(Policy::Class::kBatch, 0)), "batch");
  for (const Policy& policy :
       {Policy{}, Fifo(1), Fifo(80), Fifo(99), Nice(Policy::Class::kOther, 19), Nice(Policy::Class::kOther, -20),
        Nice(Policy::Class::kBatch, 3), Nice(Policy::Class::kBatch, 0), Nice(Policy::Class::kIdle, 0)}) {
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
  for (const char* text : {"", "fifo", "fifo:", "fifo:8x", "fifo: 80", "FIFO:80", "rr:10", "other:0", "other:20",
                           "batch:-21", "idle:1", "idle:", "fifo:99999999999"}) {
    EXPECT_FALSE(ParsePolicy(text)) << '"' << text << '"';
  }
}

}  // namespace
}  // namespace corerig
