#include "harness/loop/event_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "harness/os/clock.h"
#include "harness/os/fd.h"

namespace corerig {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<EventLoop> NewLoop(LoopActivity* activity = nullptr) {
  auto loop = EventLoop::Create(activity);
  EXPECT_TRUE(loop) << loop.error().message;
  return std::move(*loop);
}

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reader = Fd(ends[0]);
    writer = Fd(ends[1]);
  }
  void Write(const char* text) const {
    EXPECT_EQ(write(writer.get(), text, strlen(text)), static_cast<ssize_t>(strlen(text)));
  }
  std::string Read() const {
    char buffer[100];
    const ssize_t n = read(reader.get(), buffer, sizeof buffer);
    return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : std::string();
  }
  Fd reader, writer;
};

void LimitDescriptors(rlim_t count) {
  rlimit limit = {};
  limit.rlim_cur = limit.rlim_max = count;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// How many of this process's threads there are.
int Threads() {
  const auto status = ReadFile("/proc/self/status");
  if (!status) return -1;
  return atoi(status->c_str() + status->find("Threads:") + strlen("Threads:"));
}

TEST(EventLoop, RunsUntilNothingIsWatched) {
  auto loop = NewLoop();
  loop->Run();  // A test that hangs has failed.
}

TEST(EventLoop, KeepsLibuvFromIoUringWhateverTheEnvironmentSays) {
  // In a process that runs this test alone: it is the first loop that counts.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  setenv("UV_USE_IO_URING", "1", 1);
  EXPECT_EXIT(
      {
        auto loop = NewLoop();
        _exit(std::string(getenv("UV_USE_IO_URING")) == "0" ? 42 : 1);
      },
      testing::ExitedWithCode(42), "");
}

TEST(EventLoop, StartsNoThread) {
  const int before = Threads();
  auto loop = NewLoop();
  EXPECT_EQ(Threads(), before);
}

TEST(EventLoop, SaysWhyItCannotBeCreated) {
  EXPECT_EXIT(
      {
        LimitDescriptors(3);
        auto loop = EventLoop::Create();
        fprintf(stderr, "%s", loop ? "it could" : loop.error().message.c_str());
        _exit(0);
      },
      testing::ExitedWithCode(0), "cannot create an event loop: too many open files \\(EMFILE\\)");
}

TEST(EventLoop, CallsAtTheInstantAndNeverEarly) {
  auto loop = NewLoop();
  const Nanos start = MonotonicNow();
  std::vector<int> order;
  const auto expect_call = [&](int name, Nanos when) {
    const auto set = loop->At(when, [&order, name, when] {
      EXPECT_GE(MonotonicNow(), when) << "call " << name;
      order.push_back(name);
    });
    ASSERT_TRUE(set) << set.error().message;
  };
  expect_call(3, start + 40ms);
  expect_call(1, start - 1h);
  expect_call(2, start + 20ms);
  loop->Run();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(EventLoop, InstantsBeforeTheClocksEpochAreDueAtOnce) {
  auto loop = NewLoop();
  int calls = 0;
  ASSERT_TRUE(loop->At(Nanos(0), [&] { ++calls; }));
  ASSERT_TRUE(loop->At(Nanos(-5), [&] { ++calls; }));
  loop->Run();
  EXPECT_EQ(calls, 2);
}

TEST(EventLoop, ACallMayArrangeTheNextOne) {
  auto loop = NewLoop();
  int calls = 0;
  std::function<void()> again = [&] {
    if (++calls == 5) return;
    ASSERT_TRUE(loop->At(MonotonicNow(), again));
  };
  ASSERT_TRUE(loop->At(Nanos(1), again));
  loop->Run();
  EXPECT_EQ(calls, 5);
}

TEST(EventLoop, TheDescriptorOfACallIsClosedAfterIt) {
  auto loop = NewLoop();
  int lowest_free = dup(0);
  close(lowest_free);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(loop->At(Nanos(1), [] {}));
  loop->Run();
  const int now = dup(0);
  EXPECT_EQ(now, lowest_free);
  close(now);
}

TEST(EventLoop, RunReturnsAfterStopAndCanBeCalledAgain) {
  auto loop = NewLoop();
  int calls = 0;
  ASSERT_TRUE(loop->At(Nanos(1), [&] {
    ++calls;
    loop->Stop();
  }));
  ASSERT_TRUE(loop->At(MonotonicNow() + 5ms, [&] { ++calls; }));
  loop->Run();
  const int after_stop = calls;
  EXPECT_GE(after_stop, 1);
  loop->Run();
  EXPECT_EQ(calls, 2);
}

TEST(EventLoop, CallsNotYetMadeAreGivenUpWithTheLoop) {
  auto captured = std::make_shared<int>(0);
  {
    auto loop = NewLoop();
    ASSERT_TRUE(loop->At(MonotonicNow() + 1h, [captured] { FAIL() << "called early"; }));
    ASSERT_TRUE(loop->At(Nanos(1), [captured] { FAIL() << "called by a destructor"; }));
    EXPECT_EQ(captured.use_count(), 3);
  }
  EXPECT_EQ(captured.use_count(), 1) << "the loop leaked a callback";
}

TEST(EventLoop, WakesComingBeforeTheCallbackAreOneCall) {
  auto loop = NewLoop();
  int calls = 0;
  ASSERT_TRUE(loop->OnWake([&] {
    ++calls;
    loop->Stop();
  }));
  for (int i = 0; i < 1000; ++i) loop->Wake();
  loop->Run();
  EXPECT_EQ(calls, 1);
}

TEST(EventLoop, AWakeDuringTheCallbackCallsItAgain) {
  auto loop = NewLoop();
  int calls = 0;
  ASSERT_TRUE(loop->OnWake([&] {
    if (++calls == 1) {
      loop->Wake();
    } else {
      loop->Stop();
    }
  }));
  loop->Wake();
  loop->Run();
  EXPECT_EQ(calls, 2);
}

TEST(EventLoop, AWakeFromAnotherThreadShowsWhatThatThreadWrote) {
  auto loop = NewLoop();
  int written = 0;  // No atomic: the wake-up alone orders it.
  int seen = 0;
  ASSERT_TRUE(loop->OnWake([&] {
    seen = written;
    loop->Stop();
  }));
  std::thread other([&] {
    written = 42;
    loop->Wake();
  });
  loop->Run();
  other.join();
  EXPECT_EQ(seen, 42);
}

TEST(EventLoop, NoWakeOfManyThreadsIsLost) {
  constexpr int kThreads = 4, kWakes = 5000;
  auto loop = NewLoop();
  std::atomic<int> announced{0};
  int calls = 0;
  // Ends only if the last announcement is followed by a call that sees it.
  ASSERT_TRUE(loop->OnWake([&] {
    ++calls;
    if (announced.load() == kThreads * kWakes) loop->Stop();
  }));
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < kWakes; ++k) {
        announced.fetch_add(1);
        loop->Wake();
      }
    });
  }
  loop->Run();
  for (auto& thread : threads) thread.join();
  EXPECT_GE(calls, 1);
  EXPECT_LE(calls, kThreads * kWakes);
}

