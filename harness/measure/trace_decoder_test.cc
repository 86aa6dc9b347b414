#include "harness/measure/trace_decoder.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>

#include "harness/base/text.h"

namespace corerig {
namespace {

using Kind = TraceEvent::Kind;
using State = TraceEvent::State;

struct Field {
  std::string type, name;  // name as declared: "prev_comm[16]"
  std::size_t size;
  bool is_signed = true;
};

// A folder that looks like the tracefs of a kernel: one with longs of 8 bytes, or of 4, whose ids and fields lie
// elsewhere.
class FakeTracefs {
 public:
  explicit FakeTracefs(std::size_t long_size) : long_size_(long_size) {
    static int count = 0;
    folder_ = StrCat(getenv("TEST_TMPDIR"), "/tracefs.", ++count);
    const std::size_t data = long_size == 8 ? 16 : 12;
    Write("header_page",
          StrCat("\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n\tfield: local_t "
                 "commit;\toffset:8;\tsize:",
                 long_size, ";\tsigned:1;\n\tfield: char data;\toffset:", data, ";\tsize:4080;\tsigned:0;\n"));
    id_ = long_size == 8 ? 300 : 70;
    const Field comm = {"char", "comm[16]", 16}, pid = {"pid_t", "pid", 4}, prio = {"int", "prio", 4};
    Event("sched/sched_switch", {{"char", "prev_comm[16]", 16},
                                 {"pid_t", "prev_pid", 4},
                                 {"int", "prev_prio", 4},
                                 {"long", "prev_state", long_size},
                                 {"char", "next_comm[16]", 16},
                                 {"pid_t", "next_pid", 4},
                                 {"int", "next_prio", 4}});
    // Kernels before 5.13 have a field `success` in it.
    if (long_size == 8) {
      Event("sched/sched_waking", {comm, pid, prio, {"int", "target_cpu", 4}});
      Event("sched/sched_wakeup_new", {comm, pid, prio, {"int", "target_cpu", 4}});
    } else {
      Event("sched/sched_waking", {comm, pid, prio, {"int", "success", 4}, {"int", "target_cpu", 4}});
      Event("sched/sched_wakeup_new", {comm, pid, prio, {"int", "success", 4}, {"int", "target_cpu", 4}});
    }
    Event("sched/sched_migrate_task", {comm, pid, prio, {"int", "orig_cpu", 4}, {"int", "dest_cpu", 4}});
    Event("sched/sched_process_fork", {{"char", "parent_comm[16]", 16},
                                       {"pid_t", "parent_pid", 4},
                                       {"char", "child_comm[16]", 16},
                                       {"pid_t", "child_pid", 4}});
    Event("sched/sched_process_exec", {{"__data_loc char[]", "filename", 4, false}, pid, {"pid_t", "old_pid", 4}});
    Event("sched/sched_process_exit", {comm, pid, prio});
  }
  ~FakeTracefs() { std::filesystem::remove_all(folder_); }

