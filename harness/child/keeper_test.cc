#include "harness/child/keeper.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <set>

#include "harness/os/clock.h"
#include "harness/os/process.h"
#include "harness/os/scheduling.h"

namespace corerig {
namespace {

using namespace std::chrono_literals;

// Far longer than anything here takes on a loaded machine; only a failure waits so long.
constexpr int kDeadlineMs = 20'000;

const std::string& Program() {
  static const std::string path = "harness/child/child_verbs";
  return path;
}

CpuId SomeCore() { return AllowedCores().front(); }

// What children tell through their descriptor 3. The end comes when nobody holds the other side any more.
class Ear {
 public:
  Ear() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    ear_ = Fd(ends[0]);
    mouth_ = Fd(ends[1]);
  }

  int mouth() const { return mouth_.get(); }
  // Ours; the children's stay.
  void CloseMouth() { mouth_.Close(); }

  // The next line; nothing at the end, or (a failure) when none comes.
  std::optional<std::string> Line() {
    for (;;) {
      if (const auto end = text_.find('\n'); end != std::string::npos) {
        std::string line = text_.substr(0, end);
        text_.erase(0, end + 1);
        return line;
      }
      pollfd entry = {.fd = ear_.get(), .events = POLLIN, .revents = 0};
      if (poll(&entry, 1, kDeadlineMs) <= 0) {
        ADD_FAILURE() << "neither a line nor the end came; some process still lives and holds the pipe";
        return std::nullopt;
      }
      char buffer[4096];
      const ssize_t n = read(ear_.get(), buffer, sizeof buffer);
      if (n <= 0) return std::nullopt;
      text_.append(buffer, static_cast<std::size_t>(n));
    }
  }

  // All lines up to the end.
  std::vector<std::string> Rest() {
    std::vector<std::string> lines;
    while (auto line = Line()) lines.push_back(std::move(*line));
    return lines;
  }

  // Lines until each of `expected` was heard.
  void Expect(std::multiset<std::string> expected) {
    while (!expected.empty()) {
      const auto line = Line();
      ASSERT_TRUE(line) << "the end came before \"" << *expected.begin() << '"';
      const auto found = expected.find(*line);
      ASSERT_NE(found, expected.end()) << "unexpected line \"" << *line << '"';
      expected.erase(found);
    }
  }

 private:
  Fd ear_, mouth_;
  std::string text_;
};

int OpenDescriptors(pid_t pid) {
  const std::string path = StrCat("/proc/", pid, "/fd");
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  EXPECT_TRUE(directory) << path;
  int count = 0;
  while (directory && readdir(directory.get()) != nullptr) ++count;
  return count;
}

// Waits until no process of this pid is left, not even a zombie.
bool Disappears(pid_t pid) {
  for (const Nanos deadline = MonotonicNow() + std::chrono::milliseconds(kDeadlineMs); MonotonicNow() < deadline;) {
    if (kill(pid, 0) != 0 && errno == ESRCH) return true;
    SleepUntil(MonotonicNow() + 1ms);
  }
  return false;
}

class KeeperTest : public testing::Test {
 protected:
  void SetUp() override {
    auto keeper = Keeper::Start(Program(), SomeCore());
    ASSERT_TRUE(keeper) << keeper.error().message;
    keeper_.emplace(std::move(*keeper));
  }

  SpawnRequest Request(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), Program());
    return {.argv = std::move(arguments), .fds = {{ear_.mouth(), 3}}, .cores = {SomeCore()}, .policy = {}};
  }

  ChildProcess Spawn(const SpawnRequest& request) {
    auto child = keeper_->Spawn(request);
    EXPECT_TRUE(child) << child.error().message;
    return child ? std::move(*child) : ChildProcess{};
  }
  ChildProcess Spawn(const std::string& verb) { return Spawn(Request({verb})); }

  EndRecord Reap(const ChildProcess& child) {
    auto end = keeper_->Reap(child);
    EXPECT_TRUE(end) << end.error().message;
    return end.value_or(EndRecord{});
  }

  void ExpectExit(const EndRecord& end, int status) {
    EXPECT_EQ(end.kind, EndRecord::Kind::kExited) << end.detail;
    EXPECT_EQ(end.number, status);
  }
  void ExpectSignal(const EndRecord& end, int signal, const std::string& name) {
    EXPECT_EQ(end.kind, EndRecord::Kind::kSignalled) << "number " << end.number;
    EXPECT_EQ(end.number, signal);
    EXPECT_EQ(end.detail, name);
  }

  std::optional<Keeper> keeper_;
  Ear ear_;
};

