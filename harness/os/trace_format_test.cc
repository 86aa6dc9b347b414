#include "harness/os/trace_format.h"

#include <gtest/gtest.h>

#include <cstring>

namespace corerig {
namespace {

// events/sched/sched_switch/format of several kernels; the print format, which is not read, is cut.
constexpr char kSwitch64[] = R"(name: sched_switch
ID: 316
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
	field:unsigned char common_preempt_count;	offset:3;	size:1;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:char prev_comm[16];	offset:8;	size:16;	signed:1;
	field:pid_t prev_pid;	offset:24;	size:4;	signed:1;
	field:int prev_prio;	offset:28;	size:4;	signed:1;
	field:long prev_state;	offset:32;	size:8;	signed:1;
	field:char next_comm[16];	offset:40;	size:16;	signed:1;
	field:pid_t next_pid;	offset:56;	size:4;	signed:1;
	field:int next_prio;	offset:60;	size:4;	signed:1;

print fmt: "prev_comm=%s prev_pid=%d", REC->prev_comm, REC->prev_pid
)";

// 32-bit Arm: a long has 4 bytes, and char is unsigned.
constexpr char kSwitchArm[] = R"(name: sched_switch
ID: 79
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
	field:unsigned char common_preempt_count;	offset:3;	size:1;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:char prev_comm[16];	offset:8;	size:16;	signed:0;
	field:pid_t prev_pid;	offset:24;	size:4;	signed:1;
	field:int prev_prio;	offset:28;	size:4;	signed:1;
	field:long prev_state;	offset:32;	size:4;	signed:1;
	field:char next_comm[16];	offset:36;	size:16;	signed:0;
	field:pid_t next_pid;	offset:52;	size:4;	signed:1;
	field:int next_prio;	offset:56;	size:4;	signed:1;

print fmt: "prev_comm=%s"
)";

// PREEMPT_RT kernels of 5.10 and before have one common field more, and everything else lies behind it.
constexpr char kSwitchRt[] = R"(name: sched_switch
ID: 298
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
	field:unsigned char common_preempt_count;	offset:3;	size:1;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;
	field:unsigned char common_preempt_lazy_count;	offset:8;	size:1;	signed:0;

	field:char prev_comm[16];	offset:12;	size:16;	signed:1;
	field:pid_t prev_pid;	offset:28;	size:4;	signed:1;
	field:int prev_prio;	offset:32;	size:4;	signed:1;
	field:long prev_state;	offset:40;	size:8;	signed:1;
	field:char next_comm[16];	offset:48;	size:16;	signed:1;
	field:pid_t next_pid;	offset:64;	size:4;	signed:1;
	field:int next_prio;	offset:68;	size:4;	signed:1;

print fmt: "prev_comm=%s"
)";

struct Expected {
  const char* kernel;
  const char* text;
  int id;
  std::size_t state_offset, state_size, next_pid_offset;
};

TEST(TraceFormat, TheFieldsOfASwitchLieWhereEachKernelSays) {
  for (const Expected& each :
       {Expected{"4.19, 5.10, 6.1, 6.18, 64 bit", kSwitch64, 316, 32, 8, 56},
        Expected{"32-bit Arm", kSwitchArm, 79, 32, 4, 52}, Expected{"4.19-rt, 5.10-rt", kSwitchRt, 298, 40, 8, 64}}) {
    const auto format = ParseTraceFormat(each.text);
    ASSERT_TRUE(format) << each.kernel << ": " << format.error().message;
    EXPECT_EQ(format->name, "sched_switch");
    EXPECT_EQ(format->id, each.id);
    const TraceField* const state = format->Find("prev_state");
    ASSERT_NE(state, nullptr) << each.kernel;
    EXPECT_EQ(state->offset, each.state_offset) << each.kernel;
    EXPECT_EQ(state->size, each.state_size) << each.kernel;
    EXPECT_TRUE(state->is_signed);
    const TraceField* const next = format->Find("next_pid");
    ASSERT_NE(next, nullptr) << each.kernel;
    EXPECT_EQ(next->offset, each.next_pid_offset) << each.kernel;
    const TraceField* const comm = format->Find("next_comm");
    ASSERT_NE(comm, nullptr) << "the name ends where its array begins";
    EXPECT_EQ(comm->size, 16u);
    const TraceField* const type = format->Find("common_type");
    ASSERT_NE(type, nullptr);
    EXPECT_EQ(type->size, 2u);
    EXPECT_EQ(format->Find("prev_comm[16]"), nullptr);
    EXPECT_EQ(format->Find("no_such_field"), nullptr);
  }
}

