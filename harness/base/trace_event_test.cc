#include "harness/base/trace_event.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

TEST(TraceNames, AFullNameOfFifteenBytesIsNotReadBeyond) {
  TraceNames names;
  names.SetTask(7, {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o'});
  EXPECT_EQ(names.Task(7), "abcdefghijklmno");
  names.SetTask(7, {'x'});
  EXPECT_EQ(names.Task(7), "x");
  names.ForgetTask(7);
  EXPECT_EQ(names.Task(7), "");
  EXPECT_EQ(names.Task(0), "idle");
}

TEST(TraceNames, WhatAPartForksIsOfThatPart) {
  TraceNames names;
  names.AddPart("rig");
  names.AddPart("worker price.0");
  names.SetPart(10, 1);
  EXPECT_EQ(names.FirstOf("worker price.0"), 10);
  EXPECT_EQ(names.FirstOf("rig"), -1);
  names.InheritPart(11, 10);
  names.InheritPart(12, 99);
  EXPECT_EQ(names.Part(11), "worker price.0");
  EXPECT_EQ(names.Part(12), "");
  EXPECT_EQ(names.PartNumber(12), -1);
  names.InheritPart(11, 99);  // the number, given anew
  EXPECT_EQ(names.Part(11), "");
  names.ForgetTask(10);
  EXPECT_EQ(names.Part(10), "");
}

TEST(TraceNames, InterruptsHaveTheirKernelNamesAndUnknownOnesTheirNumber) {
  TraceNames names;
  names.AddVector("local_timer");
  names.SetIrq(24, "virtio0");
  const auto name = [&](TraceEvent::Kind kind, std::int64_t value) {
    return names.Interrupt({.value = value, .kind = kind});
  };
  EXPECT_EQ(name(TraceEvent::Kind::kVectorEntry, 0), "local_timer");
  EXPECT_EQ(name(TraceEvent::Kind::kVectorExit, 9), "vector 9");
  EXPECT_EQ(name(TraceEvent::Kind::kIrqEntry, 24), "irq 24 virtio0");
  EXPECT_EQ(name(TraceEvent::Kind::kIrqEntry, 25), "irq 25");
  EXPECT_EQ(name(TraceEvent::Kind::kSoftirqEntry, 1), "softirq TIMER");
  EXPECT_EQ(name(TraceEvent::Kind::kSoftirqEntry, -1), "softirq -1");
  EXPECT_EQ(name(TraceEvent::Kind::kSwitch, 1), "");
}

TEST(TraceNames, TheFirstOfAPartIsWhoSaidSoFirst) {
  TraceNames names;
  names.AddPart("rig");
  names.AddPart("source");
  EXPECT_EQ(names.FirstOf("source"), -1);
  names.SetPart(8, 1);
  names.SetPart(5, 1);
  names.InheritPart(4, 8);
  EXPECT_EQ(names.FirstOf("source"), 8);
  EXPECT_EQ(names.FirstOf("rig"), -1);
  EXPECT_EQ(names.FirstOf("wings"), -1);
}

}  // namespace
}  // namespace corerig
