// One workload in every model of running: executed, forked, threads of one process. What differs is what the model
// says.
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include "tests/support/rig_run.h"

namespace corerig {
namespace {

using std::chrono::milliseconds;

const char* const kModels[] = {"spawn", "fork", "thread"};

// Two workers on the last core.
std::string Group(const std::string& as, const std::string& more, const std::string& duration = "1s") {
  return "name = \"models\"\nduration = \"" + duration +
         "\"\nwarmup = \"200ms\"\ndrain = \"100ms\"\ntrace = false\nseed = 3\n[worker.w]\nas = \"" + as +
         "\"\ncores = [" + std::to_string(TestCores().back()) + "]\n" +
         (more.find("workers = ") == std::string::npos ? "workers = 2\n" : "") + more;
}

FinishedRun RunGroup(const std::string& as, const std::string& more) { return RigRun(Group(as, more)).Wait(); }

TEST(Models, GiveTheSameAnswerToTheLastBit) {
  std::vector<nlohmann::json> answers;
  for (const char* as : kModels) {
    SCOPED_TRACE(as);
    const FinishedRun run = RunGroup(as, "workload = \"montecarlo/option\"\nunits = 21\ntime_limit = \"60s\"\n");
    EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
    EXPECT_EQ(run.Part("workers", "w", 1)["as"], as);
    EXPECT_EQ(run.report["results"]["w"]["units"], 21);
    answers.push_back(run.report["results"]["w"]["figures"]);
    EXPECT_EQ(answers.back(), answers.front());
    EXPECT_EQ(CheckReport(run), std::vector<std::string>());
  }
  ASSERT_FALSE(answers.front().empty());
}

// The input is 24 MiB.
TEST(Models, ShareTheirInputAsTheyCan) {
  constexpr double kMiB = 1 << 20;
  const std::string workload = "workload = \"test/share\"\nmib = 24\n";
  {
    const FinishedRun run = RunGroup("spawn", workload);
    EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
    EXPECT_GT(run.Metric("worker.w.0.uss.max"), 24 * kMiB) << "each has loaded it for itself";
    EXPECT_GT(run.Metric("worker.w.1.uss.max"), 24 * kMiB);
  }
  {
    const FinishedRun run = RunGroup("fork", workload);
    EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
    for (const char* worker : {"worker.w.0.", "worker.w.1."}) {
      SCOPED_TRACE(worker);
      EXPECT_GT(run.Metric(worker + std::string("rss.max")), 24 * kMiB);
      EXPECT_LT(run.Metric(worker + std::string("uss.max")), 2 * kMiB) << "it is the other's as well";
      EXPECT_NEAR(run.Metric(worker + std::string("pss.mean")), 12.5 * kMiB, 1.5 * kMiB) << "one half each";
    }
  }
  {
    const FinishedRun run = RunGroup("thread", workload);
    EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
    EXPECT_NEAR(run.Metric("worker.w.all.uss.max"), 24.5 * kMiB, 1 * kMiB) << "it is there once";
    EXPECT_TRUE(std::isnan(run.Metric("worker.w.0.uss.max")));
    EXPECT_EQ(run.report["metrics"]["worker.w.0.uss.max"]["absent"],
              "one address space: a thread has no memory of its own");
    EXPECT_EQ(CheckReport(run), std::vector<std::string>());
  }
}

TEST(Models, ExchangeThroughMemoryOfTheGroup) {
  for (const char* as : kModels) {
    SCOPED_TRACE(as);
    const FinishedRun run = RunGroup(as, "workload = \"test/share\"\nunits = 200\ntime_limit = \"60s\"\n");
    EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
    EXPECT_EQ(run.report["results"]["w"]["figures"][0]["value"], 200) << run.report["results"];
  }
}

TEST(Models, TellOfEachWorkerHowItWasScheduled) {
  for (const char* as : kModels) {
    SCOPED_TRACE(as);
    const FinishedRun run = RunGroup(as, "workload = \"test/behave\"\n");
    EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
    double cpu = 0;
    for (const char* worker : {"worker.w.0.", "worker.w.1."}) {
      SCOPED_TRACE(worker);
      // Two that never rest share a core, as far as others leave it to them.
      cpu += run.Metric(worker + std::string("cpu"));
      EXPECT_GT(run.Metric(worker + std::string("cpu")), 0.05);
      EXPECT_GT(run.Metric(worker + std::string("switches.involuntary")), 0);
      EXPECT_GT(run.Metric(worker + std::string("runqueue.mean")), 0);
      EXPECT_GT(run.Metric(worker + std::string("rate")), 0);
    }
    EXPECT_LT(cpu, 1.02);
  }
}

// What the kernel says of one thread; empty if it has ended.
std::string PlaceOf(pid_t tid) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(tid, sizeof allowed, &allowed) != 0) return "";
  std::string place = sched_getscheduler(tid) == SCHED_BATCH ? "batch:" : "another policy:";
  place += std::to_string(getpriority(PRIO_PROCESS, static_cast<id_t>(tid))) + " on";
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &allowed)) place += " " + std::to_string(core);
  }
  return place;
}