TEST(TraceFormat, TextElsewhereInTheEventHasItsNameAndTheSizeOfItsPlace) {
  const auto format = ParseTraceFormat(R"(name: sched_process_fork
ID: 366
format:
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:__data_loc char[] parent_comm;	offset:8;	size:4;	signed:0;
	field:pid_t parent_pid;	offset:12;	size:4;	signed:1;
	field:__data_loc char[] child_comm;	offset:16;	size:4;	signed:0;
	field:pid_t child_pid;	offset:20;	size:4;	signed:1;
)");
  ASSERT_TRUE(format) << format.error().message;
  for (const char* name : {"parent_comm", "child_comm"}) {
    const TraceField* const field = format->Find(name);
    ASSERT_NE(field, nullptr) << name;
    EXPECT_EQ(field->size, 4u);
  }
  ASSERT_NE(format->Find("child_pid"), nullptr);
  EXPECT_EQ(format->Find("child_pid")->offset, 20u);
}

TEST(TraceFormat, PointersEnumsAndArraysOfUnknownLengthHaveTheirNames) {
  const auto format = ParseTraceFormat(R"(name: print
ID: 5
format:
	field:unsigned long ip;	offset:8;	size:8;	signed:0;
	field:char buf[];	offset:16;	size:0;	signed:0;
	field:void * hrtimer;	offset:24;	size:8;	signed:0;
	field:void *function;	offset:32;	size:8;	signed:0;
	field:enum hrtimer_mode mode;	offset:40;	size:4;	signed:0;
)");
  ASSERT_TRUE(format) << format.error().message;
  for (const char* name : {"ip", "buf", "hrtimer", "function", "mode"}) EXPECT_NE(format->Find(name), nullptr) << name;
  EXPECT_EQ(format->Find("buf")->size, 0u);
}

TEST(TraceFormat, AHeaderPageHasFieldsAndNeitherNameNorId) {
  const auto format = ParseTraceFormat(
      "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
      "\tfield: local_t commit;\toffset:8;\tsize:4;\tsigned:1;\n"
      "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
      "\tfield: char data;\toffset:12;\tsize:4084;\tsigned:0;\n");
  ASSERT_TRUE(format) << format.error().message;
  EXPECT_EQ(format->name, "");
  ASSERT_NE(format->Find("commit"), nullptr);
  EXPECT_EQ(format->Find("commit")->size, 4u);
  ASSERT_NE(format->Find("data"), nullptr);
  EXPECT_EQ(format->Find("data")->offset, 12u);
}

TEST(TraceFormat, WhatIsNoFormatIsRefusedWithTheLine) {
  const std::string good = "\tfield:int pid;\toffset:8;\tsize:4;\tsigned:1;\n";
  const auto error = [](const std::string& text) {
    const auto format = ParseTraceFormat(text);
    return format ? std::string("(accepted)") : format.error().message;
  };
  EXPECT_EQ(error(good), "(accepted)");
  EXPECT_EQ(error(""), "event format: no fields in it");
  EXPECT_EQ(error("name: x\nID: 3\nformat:\n"), "event format: no fields in it");
  for (const std::string line : {
           "field:int pid;\toffset:8;\tsize:4;",                    // cut
           "field:int pid;\toffset:-8;\tsize:4;\tsigned:1;",        // before the event
           "field:int pid;\toffset:8;\tsize:99999999;\tsigned:1;",  // beyond any event
           "field:int pid;\toffset:99999999;\tsize:4;\tsigned:1;",  //
           "field:int pid;\toffset:8x;\tsize:4;\tsigned:1;",        //
           "field:int pid;\toffset:;\tsize:4;\tsigned:1;",          //
           "field:int pid;\tsize:4;\toffset:8;\tsigned:1;",         // another order
           "field:int pid;\toffset:8;\tsize:4;\tsigned:maybe;",     //
           "field:pid;\toffset:8;\tsize:4;\tsigned:1;",             // no type
           "field:;\toffset:8;\tsize:4;\tsigned:1;",                //
           "field:int ;\toffset:8;\tsize:4;\tsigned:1;",            // no name
           "field:int [4];\toffset:8;\tsize:4;\tsigned:1;",         //
       }) {
    EXPECT_EQ(error(good + "\t" + line + "\n"), "event format: cannot read \"" + line + "\"");
  }
  for (const std::string id : {"ID: x", "ID: -1", "ID: 65536", "ID: 4 4"}) {
    EXPECT_EQ(error(id + "\n" + good), "event format: \"" + id + "\" is no id of an event");
  }
}

TEST(TraceField, NumbersOfEverySizeAreReadWithTheirSign) {
  std::byte event[16];
  std::memset(event, 0xff, sizeof event);
  for (const std::size_t size : {1u, 2u, 4u, 8u}) {
    EXPECT_EQ((TraceField{.name = "x", .offset = 3, .size = size, .is_signed = true}.Number(event)), -1) << size;
  }
  EXPECT_EQ((TraceField{.name = "x", .offset = 3, .size = 1}.Number(event)), 0xff);
  EXPECT_EQ((TraceField{.name = "x", .offset = 3, .size = 2}.Number(event)), 0xffff);
  EXPECT_EQ((TraceField{.name = "x", .offset = 3, .size = 4}.Number(event)), 0xffffffffll);
  for (const std::size_t size : {0u, 3u, 16u}) {
    EXPECT_EQ((TraceField{.name = "x", .offset = 0, .size = size}.Number(event)), 0) << size;
  }
}

}  // namespace
}  // namespace corerig