EventLoop* woken_by_signal = nullptr;

TEST(EventLoop, IsWokenFromASignalHandlerThatLeavesErrnoAlone) {
  auto loop = NewLoop();
  int calls = 0;
  ASSERT_TRUE(loop->OnWake([&] {
    ++calls;
    loop->Stop();
  }));
  woken_by_signal = loop.get();
  struct sigaction action = {};
  struct sigaction old_action = {};
  action.sa_handler = [](int) { woken_by_signal->Wake(); };
  ASSERT_EQ(sigaction(SIGUSR1, &action, &old_action), 0);
  errno = 4711;
  raise(SIGUSR1);
  const int errno_after = errno;
  loop->Run();
  sigaction(SIGUSR1, &old_action, nullptr);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(errno_after, 4711);
}

TEST(EventLoop, WakeWithoutOnWakeDoesNothing) {
  auto loop = NewLoop();
  loop->Wake();
  loop->Run();
}

TEST(EventLoop, TellsThatAWatchedDescriptorIsReadable) {
  auto loop = NewLoop();
  const Pipe pipe;
  std::string read;
  auto watch = loop->WatchReadable(pipe.reader.get(), [&] {
    read += pipe.Read();
    loop->Stop();
  });
  ASSERT_TRUE(watch) << watch.error().message;
  pipe.Write("one");
  loop->Run();
  EXPECT_EQ(read, "one");
  pipe.Write("two");
  loop->Run();
  EXPECT_EQ(read, "onetwo");
}

