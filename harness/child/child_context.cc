#include "harness/child/child_context.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "harness/os/clock.h"
#include "harness/os/procfs.h"
#include "harness/os/scheduling.h"
#include "harness/os/smaps.h"

namespace corerig {
namespace {

// Maps all of an inherited memfd, which holds at least `least` bytes.
[[gnu::hot]] Result<Mapping> MapInherited(const char* what, int fd, std::size_t least, Mapping::Access access) {
  struct stat status = {};
  if (fstat(fd, &status) != 0) {
    return Fail("this child was not handed its ", what, " (descriptor ", fd, "): ", ErrnoText(errno));
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size < least) return Fail("its ", what, " holds ", size, " bytes; at least ", least, " were expected");
  auto mapping = Mapping::Map(fd, size, access);
  if (!mapping) return ForwardWith(mapping, "its ", what, ": ");
  // What the child itself starts has no business with it.
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return mapping;
}

// Read, not mapped: that takes a page fault less, and the memory's way out again.
[[gnu::hot]] Result<std::string> ReadJob() {
  struct stat status = {};
  if (fstat(kJobFd, &status) != 0)
    return Fail("this child was not handed its job (descriptor ", kJobFd, "): ", ErrnoText(errno));
  if (status.st_size < 1) return Fail("its job is empty");
  std::string job(static_cast<std::size_t>(status.st_size), '\0');
  for (std::size_t at = 0; at < job.size();) {
    const ssize_t got = pread(kJobFd, job.data() + at, job.size() - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Fail("its job cannot be read: ", got == 0 ? "it ends early" : ErrnoText(errno));
    at += static_cast<std::size_t>(got);
  }
  close(kJobFd);
  return job;
}

}  // namespace

[[gnu::hot]] Result<ChildContext> ChildContext::Open() {
  auto job = ReadJob();
  if (!job) return Forward(job);
  auto context = OpenThread(kSlabFd);
  if (context) context->job_ = std::move(*job);
  return context;
}

[[gnu::hot]] Result<ChildContext> ChildContext::OpenThread(int slab_fd) {
  ChildContext context;
  auto slab = MapInherited("slab", slab_fd, sizeof(SlabHeader), Mapping::Access::kReadWrite);
  if (!slab) return Forward(slab);
  if (const auto sealed = SealAgainstNewWriters(slab_fd); !sealed) return ForwardWith(sealed, "its slab: ");
  auto control = MapInherited("control page", kControlFd, sizeof(ControlPage), Mapping::Access::kRead);
  if (!control) return Forward(control);
  context.slab_ = std::move(*slab);
  context.control_ = std::move(*control);
  return context;
}

[[gnu::hot]] void ChildContext::Arm() {
  // Release: a supervisor that sees this state also sees what was prepared in the slab.
  header().state.store(ChildState::kArmed, std::memory_order_release);
}

[[gnu::hot]] Nanos ChildContext::WaitForSchedule() {
  for (;;) {
    // Acquire: pairs with the supervisor's release, so the other instants of the page are there when this one is.
    if (const std::int64_t start = control().start_at.load(std::memory_order_acquire); start != 0) return Nanos(start);
    // Not FUTEX_PRIVATE: the waker is another process. Returns at once if the word is no longer 0, so a start published
    // between the look above and this call is not missed. The word is set after start_at.
    syscall(SYS_futex, &control().start_futex, FUTEX_WAIT, 0, nullptr, nullptr, 0);
  }
}

[[gnu::hot]] Nanos ChildContext::WaitForStart() {
  SetTimerSlack(Nanos(1));
  const Nanos start = WaitForSchedule();
  SleepUntil(start);
  return start;
}

void ChildContext::MarkBegun() {
  header().begun_at.Set(static_cast<std::uint64_t>(MonotonicNow().count()));
  // Release: the stamp is there for whoever sees the state.
  header().state.store(ChildState::kRunning, std::memory_order_release);
}

void ChildContext::MarkEnded() { header().ended_at.Set(static_cast<std::uint64_t>(MonotonicNow().count())); }

void ChildContext::Finish() {
  if (const auto text = ReadFile("/proc/self/smaps_rollup")) {
    if (const auto memory = ParseSmapsRollup(*text)) {
      header().last_rss.Set(memory->rss);
      header().last_pss.Set(memory->pss);
      header().last_uss.Set(memory->uss);
    }
  }
  // Release: all the child has written is there for whoever sees that it is done.
  header().state.store(ChildState::kFinished, std::memory_order_release);
}

void ChildContext::MarkThread() { header().tid.Set(static_cast<std::uint64_t>(gettid())); }

void ChildContext::FinishThread() {
  auto& end = header().thread_end;
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  end.voluntary.Set(static_cast<std::uint64_t>(usage.ru_nvcsw));
  end.involuntary.Set(static_cast<std::uint64_t>(usage.ru_nivcsw));
  end.minor_faults.Set(static_cast<std::uint64_t>(usage.ru_minflt));
  end.major_faults.Set(static_cast<std::uint64_t>(usage.ru_majflt));
  // schedstat leaves out what ran since the last tick or switch; the thread's clock does not.
  const Nanos run = ThreadCpuTime();
  const auto text = ReadFile("/proc/thread-self/schedstat");
  if (const auto schedstat = text ? ParseSchedStat(*text) : Result<SchedStat>(Forward(text))) {
    end.run.Set(static_cast<std::uint64_t>(run.count()));
    end.wait.Set(static_cast<std::uint64_t>(schedstat->wait.count()));
    end.timeslices.Set(schedstat->timeslices);
    end.at.Set(static_cast<std::uint64_t>(MonotonicNow().count()));
  }
  header().state.store(ChildState::kFinished, std::memory_order_release);
}

void ChildContext::ReportError(std::string_view message) { header().error.Publish(message); }

[[gnu::hot]] int RunChild(std::string_view role, const std::function<Status(ChildContext&)>& work) {
  auto context = ChildContext::Open();
  if (!context) {
    std::fprintf(stderr, "corerig %.*s: %s\n", static_cast<int>(role.size()), role.data(),
                 context.error().message.c_str());
    return 1;
  }
  if (const Status done = work(*context); !done) {
    context->ReportError(done.error().message);
    return 1;
  }
  context->Finish();
  return 0;
}

}  // namespace corerig
