#include "harness/child/zygote.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "harness/child/child_context.h"
#include "harness/child/keeper_protocol.h"
#include "harness/child/part_marker.h"
#include "harness/child/run_worker.h"
#include "harness/child/spawn.h"
#include "harness/child/worker_child.h"
#include "harness/os/process.h"

namespace corerig {
namespace {

// Open in a worker until the zygote has ended; nobody writes to it.
constexpr int kZygoteLivesFd = 8;

// Until the zygote has ended and the keeper, its parent, is ours; from then on we die with the keeper.
void AwaitAdoption(pid_t zygote, pid_t keeper) {
  char none;
  while (read(kZygoteLivesFd, &none, 1) < 0 && errno == EINTR) {
  }
  close(kZygoteLivesFd);
  // A process that ends closes its files a moment before it lets go of its children.
  constexpr timespec kPause = {.tv_sec = 0, .tv_nsec = 200'000};
  while (getppid() == zygote) nanosleep(&kPause, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // The keeper may have died before the line above.
  if (getppid() != keeper) _exit(1);
}

class Zygote {
 public:
  Zygote(const WorkloadType& type, const WorkloadInput* input) : type_(type), input_(input) {}

  Status Serve() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return Fail("zygote: cannot make a pipe: ", ErrnoText(errno));
    lives_ = Fd(ends[0]);
    const Fd alive(ends[1]);  // to our end
    for (;;) {
      auto message = ReceiveMessage(kZygoteSocketFd);
      if (!message) return Forward(message);
      if (!*message) return {};
      Fd pidfd;
      const KeeperReply reply = Answer(**message, pidfd);
      const int attached = pidfd.get();
      auto sent = SendMessage(kZygoteSocketFd, EncodeReply(reply), std::span(&attached, pidfd.valid() ? 1 : 0));
      if (!sent) return sent;
    }
  }

 private:
  KeeperReply Answer(Message& message, Fd& pidfd) {
    auto request = DecodeRequest(message.bytes);
    if (!request) return {.error = request.error().message};
    auto* spawn = std::get_if<SpawnRequest>(&*request);
    if (spawn == nullptr || !TakeDescriptors(*spawn, message)) return {.error = "zygote: no request to fork a worker"};
    auto child = Fork(*spawn);
    if (!child) return {.error = child.error().message};
    pidfd = std::move(child->pidfd);
    return {.error = "", .pid = child->pid, .start_time = child->start_time};
  }

  Result<ChildProcess> Fork(SpawnRequest request) {
    request.fds.emplace_back(lives_.get(), kZygoteLivesFd);
    // Its writing end is closed in the worker with all other descriptors, as the last step of becoming a child.
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return Fail("fork: cannot make a pipe: ", ErrnoText(errno));
    const Fd done(ends[0]);
    Fd becoming(ends[1]);
    // Where the worker says what failed.
    auto page = CreateSharedMemory("corerig-fork", sizeof(SlabText));
    if (!page) return Forward(page);
    const auto failure = Mapping::Map(page->get(), sizeof(SlabText), Mapping::Access::kReadWrite);
    if (!failure) return Forward(failure);

    const pid_t zygote = getpid(), keeper = getppid();
    const pid_t pid = fork();
    if (pid < 0) return Fail("fork: cannot make a process: ", ErrnoText(errno));
    if (pid == 0) {
      if (auto become = BecomeChild(request); !become) {
        failure->At<SlabText>(0)->Publish(become.error().message);
        _exit(127);
      }
      AwaitAdoption(zygote, keeper);
      if (request.argv.size() > 2) MarkPart(request.argv[2]);
      // Neither the zygote's destructors nor its buffered output are ours.
      _exit(ForkedWorkerMain(type_, input_));
    }
    becoming.Close();
    char none;
    while (read(done.get(), &none, 1) < 0 && errno == EINTR) {
    }
    const std::string failed = failure->At<SlabText>(0)->Read();
    ChildProcess child{.pid = pid, .start_time = 0, .pidfd = {}};
    auto pidfd = OpenPidfd(pid);
    auto start_time = StartTimeOf(pid);
    if (failed.empty() && pidfd && start_time) {
      child.pidfd = std::move(*pidfd);
      child.start_time = *start_time;
      return child;
    }
    kill(pid, SIGKILL);
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    if (!failed.empty()) return Fail(failed);
    return pidfd ? Result<ChildProcess>(ForwardWith(start_time, "fork: ")) : ForwardWith(pidfd, "fork: ");
  }

  const WorkloadType& type_;
  const WorkloadInput* input_;
  Fd lives_;
};

}  // namespace

int ZygoteMain(std::span<const WorkloadType> workloads) {
  return RunChild("zygote", [&](ChildContext& context) -> Status {
    const auto named = ReadWorkerJob(context.job());
    if (!named) return Forward(named);
    const auto loaded = LoadWorkload(workloads, *named);
    if (!loaded) return Forward(loaded);
    context.Arm();
    return Zygote(*loaded->type, loaded->input.get()).Serve();
  });
}

}  // namespace corerig