TEST(Models, PutEachWorkerOnItsCoreUnderItsPolicy) {
  const int first = TestCores().front(), last = TestCores().back();
  if (first == last) GTEST_SKIP() << "needs two cores";
  for (const char* as : kModels) {
    SCOPED_TRACE(as);
    RigRun rig("name = \"p\"\nduration = \"20s\"\ntrace = false\n[worker.w]\nas = \"" + std::string(as) +
               "\"\nworkload = \"test/behave\"\npolicy = \"batch\"\nnice = 3\ncores = [" + std::to_string(last) + ", " +
               std::to_string(first) + "]\n");
    ASSERT_TRUE(rig.AwaitWindow());
    std::map<std::string, std::string> places;
    for (const pid_t pid : rig.Living()) {
      std::error_code ended;
      std::filesystem::directory_iterator task("/proc/" + std::to_string(pid) + "/task", ended);
      for (; !ended && task != std::filesystem::directory_iterator(); task.increment(ended)) {
        std::string name;
        std::ifstream comm(task->path() / "comm");
        std::getline(comm, name);
        places[name] = PlaceOf(std::stoi(task->path().filename()));
      }
    }
    EXPECT_EQ(places["worker w.0"], "batch:3 on " + std::to_string(last));
    EXPECT_EQ(places["worker w.1"], "batch:3 on " + std::to_string(first));
  }
}

TEST(Models, AWorkerWithFewUnitsKeepsItsFiguresWhateverItIs) {
  for (const char* as : kModels) {
    SCOPED_TRACE(as);
    const FinishedRun run = RigRun(Group(as, "workload = \"test/behave\"\nunits = 700\n", "5s")).Wait();
    EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
    for (int index = 0; index < 2; ++index) {
      const auto worker = run.Part("workers", "w", index);
      EXPECT_EQ(worker["units"], 350);
      // A unit is a millisecond of CPU time, and 200 ms of 700 are warm-up.
      EXPECT_GT(worker["scheduling"]["run"], 20'000'000) << worker;
      EXPECT_LT(worker["scheduling"]["run"], 400'000'000) << worker;
    }
  }
}

// Some milliseconds of work on the last core, without a warm-up.
FinishedRun RunShort(const std::string& top, const std::string& more) {
  return RigRun("name = \"short\"\nduration = \"20s\"\n" + top + "[worker.w]\nworkload = \"test/behave\"\ncores = [" +
                std::to_string(TestCores().back()) + "]\n" + more)
      .Wait();
}

// They are done before anything could be read after their start.
TEST(Models, AWorkerOfMillisecondsHasItsFiguresWhateverItIs) {
  for (const char* as : kModels) {
    SCOPED_TRACE(as);
    const FinishedRun run = RunShort("trace = false\n", "units = 10\nworkers = 2\nas = \"" + std::string(as) + "\"\n");
    EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
    for (int index = 0; index < 2; ++index) {
      const auto worker = run.Part("workers", "w", index);
      // A unit is a millisecond of CPU time; to write the result and to end takes some, too.
      EXPECT_GE(worker["scheduling"]["run"], 5'000'000) << worker;
      EXPECT_LT(worker["scheduling"]["run"], 10'000'000) << worker;
      const std::string name = "worker.w." + std::to_string(index);
      EXPECT_GT(run.Metric(name + ".cpu"), 0);
      EXPECT_LE(run.Metric(name + ".cpu"), 1.0);
      EXPECT_GT(run.Metric(name + ".rate"), 0);
      EXPECT_LE(run.Metric(name + ".rate"), 1010) << "a millisecond of CPU time each";
    }
    EXPECT_EQ(CheckReport(run), std::vector<std::string>());
  }
}