TEST_F(KeeperTest, TellsHowAChildEnded) {
  ExpectExit(Reap(Spawn("success")), 0);
  ExpectExit(Reap(Spawn("ret42")), 42);
  ExpectSignal(Reap(Spawn("abort")), SIGABRT, "SIGABRT");
  ExpectSignal(Reap(Spawn("segv")), SIGSEGV, "SIGSEGV");
}

TEST_F(KeeperTest, SignalsReachAChildAndShowInItsEnd) {
  struct Case {
    std::string verb, line;
    int signal;
    std::string name;
  };
  for (const auto& [verb, line, signal, name] :
       {Case{"hang", "hanging", SIGTERM, "SIGTERM"}, Case{"spin", "spinning", SIGINT, "SIGINT"},
        Case{"hang-ignoring-sigterm", "hanging", SIGKILL, "SIGKILL"}, Case{"stop", "stopping", SIGKILL, "SIGKILL"}}) {
    const ChildProcess child = Spawn(verb);
    ear_.Expect({line});
    if (verb == "hang-ignoring-sigterm") {
      EXPECT_TRUE(Keeper::Kill(child, SIGTERM));
    }
    const auto killed = Keeper::Kill(child, signal);
    ASSERT_TRUE(killed) << killed.error().message;
    ExpectSignal(Reap(child), signal, name);
  }
}

TEST_F(KeeperTest, AStoppedChildGoesOnAndEnds) {
  const ChildProcess child = Spawn("stop");
  // Its state says that it has stopped; SIGCONT before that would be lost.
  for (;;) {
    const auto stat = ReadFile(StrCat("/proc/", child.pid, "/stat"));
    ASSERT_TRUE(stat) << stat.error().message;
    if (stat->find(") T ") != std::string::npos) break;
    SleepUntil(MonotonicNow() + 1ms);
  }
  ASSERT_TRUE(Keeper::Kill(child, SIGCONT));
  ExpectExit(Reap(child), 0);
}

TEST_F(KeeperTest, AnEndedChildIsAZombieUntilItIsReaped) {
  const ChildProcess child = Spawn("ret42");
  pollfd ended = {.fd = child.pidfd.get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&ended, 1, kDeadlineMs), 1);
  const auto start_time = StartTimeOf(child.pid);
  ASSERT_TRUE(start_time) << "the zombie is gone: " << start_time.error().message;
  EXPECT_EQ(*start_time, child.start_time);
  ExpectExit(Reap(child), 42);
  EXPECT_TRUE(Disappears(child.pid));
  const auto again = keeper_->Reap(child);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, StrCat("process ", child.pid, " is no child of the keeper"));
}

TEST_F(KeeperTest, AChildHasItsCoreAndLimitsAndOnlyTheDescriptorsGiven) {
  const CpuId core = AllowedCores().back();
  Ear other;
  SpawnRequest request = Request({"report"});
  request.cores = {core};
  // Numbers that collide: each of ours is another's number in the child, and 5 stays free.
  const Fd low(fcntl(other.mouth(), F_DUPFD, 3));
  request.fds = {{ear_.mouth(), 3}, {other.mouth(), 6}, {low.get(), 4}};
  ExpectExit(Reap(Spawn(request)), 0);
  ear_.CloseMouth();
  std::vector<std::string> lines = ear_.Rest();
  ASSERT_EQ(lines.size(), 10u);
  EXPECT_EQ(lines[0], "fds 0 1 2 3 4 6");
  EXPECT_EQ(lines[1], StrCat("cores ", core.value));
  EXPECT_EQ(lines[2], "policy other:0");
  EXPECT_EQ(lines[3], "rttime 3000000 3500000");
  EXPECT_EQ(lines[4], "core 0");
  EXPECT_EQ(lines[5], "death SIGKILL");
  EXPECT_EQ(lines[6], "stdin /dev/null");
  EXPECT_EQ(lines[7], "stdout is stderr true");
  EXPECT_EQ(lines[8], "SigBlk:\t0000000000000000");
  EXPECT_EQ(lines[9], "SigIgn:\t0000000000000000");
}

TEST_F(KeeperTest, AChildMayFloatOverSeveralCoresAndBeNice) {
  SpawnRequest request = Request({"report"});
  request.cores = AllowedCores();
  request.policy = {Policy::Class::kBatch, 0, 7};
  ExpectExit(Reap(Spawn(request)), 0);
  ear_.CloseMouth();
  const std::vector<std::string> lines = ear_.Rest();
  std::string cores = "cores";
  for (const CpuId core : AllowedCores()) cores += StrCat(" ", core.value);
  EXPECT_EQ(lines.at(1), cores);
  EXPECT_EQ(lines.at(2), "policy batch:7");
}