  void Event(const std::string& path, const std::vector<Field>& fields) {
    TraceFormat format = {.name = path.substr(path.find('/') + 1), .id = ++id_, .fields = {}};
    std::string text = StrCat("name: ", format.name, "\nID: ", format.id, "\nformat:\n");
    std::size_t end = 0;
    const auto add = [&](const Field& field) {
      if (field.size > 0) end = (end + std::min<std::size_t>(field.size, 4) - 1) / 4 * 4;
      text += StrCat("\tfield:", field.type, " ", field.name, ";\toffset:", end, ";\tsize:", field.size,
                     ";\tsigned:", field.is_signed ? 1 : 0, ";\n");
      format.fields.push_back({.name = field.name.substr(0, field.name.find('[')),
                               .offset = end,
                               .size = field.size,
                               .is_signed = field.is_signed});
      end += field.size;
    };
    add({"unsigned short", "common_type", 2, false});
    add({"unsigned char", "common_flags", 2, false});
    add({"int", "common_pid", 4});
    // What PREEMPT_RT kernels of 5.10 and before put before all else.
    if (long_size_ == 4) add({"unsigned char", "common_preempt_lazy_count", 4, false});
    for (const Field& field : fields) add(field);
    Write(path + "/format", text);
    formats_[path] = format;
  }
  void Remove(const std::string& path) { std::filesystem::remove_all(folder_ + "/events/" + path); }
  void Write(const std::string& path, const std::string& text) {
    const auto file = std::filesystem::path(folder_) / "events" / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  // The bytes of an event in the context of `context`.
  std::vector<std::byte> Raw(const std::string& path, int context,
                             const std::vector<std::pair<std::string, std::int64_t>>& numbers,
                             const std::vector<std::pair<std::string, std::string>>& texts = {}) const {
    const TraceFormat& format = formats_.at(path);
    std::size_t size = 0;
    for (const auto& field : format.fields) size = std::max(size, field.offset + field.size);
    std::vector<std::byte> raw(size);
    const auto put = [&](const std::string& name, std::int64_t number) {
      const TraceField* const field = format.Find(name);
      if (field == nullptr) throw std::runtime_error(name);
      std::memcpy(raw.data() + field->offset, &number, field->size);  // little-endian, as the machines of the tests are
    };
    put("common_type", format.id);
    put("common_pid", context);
    for (const auto& [name, number] : numbers) put(name, number);
    for (const auto& [name, text] : texts) {
      const TraceField* const field = format.Find(name);
      if (field->size == 0) raw.resize(field->offset + text.size() + 3);
      std::memcpy(raw.data() + field->offset, text.data(), text.size());
    }
    return raw;
  }
  TraceFs Open() const { return std::move(*TraceFs::At(folder_)); }
  std::string folder() const { return folder_; }

 private:
  std::string folder_;
  std::size_t long_size_;
  int id_ = 0;
  std::map<std::string, TraceFormat> formats_;
};

class OfEitherKernel : public testing::TestWithParam<std::size_t> {
 protected:
  void Create() {
    auto decoder = TraceDecoder::Create(tracefs_.Open(), {"rig", "worker w.0"});
    ASSERT_TRUE(decoder) << decoder.error().message;
    decoder_.emplace(std::move(*decoder));
  }
  std::optional<TraceEvent> Decode(const std::vector<std::byte>& raw) {
    return decoder_->Decode(Nanos(5), 3, raw, names_);
  }
  std::vector<std::byte> Switch(int from, std::int64_t state, int to) const {
    return tracefs_.Raw("sched/sched_switch", from,
                        {{"prev_pid", from}, {"prev_state", state}, {"next_pid", to}, {"next_prio", 98}},
                        {{"prev_comm", StrCat("task ", from)}, {"next_comm", StrCat("task ", to)}});
  }