// With the kernel's trace, too, which was held on to for 2 s.
TEST(Models, ARunThatIsDoneEndsAtOnce) {
  const FinishedRun run = RunShort("", "units = 5\n");
  EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
  EXPECT_LT(run.took, milliseconds(1900));
}

// One that waits for nothing is let run once, at the start, and again after each preemption. Others may make it wait
// for its memory's lock: hence the least of several runs.
TEST(Models, TheWayToTheStartIsNotInAWorkersFigures) {
  if (TestCores().size() < 2) GTEST_SKIP() << "the rig needs a core of its own";
  int least = 1'000'000;
  for (int i = 0; i < 5; ++i) {
    const FinishedRun run = RunShort("trace = false\n", "units = 5\n");
    ASSERT_EQ(run.exit_status, 0) << run.out << run.err;
    const auto scheduling = run.Part("workers", "w", 0)["scheduling"];
    least = std::min(least, scheduling["timeslices"].get<int>() - scheduling["involuntary"].get<int>());
  }
  EXPECT_EQ(least, 1);
}

TEST(Models, ACrashCostsAProcessItselfAndThreadsEachOther) {
  for (const char* as : kModels) {
    SCOPED_TRACE(as);
    RigRun rig(Group(as, "workload = \"test/behave\"\nhow = \"segv\"\n"));
    const FinishedRun run = rig.Wait();
    EXPECT_EQ(run.exit_status, 2) << run.out << run.err;
    EXPECT_EQ(run.Part("workers", "w", 0)["end"]["detail"], "SIGSEGV");
    const auto other = run.Part("workers", "w", 1)["end"];
    EXPECT_EQ(other["kind"], as == std::string("thread") ? "signalled" : "exited") << other;
    EXPECT_EQ(rig.LivingAfter(milliseconds(2000)), std::vector<pid_t>());
  }
}

TEST(Models, AWorkerThatCannotGoOnCostsTheOthersNothing) {
  for (const char* as : kModels) {
    SCOPED_TRACE(as);
    const FinishedRun run = RunGroup(as, "workload = \"test/behave\"\nhow = \"throw\"\n");
    EXPECT_EQ(run.exit_status, 2) << run.out << run.err;
    const auto failed = run.Part("workers", "w", 0)["end"], other = run.Part("workers", "w", 1)["end"];
    EXPECT_EQ(failed["kind"], "exited");
    EXPECT_EQ(failed["number"], 1);
    EXPECT_EQ(failed["detail"], "the workload threw: it was told to");
    EXPECT_EQ(other["as_planned"], true) << other;
    EXPECT_EQ(run.Part("workers", "w", 1)["has_result"], true);
  }
}

TEST(Models, OneThatHangsIsKilledAtItsLimit) {
  for (const char* as : kModels) {
    SCOPED_TRACE(as);
    RigRun rig(Group(as, "workload = \"test/behave\"\nhow = \"hang\"\ntime_limit = \"3s\"\n"));
    const FinishedRun run = rig.Wait();
    EXPECT_EQ(run.exit_status, 2) << run.out << run.err;
    EXPECT_EQ(run.Part("workers", "w", 0)["end"]["kind"], "timed_out") << run.Part("workers", "w", 0);
    EXPECT_EQ(run.Part("workers", "w", 1)["end"]["as_planned"], true) << run.Part("workers", "w", 1)["end"];
    EXPECT_EQ(rig.LivingAfter(milliseconds(2000)), std::vector<pid_t>());
  }
}

TEST(Models, AnInputThatCannotBeLoadedIsOneLineForEach) {
  for (const char* as : kModels) {
    SCOPED_TRACE(as);
    RigRun rig(Group(as, "workload = \"test/share\"\nload = \"throw\"\n"));
    const FinishedRun run = rig.Wait();
    EXPECT_EQ(run.exit_status, 2) << run.out << run.err;
    const std::string kind = run.Part("workers", "w", 1)["end"]["kind"];
    const std::string detail = run.Part("workers", "w", 1)["end"]["detail"];
    EXPECT_EQ(kind, as == std::string("fork") ? "failed_to_start" : "exited");
    EXPECT_NE(detail.find("the workload threw: line 17 has no number"), std::string::npos) << detail;
    EXPECT_EQ(rig.LivingAfter(milliseconds(2000)), std::vector<pid_t>());
  }
}

