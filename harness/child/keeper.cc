#include "harness/child/keeper.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <utility>

#include "harness/child/children.h"
#include "harness/child/keeper_process.h"
#include "harness/child/keeper_protocol.h"
#include "harness/os/process.h"

namespace corerig {
namespace {

constexpr int kPatienceMs = 10'000;
constexpr int kAnswerMs = 3'000;

// Whether the descriptor becomes readable (a pidfd: its process has ended) in time; -1 waits for good.
bool BecomesReadable(int fd, int timeout_ms) {
  pollfd entry = {.fd = fd, .events = POLLIN, .revents = 0};
  int ready;
  while ((ready = poll(&entry, 1, timeout_ms)) < 0 && errno == EINTR) {
  }
  return ready > 0;
}

// Sends a request and waits for its reply, whose descriptor, if there is to be one, goes to `attached`.
Result<KeeperReply> Ask(int socket, const KeeperRequest& request, std::span<const int> fds, Fd* attached) {
  if (auto sent = SendMessage(socket, EncodeRequest(request), fds); !sent) return ForwardWith(sent, "keeper: ");
  // Its answers take milliseconds; one that was stopped by hand gives none.
  if (!BecomesReadable(socket, kAnswerMs)) return Fail("keeper: it does not answer");
  auto received = ReceiveMessage(socket);
  if (!received) return ForwardWith(received, "keeper: ");
  if (!*received) return Fail("keeper: it has ended");
  auto reply = DecodeReply((*received)->bytes);
  if (!reply) return ForwardWith(reply, "keeper: ");
  if (!reply->error.empty()) return Fail(reply->error);
  if (attached != nullptr) {
    if ((*received)->fds.size() != 1) return Fail("keeper: a reply without its descriptor");
    *attached = std::move((*received)->fds.front());
  }
  return reply;
}

}  // namespace

Result<Keeper> Keeper::Start(const std::string& program, CpuId core) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return Fail("keeper: cannot make a socket: ", ErrnoText(errno));
  }
  Keeper keeper;
  keeper.socket_ = Fd(ends[0]);
  {
    const Fd keepers_end(ends[1]);
    // Of ourselves: nobody can have taken our place.
    const auto supervisor = OpenPidfd(getpid());
    if (!supervisor) return ForwardWith(supervisor, "keeper: ");
    auto process =
        corerig::Spawn({.argv = {program, std::string(kKeeperVerb)},
                        .fds = {{keepers_end.get(), kKeeperSocketFd}, {supervisor->get(), kKeeperSupervisorFd}},
                        .cores = {core},
                        .policy = {}},
                       Lifetime::kOwn);
    if (!process) {
      keeper.socket_.Close();  // nothing to end
      return ForwardWith(process, "keeper: ");
    }
    keeper.process_ = std::move(*process);
  }
  if (!BecomesReadable(keeper.socket_.get(), kPatienceMs)) return Fail("keeper: ", program, " does not answer");
  const auto greeting = ReceiveMessage(keeper.socket_.get());
  if (!greeting) return ForwardWith(greeting, "keeper: ");
  if (!*greeting)
    return Fail("keeper: ", program, " ended at once; is ", kKeeperVerb, " handled by its main function?");
  const auto reply = DecodeReply((*greeting)->bytes);
  if (!reply) return ForwardWith(reply, "keeper: ");
  if (!reply->error.empty()) return Fail("keeper: ", reply->error);
  return keeper;
}

Keeper& Keeper::operator=(Keeper&& other) noexcept {
  if (this != &other) {
    End();
    process_ = std::move(other.process_);
    socket_ = std::move(other.socket_);
  }
  return *this;
}

Keeper::~Keeper() { End(); }

void Keeper::End() {
  if (!socket_.valid()) return;
  socket_.Close();
  if (!BecomesReadable(process_.pidfd.get(), kPatienceMs)) kill(process_.pid, SIGKILL);
  while (waitpid(process_.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<ChildProcess> Keeper::Spawn(const SpawnRequest& request) {
  std::vector<int> fds;
  for (const auto& [ours, theirs] : request.fds) fds.push_back(ours);
  if (request.group >= 0) fds.push_back(request.group);
  ChildProcess child;
  const auto reply = Ask(socket_.get(), request, fds, &child.pidfd);
  if (!reply) return Forward(reply);
  child.pid = reply->pid;
  child.start_time = reply->start_time;
  return child;
}

Status Keeper::Release(const ChildProcess& zygote) {
  const auto reply = Ask(socket_.get(), ReleaseRequest{zygote.pid}, {}, nullptr);
  if (!reply) return Forward(reply);
  return {};
}

Result<EndRecord> Keeper::Reap(const ChildProcess& child) {
  // Waited for here, not in the keeper: it has to stay ready for our end.
  BecomesReadable(child.pidfd.get(), -1);
  const auto reply = Ask(socket_.get(), ReapRequest{child.pid}, {}, nullptr);
  if (!reply) return Forward(reply);
  return EndFrom(reply->wait_code, reply->wait_status);
}

Status Keeper::RemoveAtEnd(int folder, const std::string& name) {
  const auto reply = Ask(socket_.get(), RemoveRequest{name}, std::span(&folder, 1), nullptr);
  if (!reply) return Forward(reply);
  return {};
}

Status Keeper::Kill(const ChildProcess& child, int signal) {
  if (syscall(SYS_pidfd_send_signal, child.pidfd.get(), signal, nullptr, 0) == 0) return {};
  return Fail("cannot send ", SignalText(signal), " to process ", child.pid, ": ", ErrnoText(errno));
}

}  // namespace corerig