TEST(EventLoop, AWatchDestroyedInItsOwnCallbackIsNotCalledAgain) {
  auto loop = NewLoop();
  const Pipe pipe;
  int calls = 0;
  std::unique_ptr<EventLoop::Watch> watch;
  std::string still_valid = "a capture long enough to live on the heap";
  auto watching = loop->WatchReadable(pipe.reader.get(), [&calls, &watch, still_valid] {
    ++calls;
    watch.reset();
    EXPECT_EQ(still_valid, "a capture long enough to live on the heap");
  });
  ASSERT_TRUE(watching);
  watch = std::move(*watching);
  pipe.Write("never read");
  loop->Run();  // Returns as nothing is watched any more.
  EXPECT_EQ(calls, 1);
}

TEST(EventLoop, AWatchDestroyedByAnotherOnesCallbackOfTheSameTurnIsNotCalled) {
  auto loop = NewLoop();
  const Pipe pipes[2];
  std::unique_ptr<EventLoop::Watch> watches[2];
  int calls = 0;
  for (int i = 0; i < 2; ++i) {
    auto watch = loop->WatchReadable(pipes[i].reader.get(), [&] {
      ++calls;
      for (auto& each : watches) each.reset();
    });
    ASSERT_TRUE(watch);
    watches[i] = std::move(*watch);
    pipes[i].Write("x");
  }
  loop->Run();
  EXPECT_EQ(calls, 1);
}

TEST(EventLoop, TheNumberOfAWatchedDescriptorCanBeUsedAgainAtOnce) {
  auto loop = NewLoop();
  int calls = 0;
  for (int i = 0; i < 3; ++i) {
    Pipe pipe;
    auto watch = loop->WatchReadable(pipe.reader.get(), [&] {
      ++calls;
      loop->Stop();
    });
    ASSERT_TRUE(watch) << watch.error().message;
    pipe.Write("x");
    loop->Run();
  }
  EXPECT_EQ(calls, 3);
}

TEST(EventLoop, TellsTheEndOfAChildByItsPidfd) {
  auto loop = NewLoop();
  const pid_t child = fork();
  if (child == 0) _exit(3);
  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  if (!pidfd.valid()) {
    waitpid(child, nullptr, 0);
    GTEST_SKIP() << "pidfd_open: " << ErrnoText(errno);
  }
  int status = 0;
  auto watch = loop->WatchReadable(pidfd.get(), [&] {
    EXPECT_EQ(waitpid(child, &status, WNOHANG), child);
    loop->Stop();
  });
  ASSERT_TRUE(watch) << watch.error().message;
  loop->Run();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3) << "status " << status;
}

TEST(EventLoop, AnErrorConditionIsToldOnce) {
  auto loop = NewLoop();
  Pipe pipe;
  int calls = 0;
  // A pipe's writing end shows EPOLLERR when the reader is gone (pipe(7), epoll_ctl(2)).
  auto watch = loop->WatchReadable(pipe.writer.get(), [&] { ++calls; });
  ASSERT_TRUE(watch) << watch.error().message;
  pipe.reader.Close();
  loop->Run();
  EXPECT_EQ(calls, 1);
}