TEST_F(KeeperTest, AFailedStartNamesTheStepAndTheCause) {
  SpawnRequest request = Request({"success"});
  request.argv[0] = "./no-such-program";
  EXPECT_EQ(keeper_->Spawn(request).error().message, "exec ./no-such-program: No such file or directory (ENOENT)");

  request = Request({"success"});
  request.argv[0] = "/";
  EXPECT_EQ(keeper_->Spawn(request).error().message, "exec /: Permission denied (EACCES)");

  request = Request({"success"});
  request.cores = {CpuId{100'000}};
  EXPECT_EQ(keeper_->Spawn(request).error().message, "affinity to core 100000: Invalid argument (EINVAL)");
  request.cores = {CpuId{-1}};
  EXPECT_EQ(keeper_->Spawn(request).error().message, "affinity to core -1: no number of a core");

  request = Request({"success"});
  request.fds = {{ear_.mouth(), 1}};
  EXPECT_EQ(keeper_->Spawn(request).error().message, "descriptor 1: a number from 3 to 1023 was expected");
  request.fds = {{-1, 3}};
  EXPECT_EQ(keeper_->Spawn(request).error().message, "keeper: cannot send a message: Bad file descriptor (EBADF)");
  request.argv.clear();
  request.fds.clear();
  EXPECT_EQ(keeper_->Spawn(request).error().message, "spawn: no program is named");

  // It is none the worse for it.
  ExpectExit(Reap(Spawn("ret42")), 42);
}

TEST_F(KeeperTest, DestroyedLeavesNothing) {
  const pid_t keeper = keeper_->pid();
  std::vector<ChildProcess> children;
  for (const char* verb : {"hang", "hang-ignoring-sigterm", "stop", "spin", "fork", "fork-and-leave", "success"}) {
    children.push_back(Spawn(verb));
  }
  ear_.CloseMouth();
  ear_.Expect({"hanging", "hanging", "stopping", "spinning", "child", "daemon", "child", "daemon"});
  keeper_.reset();
  EXPECT_EQ(ear_.Rest(), std::vector<std::string>{});
  for (const ChildProcess& child : children) EXPECT_TRUE(Disappears(child.pid)) << child.pid;
  EXPECT_TRUE(Disappears(keeper));
}

TEST_F(KeeperTest, DestroyedLeavesNothingOfWhatForksWithoutEnd) {
  Spawn("run-away");
  Spawn("run-away");
  Spawn("multiply");
  ear_.CloseMouth();
  // Ended in the midst of it: as soon as the first of 256 tells that it is there.
  EXPECT_TRUE(ear_.Line());
  keeper_.reset();
  ear_.Rest();  // the end comes only if all have died
}

TEST_F(KeeperTest, ReapsOrphansAtOnceButNotItsOwn) {
  const ChildProcess child = Spawn("fork-and-leave");
  ear_.Expect({"child", "daemon"});
  pollfd ended = {.fd = child.pidfd.get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&ended, 1, kDeadlineMs), 1);
  // The keeper's children: ours as a zombie, and the two it was given.
  const auto children_of_keeper = [&] {
    const std::string path = StrCat("/proc/", keeper_->pid(), "/task/", keeper_->pid(), "/children");
    const std::string text = ReadFile(path).value_or("");
    std::vector<pid_t> pids;
    for (const std::string_view part : Split(Trim(text), ' ')) {
      if (const auto pid = ParseNumber<pid_t>(part)) pids.push_back(*pid);
    }
    return pids;
  };
  std::vector<pid_t> orphans;
  for (const pid_t pid : children_of_keeper()) {
    if (pid != child.pid) orphans.push_back(pid);
  }
  for (const pid_t orphan : orphans) {
    kill(orphan, SIGKILL);
    EXPECT_TRUE(Disappears(orphan)) << "orphan " << orphan << " stays a zombie";
  }
  EXPECT_EQ(kill(child.pid, 0), 0) << "our own child was reaped before it was asked for";
  ExpectExit(Reap(child), 0);
}

// A zygote that has forked and never says so: nobody else knows of that worker.
TEST_F(KeeperTest, AWorkerOfAZygoteThatDoesNotAnswerEndsWithIt) {
  for (const auto& [verb, said] : {std::pair("fork-and-be-silent", "zygote: it does not answer"),
                                   std::pair("fork-and-end", "zygote: it has ended")}) {
    SCOPED_TRACE(verb);
    SpawnRequest request = Request({verb});
    request.zygote = true;
    const ChildProcess zygote = Spawn(request);
    ear_.Expect({"child"});
    SpawnRequest fork = Request({"worker"});
    fork.forked_from = zygote.pid;
    const auto worker = keeper_->Spawn(fork);
    ASSERT_FALSE(worker);
    EXPECT_EQ(worker.error().message, said);
    kill(zygote.pid, SIGKILL);  // were it still there, Reap would wait for it
    Reap(zygote);
    const auto again = keeper_->Spawn(fork);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().message, StrCat("process ", zygote.pid, " is no zygote"));
  }
  ear_.CloseMouth();
  ear_.Rest();  // the end comes only if nobody is left, while the keeper lives
}

