// receiver = "external": streams of a run that the user's own command receives, or the test itself.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <thread>

#include "harness/os/fd.h"
#include "tests/support/receiving_end.h"
#include "tests/support/rig_run.h"

namespace corerig {
namespace {

using std::chrono::milliseconds;

std::string Program() {
  return std::string(getenv("TEST_SRCDIR")) + "/" + getenv("TEST_WORKSPACE") + "/tests/rig/program";
}
std::string First() { return std::to_string(TestCores().front()); }
std::string Last() { return std::to_string(TestCores().back()); }

// PASS; or UNDECIDED, because others kept it from the CPU: here it has no priority.
testing::AssertionResult Passed(const FinishedRun& run) {
  const bool late = run.verdict() == "UNDECIDED" &&
                    run.report_text.find("frames were sent more than one period late") != std::string::npos;
  if (run.verdict() == "PASS" || late) return testing::AssertionSuccess();
  return testing::AssertionFailure() << run.out << run.err;
}

std::string External(const std::string& stream, const std::string& sensor, const std::string& rate,
                     const std::string& endpoint) {
  return "[stream." + stream + "]\nsensor = \"" + sensor + "\"\nrate = \"" + rate +
         "\"\nreceiver = \"external\"\nendpoint = \"" + endpoint + "\"\n";
}
std::string Command(const std::string& name, const std::string& verb, const std::string& argument) {
  return "[worker." + name + "]\nworkload = \"exec\"\ncommand = [\"" + Program() + "\", \"" + verb + "\", \"" +
         argument + "\"]\ncores = [" + Last() + "]\nunits_pattern = \"^(.GNGGA|datagram 1206$)\"\n";
}
std::string Head() {
  return "name = \"external\"\nduration = \"1500ms\"\nwarmup = \"2s\"\ndrain = \"300ms\"\n[source]\ncores = [" +
         First() + "]\n";
}

TEST(External, TheUsersProgramReceivesWhileALoopDoes) {
  const std::string path = NewPath("gps"), address = FreeAddress(SOCK_DGRAM);
  const FinishedRun run =
      RigRun(Head() + "[loop.l]\ncores = [" + First() + "]\n" + External("gnss", "zed-f9p", "20Hz", "pty:" + path) +
             "[stream.imu]\nsensor = \"icm42688p\"\nrate = \"100Hz\"\nloop = \"l\"\n" +
             External("lidar", "vlp16", "100Hz", "udp:" + address) + Command("gps", "read", path) +
             Command("cloud", "datagrams", address.substr(address.find(':') + 1)) +
             "[budget]\nlimits = [\"stream.gnss.overruns == 0\", \"stream.imu.lost == 0\"]\n")
          .Wait();
  EXPECT_TRUE(Passed(run));
  EXPECT_EQ(run.Metric("stream.gnss.sent"), 30);
  EXPECT_EQ(run.Metric("stream.gnss.lateness.count"), 30);
  EXPECT_GT(run.Metric("stream.gnss.bytes_per_s"), 1000);
  EXPECT_EQ(run.Metric("stream.lidar.sent"), 150);
  EXPECT_EQ(run.Metric("stream.lidar.bytes_per_s"), 120600);
  EXPECT_EQ(run.Metric("stream.imu.received"), 150);
  EXPECT_TRUE(std::isnan(run.Metric("stream.gnss.latency.p50")));
  EXPECT_EQ(run.report["metrics"]["stream.gnss.received"]["absent"], "the receiver is external");
  EXPECT_TRUE(run.Part("streams", "gnss")["received"].is_null());
  EXPECT_EQ(run.Part("streams", "gnss")["endpoint"], "pty:" + path);
  // What the programs say they got: the window's at least, and what came before and after.
  EXPECT_GE(run.Part("workers", "gps", 0)["units"].get<int>(), 30);
  EXPECT_GE(run.Part("workers", "cloud", 0)["units"].get<int>(), 150);
  EXPECT_EQ(CheckReport(run), std::vector<std::string>());
  EXPECT_FALSE(std::filesystem::is_symlink(path));
}

// Reads ten messages every ten milliseconds; returns how many there were. The path's listener is the test's.
long ReadSlowly(int listening) {
  long frames = 0;
  const int reader = accept(listening, nullptr, nullptr);
  char frame[64];
  while (recv(reader, frame, sizeof frame, 0) > 0) {
    if (++frames % 10 == 0) std::this_thread::sleep_for(milliseconds(10));
  }
  close(reader);
  return frames;
}

TEST(External, ALosslessStreamTellsWhatItsReceiverTakes) {
  for (const bool enough : {false, true}) {
    const std::string path = SocketPath();
    const int listening = ListenAt(path, SOCK_SEQPACKET);
    long frames = 0;
    std::thread reader([&] { frames = ReadSlowly(listening); });
    const FinishedRun run =
        RigRun(Head() + External("imu", "icm42688p", "8kHz", "unix:" + path) + "batch = 1\npace = \"lossless\"\n" +
               External("gnss", "zed-f9p", "20Hz", "file:" + NewPath("gnss")) +
               (enough ? "[budget]\nlimits = [\"stream.imu.rate > 1\", \"stream.gnss.sent == 30\"]\n" : ""))
            .Wait();
    reader.join();
    close(listening);
    const double expected = run.Part("streams", "imu")["expected"].get<double>();
    EXPECT_EQ(expected, 12'000);
    EXPECT_EQ(run.Metric("stream.imu.overruns"), 0);
    EXPECT_LE(run.Metric("stream.imu.sent") + run.Metric("stream.imu.backlog"), expected);
    EXPECT_GT(run.Metric("stream.imu.backlog"), 6'000);
    EXPECT_GT(run.Metric("stream.imu.blocked"), 0.5);
    // A thousand a second at most; the socket was full when the window began.
    EXPECT_GT(run.Metric("stream.imu.rate"), 1);
    EXPECT_LE(run.Metric("stream.imu.rate") * 1.5, static_cast<double>(frames));
    EXPECT_LE(run.Metric("stream.imu.rate"), 1100);
    EXPECT_EQ(run.Metric("stream.gnss.sent"), 30) << "which is not kept";
    EXPECT_EQ(CheckReport(run), std::vector<std::string>());
    if (enough) {
      EXPECT_TRUE(Passed(run));
    } else {
      EXPECT_EQ(run.verdict(), "FAIL");
      EXPECT_NE(run.out.find("samples were not delivered, for want of room at its receiver"), std::string::npos)
          << run.out;
    }
  }
}

TEST(External, WithoutALoopThereIsNoHandler) {
  const std::string path = NewPath("gps");
  RigRun rig(Head() + External("gnss", "zed-f9p", "20Hz", "pty:" + path) + Command("gps", "read", path));
  const FinishedRun run = rig.Wait();
  EXPECT_TRUE(Passed(run));
  EXPECT_TRUE(run.report["handler"].is_null());
  EXPECT_EQ(run.Metric("stream.gnss.sent"), 30);
  EXPECT_EQ(run.Metric("stream.gnss.overruns"), 0);
  const std::string text = ReadFile(rig.folder() + "/worker.gps.0.stdout").value_or("");
  EXPECT_TRUE(IsNmea(text.substr(0, text.rfind('\n') + 1)));  // it was ended in the middle of one, perhaps
}

// A run whose program answers the first so many frames, `to` there; `answers` is the scenario's key.
FinishedRun Answering(const std::string& answers, const std::string& to, int most) {
  const std::string path = NewPath("gps");
  return RigRun(Head() + External("gnss", "zed-f9p", "20Hz", "pty:" + path) + "answers = \"" + answers +
                "\"\n[worker.gps]\nworkload = \"exec\"\ncommand = [\"" + Program() + "\", \"answer\", \"" + path +
                "\", \"" + to + "\", \"" + std::to_string(most) + "\"]\ncores = [" + Last() +
                "]\n[budget]\nlimits = [\"stream.gnss.reaction.p50 < 1s\"]\n")
      .Wait();
}

void ExpectAllAnswered(const FinishedRun& run, const std::string& stamps) {
  EXPECT_TRUE(Passed(run));
  EXPECT_EQ(run.Metric("stream.gnss.reaction.count"), 30);
  EXPECT_EQ(run.Part("streams", "gnss")["unanswered"], 0);
  EXPECT_EQ(run.Part("streams", "gnss")["unasked"], 0);
  EXPECT_EQ(run.Part("streams", "gnss")["answer_stamps"], stamps);
  EXPECT_GE(run.Metric("stream.gnss.reaction.min"), 20e6);
  EXPECT_LT(run.Metric("stream.gnss.reaction.p50"), 60e6);
  EXPECT_EQ(CheckReport(run), std::vector<std::string>());
}

TEST(External, TheReactionIsFromDueToTheAnswer) {
  const std::string address = FreeAddress(SOCK_DGRAM), port = address.substr(address.find(':') + 1);
  ExpectAllAnswered(Answering("udp:" + address, port, 1000), "kernel");

  // Some 40 of the warm-up's frames, and ten of the window's.
  const FinishedRun some = Answering("udp:" + address, port, 50);
  const double answered = some.Metric("stream.gnss.reaction.count");
  EXPECT_GT(answered, 5);
  EXPECT_LT(answered, 25);
  EXPECT_EQ(some.Part("streams", "gnss")["unanswered"], 30 - static_cast<int>(answered));
  EXPECT_EQ(some.Metric("stream.gnss.reaction.max"), INFINITY);
}

TEST(External, AnswersComeAsDatagramsToAPathThatGoesWithTheRun) {
  const std::string path = "/tmp/corerig-answers" + std::to_string(getpid());
  ExpectAllAnswered(Answering("unix:" + path, path, 1000), "kernel");
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(External, AnswersComeBackOnTheEndpoint) { ExpectAllAnswered(Answering("endpoint", "back", 1000), "read"); }

TEST(External, WhoDoesNotComeIsSaid) {
  const FinishedRun run =
      RigRun(Head() + External("gnss", "zed-f9p", "20Hz", "tcp-listen:" + FreeAddress(SOCK_STREAM)) +
                 "[budget]\nlimits = [\"stream.gnss.overruns == 0\"]\n",
             // A hypervisor that takes time makes a doubt of what a busy board can be blamed for.
             {"--set", "max_foreign=100%", "--set", "max_steal=100%"})
          .Wait();
  EXPECT_EQ(run.exit_status, 2) << run.out << run.err;
  EXPECT_EQ(run.Metric("stream.gnss.sent"), 30);
  EXPECT_EQ(run.Metric("stream.gnss.overruns"), 30);
  EXPECT_EQ(run.Part("streams", "gnss")["unheard"], 30);
  EXPECT_NE(run.out.find("30 of 30 frames were not taken at tcp-listen:"), std::string::npos) << run.out;
  EXPECT_EQ(CheckReport(run), std::vector<std::string>());
}

TEST(External, AnEndpointThatCannotBeHadIsWrongUse) {
  const FinishedRun run = RigRun(Head() + External("gnss", "zed-f9p", "20Hz", "file:/none/x")).Wait();
  EXPECT_EQ(run.exit_status, 1) << run.out;
  EXPECT_NE(run.err.find("stream gnss: file:/none/x: cannot open it for writing"), std::string::npos) << run.err;
}

}  // namespace
}  // namespace corerig