  FakeTracefs tracefs_{GetParam()};
  std::optional<TraceDecoder> decoder_;
  TraceNames names_;
};
INSTANTIATE_TEST_SUITE_P(TraceDecoder, OfEitherKernel, testing::Values(8, 4),
                         [](const auto& tested) { return StrCat("Long", tested.param); });

TEST_P(OfEitherKernel, ASwitchTellsBothTasksAndTheirNames) {
  Create();
  const auto event = Decode(Switch(11, 1, 12));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, Kind::kSwitch);
  EXPECT_EQ(event->at, Nanos(5));
  EXPECT_EQ(event->cpu, 3);
  EXPECT_EQ(event->tid, 12);
  EXPECT_EQ(event->other, 11);
  EXPECT_EQ(event->priority, 98);
  EXPECT_EQ(event->state, State::kSleeping);
  EXPECT_EQ(names_.Task(11), "task 11");
  EXPECT_EQ(names_.Task(12), "task 12");
  EXPECT_EQ(decoder_->ContextOf(Switch(11, 1, 12)), 11);
  // The idle task has a name of its own, whatever the kernel calls it.
  ASSERT_TRUE(Decode(Switch(12, 0, 0)));
  EXPECT_EQ(names_.Task(0), "idle");
}

TEST_P(OfEitherKernel, HowATaskLeavesIsReadFromTheReportedBits) {
  Create();
  for (const auto& [bits, state] : {std::pair(0x00, State::kPreempted),
                                    {0x100, State::kPreempted},  // R+
                                    {0x400, State::kPreempted},  // R+ of older kernels
                                    {0x01, State::kSleeping},
                                    {0x02, State::kUninterruptible},
                                    {0x82, State::kUninterruptible},  // an idle kernel thread
                                    {0x04, State::kStopped},
                                    {0x08, State::kStopped},
                                    {0x10, State::kDead},
                                    {0x20, State::kDead},
                                    {0x40, State::kOther}}) {
    EXPECT_EQ(Decode(Switch(11, bits, 12))->state, state) << bits;
  }
}

TEST_P(OfEitherKernel, AWakingTellsWhomAndByWhom) {
  Create();
  for (const auto& [path, kind] :
       {std::pair("sched/sched_waking", Kind::kWaking), std::pair("sched/sched_wakeup_new", Kind::kWakeupNew)}) {
    const auto event =
        Decode(tracefs_.Raw(path, 9, {{"pid", 12}, {"prio", 110}, {"target_cpu", 2}}, {{"comm", "sleeper"}}));
    ASSERT_TRUE(event) << path;
    EXPECT_EQ(event->kind, kind);
    EXPECT_EQ(event->tid, 12);
    EXPECT_EQ(event->other, 9);
    EXPECT_EQ(event->value, 2);
    EXPECT_EQ(event->priority, 110);
  }
  EXPECT_EQ(names_.Task(12), "sleeper") << "a new task's name is told when it is put into the run queue";
}

TEST_P(OfEitherKernel, ANewTaskUnderAKnownNumberIsToldAnewByItsNextSwitch) {
  Create();
  ASSERT_TRUE(Decode(Switch(11, 1, 12)));
  ASSERT_TRUE(Decode(tracefs_.Raw("sched/sched_wakeup_new", 9, {{"pid", 12}}, {{"comm", "newer"}})));
  EXPECT_EQ(names_.Task(12), "newer");
  ASSERT_TRUE(Decode(Switch(11, 1, 12)));
  EXPECT_EQ(names_.Task(12), "task 12");
  decoder_->Forget(12, names_);
  EXPECT_EQ(names_.Task(12), "");
  ASSERT_TRUE(Decode(Switch(11, 1, 12)));
  EXPECT_EQ(names_.Task(12), "task 12") << "told again after it was forgotten";
}

TEST_P(OfEitherKernel, ATaskThatIsRenamedIsToldByItsNextSwitch) {
  Create();
  ASSERT_TRUE(Decode(Switch(7, 1, 8)));
  EXPECT_EQ(names_.Task(8), "task 8");
  const auto renamed = [&](const std::string& name) {
    return tracefs_.Raw("sched/sched_switch", 8,
                        {{"prev_pid", 8}, {"prev_state", 1}, {"next_pid", 7}, {"next_prio", 98}},
                        {{"prev_comm", name}, {"next_comm", "task 7"}});
  };
  ASSERT_TRUE(Decode(renamed("another")));
  EXPECT_EQ(names_.Task(8), "another");
  // A name that fills its field has no end of its own.
  ASSERT_TRUE(Decode(renamed("sixteen letters!")));
  EXPECT_EQ(names_.Task(8), "sixteen letters");
  // Once forgotten, a task is told anew under the same name.
  decoder_->Forget(8, names_);
  EXPECT_EQ(names_.Task(8), "");
  ASSERT_TRUE(Decode(renamed("sixteen letters!")));
  EXPECT_EQ(names_.Task(8), "sixteen letters");
}

TEST_P(OfEitherKernel, TheOtherSchedulerEventsTellTheirTasks) {
  Create();
  const auto migrate = Decode(
      tracefs_.Raw("sched/sched_migrate_task", 9, {{"pid", 12}, {"prio", 100}, {"orig_cpu", 5}, {"dest_cpu", 7}}));
  ASSERT_TRUE(migrate);
  EXPECT_EQ(migrate->kind, Kind::kMigrate);
  EXPECT_EQ(migrate->value >> 32, 5);
  EXPECT_EQ(migrate->value & 0xffffffff, 7);
  const auto fork = Decode(tracefs_.Raw("sched/sched_process_fork", 9, {{"parent_pid", 9}, {"child_pid", 13}}));
  ASSERT_TRUE(fork);
  EXPECT_EQ(fork->kind, Kind::kFork);
  EXPECT_EQ(fork->tid, 13);
  EXPECT_EQ(fork->other, 9);
  const auto exec = Decode(tracefs_.Raw("sched/sched_process_exec", 13, {{"pid", 13}, {"old_pid", 13}}));
  ASSERT_TRUE(exec);
  EXPECT_EQ(exec->kind, Kind::kExec);
  EXPECT_EQ(exec->tid, 13);
  const auto exit = Decode(tracefs_.Raw("sched/sched_process_exit", 13, {{"pid", 13}}));
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->kind, Kind::kExit);
  EXPECT_EQ(exit->tid, 13);
}

TEST_P(OfEitherKernel, InterruptsIdleStatesFrequencyAndFaultsAreKnownWhereTheKernelHasThem) {
  tracefs_.Event("irq/irq_handler_entry", {{"int", "irq", 4}});
  tracefs_.Event("irq/irq_handler_exit", {{"int", "irq", 4}, {"int", "ret", 4}});
  tracefs_.Event("irq/softirq_entry", {{"unsigned int", "vec", 4, false}});
  tracefs_.Event("irq/softirq_exit", {{"unsigned int", "vec", 4, false}});
  tracefs_.Event("power/cpu_idle", {{"u32", "state", 4, false}, {"u32", "cpu_id", 4, false}});
  tracefs_.Event("power/cpu_frequency", {{"u32", "state", 4, false}, {"u32", "cpu_id", 4, false}});
  tracefs_.Event("exceptions/page_fault_user", {{"unsigned long", "address", GetParam(), false}});
  // A pair, and one of which the exit is missing.
  tracefs_.Event("irq_vectors/local_timer_entry", {{"int", "vector", 4}});
  tracefs_.Event("irq_vectors/local_timer_exit", {{"int", "vector", 4}});
  tracefs_.Event("irq_vectors/lonely_entry", {{"int", "vector", 4}});
  Create();
  const auto number = [&](const char* path, const char* field, std::int64_t value) {
    const auto event = Decode(tracefs_.Raw(path, 9, {{field, value}}));
    EXPECT_TRUE(event) << path;
    return event.value_or(TraceEvent{});
  };
  EXPECT_EQ(number("irq/irq_handler_entry", "irq", 24).kind, Kind::kIrqEntry);
  EXPECT_EQ(number("irq/irq_handler_entry", "irq", 24).value, 24);
  EXPECT_EQ(number("irq/irq_handler_entry", "irq", 24).tid, 9) << "whom it interrupts";
  EXPECT_EQ(number("irq/irq_handler_exit", "irq", 24).kind, Kind::kIrqExit);
  EXPECT_EQ(number("irq/softirq_entry", "vec", 1).kind, Kind::kSoftirqEntry);
  EXPECT_EQ(number("irq/softirq_exit", "vec", 1).kind, Kind::kSoftirqExit);
  EXPECT_EQ(number("power/cpu_idle", "state", 2).kind, Kind::kIdleEnter);
  EXPECT_EQ(number("power/cpu_idle", "state", 2).value, 2);
  EXPECT_EQ(number("power/cpu_idle", "state", 0xffffffff).kind, Kind::kIdleExit);
  EXPECT_EQ(number("power/cpu_frequency", "state", 1'800'000).value, 1'800'000);
  EXPECT_EQ(number("exceptions/page_fault_user", "address", 4096).kind, Kind::kPageFault);
  EXPECT_EQ(number("irq_vectors/local_timer_entry", "vector", 236).kind, Kind::kVectorEntry);
  EXPECT_EQ(number("irq_vectors/local_timer_exit", "vector", 236).kind, Kind::kVectorExit);
  EXPECT_EQ(number("irq_vectors/local_timer_exit", "vector", 236).value, 0) << "its name's index";
  EXPECT_EQ(decoder_->vectors(), std::vector<std::string>{"local_timer"});
  EXPECT_FALSE(Decode(tracefs_.Raw("irq_vectors/lonely_entry", 9, {{"vector", 1}})));
}

TEST_P(OfEitherKernel, ATimerIsToldWhenItFiresWithTheTimeItWasSetTo) {
  const Field timer = {"void *", "hrtimer", GetParam(), false};
  tracefs_.Event("timer/hrtimer_start", {timer, {"s64", "expires", 8}, {"s64", "softexpires", 8}});
  tracefs_.Event("timer/hrtimer_expire_entry", {timer, {"s64", "now", 8}});
  Create();
  const auto start = [&](std::int64_t address, std::int64_t expires) {
    EXPECT_FALSE(Decode(tracefs_.Raw("timer/hrtimer_start", 9, {{"hrtimer", address}, {"softexpires", expires}})));
  };
  const auto fire = [&](std::int64_t address) {
    const auto event = Decode(tracefs_.Raw("timer/hrtimer_expire_entry", 9, {{"hrtimer", address}}));
    EXPECT_TRUE(event && event->kind == Kind::kTimerExpire);
    return event ? event->value : -1;
  };
  start(0x1000, 700);
  start(0x2040, 800);
  EXPECT_EQ(fire(0x2040), 800);
  EXPECT_EQ(fire(0x1000), 700);
  EXPECT_EQ(fire(0x1000), 0) << "fired before; its new start was not seen";
  start(0x1000, 900);
  start(0x1000, 950);
  EXPECT_EQ(fire(0x1000), 950) << "set anew";
  EXPECT_EQ(fire(0x7700), 0) << "never started";
  // More timers than are kept: a wrong time is never told.
  for (std::int64_t i = 1; i <= 5000; ++i) start(i * 64, i);
  int known = 0;
  for (std::int64_t i = 1; i <= 5000; ++i) {
    const std::int64_t value = fire(i * 64);
    EXPECT_TRUE(value == 0 || value == i) << i;
    known += value == i ? 1 : 0;
  }
  EXPECT_GT(known, 500);
}

TEST_P(OfEitherKernel, AMarkerTellsThePartOfTheTaskThatWroteIt) {
  tracefs_.Event("ftrace/print", {{"unsigned long", "ip", GetParam(), false}, {"char", "buf[]", 0}});
  Create();
  const auto mark = [&](const std::string& text) {
    return Decode(tracefs_.Raw("ftrace/print", 44, {}, {{"buf", text}}));
  };
  const auto event = mark("corerig:worker w.0\n");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, Kind::kPart);
  EXPECT_EQ(event->tid, 44);
  EXPECT_EQ(event->value, 1);
  EXPECT_EQ(mark("corerig:rig")->value, 0);
  EXPECT_FALSE(mark("corerig:worker w.1\n")) << "no part of this run";
  EXPECT_FALSE(mark("corerig:"));
  EXPECT_FALSE(mark("somebody else's\n"));
  EXPECT_FALSE(mark(""));
}