TEST_F(KeeperTest, IsDeafToTheTerminalsSignals) {
  EXPECT_EQ(getsid(keeper_->pid()), keeper_->pid()) << "no session of its own";
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) EXPECT_EQ(kill(keeper_->pid(), signal), 0);
  ExpectExit(Reap(Spawn("ret42")), 42);
}

TEST_F(KeeperTest, TwoHundredChildrenInARowLeaveNoDescriptorAndNoZombie) {
  ExpectExit(Reap(Spawn("success")), 0);
  const int ours = OpenDescriptors(getpid()), keepers = OpenDescriptors(keeper_->pid());
  std::set<std::pair<pid_t, std::uint64_t>> names;
  for (int i = 0; i < 200; ++i) {
    const ChildProcess child = Spawn("success");
    ExpectExit(Reap(child), 0);
    names.emplace(child.pid, child.start_time);
  }
  EXPECT_EQ(names.size(), 200u) << "pid and start time do not name a process";
  EXPECT_EQ(OpenDescriptors(getpid()), ours);
  EXPECT_EQ(OpenDescriptors(keeper_->pid()), keepers);
  for (const auto& [pid, start_time] : names) EXPECT_TRUE(Disappears(pid)) << pid;
}

TEST_F(KeeperTest, AKilledSupervisorLeavesNothing) {
  const ChildProcess supervisor = Spawn("supervise");
  ear_.CloseMouth();
  std::optional<pid_t> inner_keeper;
  std::multiset<std::string> expected = {"hanging", "child", "daemon", "stopping", "running"};
  while (!expected.empty() || !inner_keeper) {
    const auto line = ear_.Line();
    ASSERT_TRUE(line);
    if (line->starts_with("keeper ")) {
      inner_keeper = ParseNumber<pid_t>(std::string_view(*line).substr(7));
      ASSERT_TRUE(inner_keeper) << *line;
    } else {
      ASSERT_EQ(expected.count(*line), 1u) << *line;
      expected.erase(*line);
    }
  }
  ASSERT_TRUE(Keeper::Kill(supervisor, SIGKILL));
  // Our own keeper still stands, so it is the dead supervisor's that ends them all, and itself.
  EXPECT_EQ(ear_.Rest(), std::vector<std::string>{});
  EXPECT_TRUE(Disappears(*inner_keeper));
  ExpectSignal(Reap(supervisor), SIGKILL, "SIGKILL");
}

TEST_F(KeeperTest, AKilledKeeperTakesItsChildrenAlong) {
  const ChildProcess child = Spawn("hang-ignoring-sigterm");
  ear_.CloseMouth();
  ear_.Expect({"hanging"});
  ASSERT_EQ(kill(keeper_->pid(), SIGKILL), 0);
  EXPECT_EQ(ear_.Rest(), std::vector<std::string>{});
  const auto end = keeper_->Reap(child);
  ASSERT_FALSE(end);
  EXPECT_TRUE(end.error().message.starts_with("keeper: ")) << end.error().message;
  EXPECT_FALSE(keeper_->Spawn(Request({"success"})));
}

TEST_F(KeeperTest, AssignmentEndsTheOneThatWasThere) {
  const ChildProcess child = Spawn("hang");
  ear_.CloseMouth();
  ear_.Expect({"hanging"});
  auto next = Keeper::Start(Program(), SomeCore());
  ASSERT_TRUE(next) << next.error().message;
  *keeper_ = std::move(*next);
  EXPECT_EQ(ear_.Rest(), std::vector<std::string>{});
  EXPECT_TRUE(Disappears(child.pid));
  SpawnRequest request = Request({"ret42"});
  request.fds.clear();
  ExpectExit(Reap(Spawn(request)), 42);
}

TEST(Keeper, StaysOnItsCore) {
  const CpuId core = AllowedCores().back();
  const auto keeper = Keeper::Start(Program(), core);
  ASSERT_TRUE(keeper) << keeper.error().message;
  const auto status = ReadFile(StrCat("/proc/", keeper->pid(), "/status"));
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_NE(status->find(StrCat("Cpus_allowed_list:\t", core.value, "\n")), std::string::npos) << *status;
}

TEST(Keeper, ThatCannotStartSaysWhy) {
  EXPECT_EQ(Keeper::Start("./nowhere", SomeCore()).error().message,
            "keeper: exec ./nowhere: No such file or directory (ENOENT)");
  EXPECT_EQ(Keeper::Start("/bin/true", SomeCore()).error().message,
            "keeper: /bin/true ended at once; is __keeper handled by its main function?");
}

}  // namespace
}  // namespace corerig