TEST(EventLoop, SaysWhichDescriptorItCannotWatch) {
  auto loop = NewLoop();
  const Pipe pipe;
  auto watch = loop->WatchReadable(pipe.reader.get(), [] {});
  ASSERT_TRUE(watch);
  EXPECT_EQ(loop->WatchReadable(pipe.reader.get(), [] {}).error().message,
            StrCat("cannot watch descriptor ", pipe.reader.get(), ": file already exists (EEXIST)"));
  const Fd file(open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(loop->WatchReadable(file.get(), [] {}).error().message,
            StrCat("cannot watch descriptor ", file.get(), ": operation not permitted (EPERM)"));
}

TEST(LoopActivity, CountsTurnsWithCallbacksAndTheTimeInThem) {
  LoopActivity activity;
  auto loop = NewLoop(&activity);
  constexpr int kTurns = 5;
  Nanos inside{0};
  const Nanos start = MonotonicNow();
  for (int i = 0; i < kTurns; ++i) {
    // Sleep between the calls must not count, work in them must.
    ASSERT_TRUE(loop->At(start + (i + 1) * 20ms, [&] {
      const Nanos begin = MonotonicNow();
      while (MonotonicNow() - begin < 2ms) {
      }
      inside += MonotonicNow() - begin;
    }));
  }
  loop->Run();
  const Nanos whole = MonotonicNow() - start;
  const Nanos busy(static_cast<std::int64_t>(activity.busy_ns.Get()));
  // A stalled machine may merge calls that lie 20 ms apart into one turn.
  EXPECT_GE(activity.wakeups.Get(), 1u);
  EXPECT_LE(activity.wakeups.Get(), static_cast<std::uint64_t>(kTurns));
  EXPECT_GE(busy, inside);
  EXPECT_LE(busy, whole - 18ms) << "the first 20 ms were sleep";
}

TEST(LoopActivity, CallbacksOfOneTurnAreOneWakeup) {
  LoopActivity activity;
  auto loop = NewLoop(&activity);
  int calls = 0;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(loop->At(Nanos(1), [&] { ++calls; }));
  SleepUntil(MonotonicNow() + 1ms);  // All expire before the one poll.
  loop->Run();
  EXPECT_EQ(calls, 10);
  EXPECT_EQ(activity.wakeups.Get(), 1u);
}

TEST(LoopActivity, ATurnWithoutACallbackDoesNotCount) {
  LoopActivity activity;
  auto loop = NewLoop(&activity);
  uv_run(loop->raw(), UV_RUN_NOWAIT);
  uv_run(loop->raw(), UV_RUN_NOWAIT);
  EXPECT_EQ(activity.wakeups.Get(), 0u);
  EXPECT_EQ(activity.busy_ns.Get(), 0u);
}

TEST(EventLoop, AHandleOwnedByACallbackGoesWithIt) {
  const Pipe pipe;
  pipe.Write("x");
  auto loop = NewLoop();
  auto watch = loop->WatchReadable(pipe.reader.get(), [] { FAIL() << "called by a destructor"; });
  ASSERT_TRUE(watch);
  ASSERT_TRUE(loop->OnWake([watch = std::shared_ptr<EventLoop::Watch>(std::move(*watch))] {}));
  loop.reset();  // Aborts if the watch was left.
}

TEST(EventLoopDeathTest, AHandleThatOutlivesItsLoopIsNamed) {
  EXPECT_DEATH(
      {
        const Pipe pipe;
        auto loop = NewLoop();
        auto watch = loop->WatchReadable(pipe.reader.get(), [] {});
        loop.reset();
      },
      "an event loop was destroyed before its handles: poll of descriptor [0-9]+");
}

}  // namespace
}  // namespace corerig