TEST_P(OfEitherKernel, WhatIsUnknownOrTooShortIsNoEvent) {
  Create();
  const auto good = Switch(11, 1, 12);
  for (std::size_t size = 0; size < good.size(); ++size) {
    const std::vector<std::byte> cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(Decode(cut)) << size;
    (void)decoder_->ContextOf(cut);
  }
  EXPECT_EQ(decoder_->ContextOf({}), -1);
  EXPECT_TRUE(Decode(good));
  for (const std::uint16_t id : {0, 1, 299, 0xffff}) {
    auto other = good;
    std::memcpy(other.data(), &id, sizeof id);
    EXPECT_FALSE(Decode(other)) << id;
  }
}

TEST_P(OfEitherKernel, WithoutTheSchedulersEventsThereIsNoDecoderAndItSaysWhy) {
  const auto error = [&] {
    const auto decoder = TraceDecoder::Create(tracefs_.Open(), {"rig"});
    return decoder ? std::string("(created)") : decoder.error().message;
  };
  EXPECT_EQ(error(), "(created)");
  tracefs_.Event("sched/sched_migrate_task", {{"pid_t", "pid", 4}, {"int", "prio", 4}, {"int", "dest_cpu", 4}});
  EXPECT_EQ(error(), "event sched/sched_migrate_task has no field orig_cpu on this kernel");
  tracefs_.Remove("sched/sched_migrate_task");
  EXPECT_NE(error().find("events/sched/sched_migrate_task/format"), std::string::npos) << error();
  tracefs_.Write("header_page", "nonsense\n");
  EXPECT_EQ(error(), "events/header_page: event format: no fields in it");
  tracefs_.Write("header_page", "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n");
  EXPECT_NE(error().find("unknown layout"), std::string::npos) << error();
}

TEST_P(OfEitherKernel, EventsOfOtherFieldsThanItsOwnAreTracedButForWhatItNeeds) {
  // An optional event that has changed is left out, and so is its neighbour's name in the list.
  tracefs_.Event("irq/softirq_entry", {{"unsigned int", "number", 4, false}});
  tracefs_.Event("irq/softirq_exit", {{"unsigned int", "vec", 4, false}});
  Create();
  const auto& events = decoder_->events();
  EXPECT_EQ(std::count(events.begin(), events.end(), "irq/softirq_entry"), 0);
  EXPECT_EQ(std::count(events.begin(), events.end(), "sched/sched_switch"), 1);
}

}  // namespace
}  // namespace corerig