TEST(Models, ReadAFileAlike) {
  const std::string path = std::string(getenv("TEST_TMPDIR")) + "/rows.csv";
  std::ofstream file(path);
  file << "a,b\n";
  for (int i = 0; i < 5000; ++i) file << i << "," << 2 * i << "\n";
  file.close();
  std::vector<nlohmann::json> answers;
  for (const char* as : kModels) {
    SCOPED_TRACE(as);
    const FinishedRun run =
        RunGroup(as, "workload = \"data/features\"\nfile = \"" + path + "\"\nunits = 1\ntime_limit = \"60s\"\n");
    EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
    answers.push_back(run.report["results"]["w"]["figures"]);
    EXPECT_EQ(answers.back(), answers.front());
  }
  EXPECT_FALSE(answers.front().empty());
}

TEST(Models, AZygoteThatDoesNotEndIsNotWaitedFor) {
  RigRun rig(Group("fork", "workload = \"test/share\"\nload = \"stop-at-end\"\n"));
  const FinishedRun run = rig.Wait();
  EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
  EXPECT_LT(run.took, std::chrono::seconds(15));
  EXPECT_EQ(rig.LivingAfter(milliseconds(2000)), std::vector<pid_t>());
}

TEST(Models, ManyForkedWorkersStartSoon) {
  const FinishedRun run = RunGroup("fork", "workload = \"test/share\"\nmib = 1\nworkers = 100\n");
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_LT(run.took, std::chrono::seconds(20));
}

TEST(Models, AZygoteThatDiesIsSaid) {
  const FinishedRun run = RunGroup("fork", "workload = \"test/share\"\nload = \"die\"\n");
  EXPECT_EQ(run.exit_status, 2) << run.out << run.err;
  EXPECT_EQ(run.Part("workers", "w", 0)["end"]["detail"], "its zygote ended while it loaded what they share");
}

TEST(Models, NoneOutlivesASupervisorThatIsKilled) {
  for (const char* as : {"fork", "thread"}) {
    SCOPED_TRACE(as);
    RigRun rig(Group(as, "workload = \"test/behave\"\n", "20s"));
    ASSERT_TRUE(rig.AwaitWindow());
    kill(rig.pid(), SIGKILL);
    rig.Wait();
    EXPECT_EQ(rig.LivingAfter(milliseconds(5000)), std::vector<pid_t>());
  }
}

TEST(Models, AreInterruptedAlike) {
  for (const char* as : {"fork", "thread"}) {
    SCOPED_TRACE(as);
    RigRun rig(Group(as, "workload = \"test/behave\"\nunits = 1000000\n", "20s"));
    ASSERT_TRUE(rig.AwaitWindow());
    kill(rig.pid(), SIGINT);
    const FinishedRun run = rig.Wait();
    EXPECT_EQ(run.exit_status, 3) << run.out << run.err;
    EXPECT_EQ(run.Part("workers", "w", 1)["end"]["as_planned"], true);
    EXPECT_EQ(run.Part("workers", "w", 1)["has_result"], true) << "what was done until then";
  }
}

TEST(Models, AGroupThatFloatsIsOnNoCore) {
  for (const char* as : kModels) {
    SCOPED_TRACE(as);
    const FinishedRun run =
        RigRun("name = \"f\"\nduration = \"1s\"\ntrace = false\n[worker.w]\nas = \"" + std::string(as) +
               "\"\nworkload = \"test/behave\"\ncores = \"all\"\nfloating = true\nnice = 4\n")
            .Wait();
    EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
    EXPECT_TRUE(run.Part("workers", "w", 0)["core"].is_null());
    EXPECT_EQ(run.Part("workers", "w", 0)["policy"], "other:4");
    EXPECT_TRUE(std::isnan(run.Metric("core." + std::to_string(TestCores().back()) + ".worker")));
    EXPECT_EQ(CheckReport(run), std::vector<std::string>());
  }
}

}  // namespace
}  // namespace corerig
