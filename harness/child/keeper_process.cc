#include "harness/child/keeper_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/child/children.h"
#include "harness/child/keeper_protocol.h"
#include "harness/os/cgroup.h"
#include "harness/os/scheduling.h"

namespace corerig {
namespace {

// A zygote forks in a millisecond or so; longer than the supervisor waits for us it need not take.
constexpr int kZygoteMs = 2'000;

// Serves the supervisor until one of them is to end.
class KeeperProcess {
 public:
  KeeperProcess(Fd socket, Fd supervisor, Fd child_signals)
      : socket_(std::move(socket)), supervisor_(std::move(supervisor)), child_signals_(std::move(child_signals)) {}

  void Serve() {
    if (!SendMessage(socket_.get(), EncodeReply({}))) return;
    for (;;) {
      pollfd entries[] = {{.fd = socket_.get(), .events = POLLIN, .revents = 0},
                          {.fd = supervisor_.get(), .events = POLLIN, .revents = 0},
                          {.fd = child_signals_.get(), .events = POLLIN, .revents = 0}};
      if (poll(entries, 3, -1) < 0) continue;  // interrupted
      if (entries[1].revents != 0) return;
      if (entries[2].revents != 0) ReapOrphans();
      if (entries[0].revents != 0 && !Answer()) return;
    }
  }

  // For when everyone in them is dead.
  void RemoveGroups() const {
    for (const auto& directory : groups_) (void)RemoveGroup(directory);
  }
  // A folder is busy while the supervisor, which closes its files one by one as it dies, has not come to the last.
  void RemoveFolders() const {
    constexpr timespec kPause = {.tv_sec = 0, .tv_nsec = 2'000'000};
    constexpr int kAttempts = 1'000;
    for (const auto& [folder, name] : folders_) {
      for (int i = 0; unlinkat(folder.get(), name.c_str(), AT_REMOVEDIR) != 0 && errno == EBUSY && i < kAttempts; ++i) {
        nanosleep(&kPause, nullptr);
      }
    }
  }

 private:
  // False: the supervisor has let go.
  bool Answer() {
    auto message = ReceiveMessage(socket_.get());
    KeeperReply reply;
    Fd pidfd;
    if (!message) {
      reply.error = message.error().message;
    } else if (!*message) {
      return false;
    } else {
      reply = Do(**message, pidfd);
    }
    const int attached = pidfd.get();
    const std::span<const int> fds(&attached, pidfd.valid() ? 1 : 0);
    return SendMessage(socket_.get(), EncodeReply(reply), fds).has_value();
  }

  KeeperReply Do(Message& message, Fd& pidfd) {
    auto request = DecodeRequest(message.bytes);
    if (!request) return {.error = request.error().message};
    if (const auto* reap = std::get_if<ReapRequest>(&*request)) return Reap(*reap);
    if (auto* remove = std::get_if<RemoveRequest>(&*request)) {
      if (message.fds.size() != 1) return {.error = "the message lacks its descriptor"};
      folders_.emplace_back(std::move(message.fds.front()), std::move(remove->name));
      return {};
    }
    if (const auto* release = std::get_if<ReleaseRequest>(&*request)) {
      zygotes_.erase(release->zygote);
      return {};
    }
    auto& spawn = std::get<SpawnRequest>(*request);
    if (!TakeDescriptors(spawn, message)) return {.error = "the message lacks descriptors"};
    if (spawn.group >= 0) groups_.push_back(spawn.group_directory);
    if (spawn.forked_from != 0) return Fork(spawn, pidfd);
    Fd ends[2];
    if (spawn.zygote) {
      int sockets[2];
      if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
        return {.error = StrCat("zygote: cannot make a socket: ", ErrnoText(errno))};
      }
      for (int i = 0; i < 2; ++i) ends[i] = Fd(sockets[i]);
      spawn.fds.emplace_back(ends[1].get(), kZygoteSocketFd);
    }
    auto child = corerig::Spawn(spawn, Lifetime::kOfSpawner);
    if (!child) return {.error = child.error().message};
    ours_.insert(child->pid);
    if (spawn.zygote) zygotes_[child->pid] = std::move(ends[0]);
    pidfd = std::move(child->pidfd);
    return {.error = "", .pid = child->pid, .start_time = child->start_time};
  }

  // The zygote's answer is ours. Its worker is known as ours before it can end as an orphan.
  KeeperReply Fork(const SpawnRequest& request, Fd& pidfd) {
    const auto zygote = zygotes_.find(request.forked_from);
    if (zygote == zygotes_.end()) return {.error = StrCat("process ", request.forked_from, " is no zygote")};
    std::vector<int> fds;
    SpawnRequest passed = request;
    for (const auto& [ours, theirs] : request.fds) fds.push_back(ours);
    if (request.group >= 0) fds.push_back(request.group);
    passed.forked_from = 0;
    const auto before = Children();
    auto reply = Ask(zygote->second.get(), passed, fds, pidfd);
    if (!reply) {
      GiveUp(zygote, before);
      return {.error = StrCat("zygote: ", reply.error().message)};
    }
    if (reply->error.empty()) ours_.insert(reply->pid);
    return *reply;
  }

  // Fails if it cannot be known what the zygote has done.
  Result<KeeperReply> Ask(int zygote, const SpawnRequest& request, std::span<const int> fds, Fd& pidfd) {
    if (auto sent = SendMessage(zygote, EncodeRequest(request), fds); !sent) return Forward(sent);
    pollfd entries[] = {{.fd = zygote, .events = POLLIN, .revents = 0},
                        {.fd = supervisor_.get(), .events = POLLIN, .revents = 0}};
    while (poll(entries, 2, kZygoteMs) < 0 && errno == EINTR) {
    }
    if (entries[0].revents == 0) return Fail("it does not answer");
    auto message = ReceiveMessage(zygote);
    if (!message) return Forward(message);
    if (!*message) return Fail("it has ended");
    auto reply = DecodeReply((*message)->bytes);
    if (!reply || !reply->error.empty()) return reply;
    if ((*message)->fds.size() != 1) return Fail("a reply without its descriptor");
    pidfd = std::move((*message)->fds.front());
    return reply;
  }

  // It may have forked, or be about to, a worker that nobody knows of: who was no child of ours `before` it was asked,
  // and is given to us when it ends.
  void GiveUp(std::map<pid_t, Fd>::iterator zygote, const std::vector<pid_t>& before) {
    const auto pid = static_cast<id_t>(zygote->first);
    zygotes_.erase(zygote);
    kill(static_cast<pid_t>(pid), SIGKILL);
    siginfo_t ended;
    while (waitid(P_PID, pid, &ended, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
    for (const pid_t child : Children()) {
      if (std::find(before.begin(), before.end(), child) == before.end()) kill(child, SIGKILL);
    }
  }

  KeeperReply Reap(const ReapRequest& request) {
    if (!ours_.contains(request.pid)) return {.error = StrCat("process ", request.pid, " is no child of the keeper")};
    siginfo_t ended = {};
    if (waitid(P_PID, static_cast<id_t>(request.pid), &ended, WEXITED | WNOHANG) != 0) {
      return {.error = StrCat("cannot reap process ", request.pid, ": ", ErrnoText(errno))};
    }
    if (ended.si_pid == 0) return {.error = StrCat("process ", request.pid, " has not ended")};
    ours_.erase(request.pid);
    return {.error = "", .pid = request.pid, .wait_code = ended.si_code, .wait_status = ended.si_status};
  }

  // Frees the pids of ended processes that were given to us when their parents died. Our own children's stay until the
  // supervisor has read what the zombie still tells.
  void ReapOrphans() {
    signalfd_siginfo signals[16];
    while (read(child_signals_.get(), signals, sizeof signals) > 0) {
    }
    for (const pid_t child : Children()) {
      siginfo_t ended;
      if (!ours_.contains(child)) waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | __WALL);
    }
  }

  Fd socket_, supervisor_, child_signals_;
  std::set<pid_t> ours_;                             // spawned and not yet reaped
  std::map<pid_t, Fd> zygotes_;                      // and where they take requests
  std::vector<std::string> groups_;                  // directories of the control groups of ours
  std::vector<std::pair<Fd, std::string>> folders_;  // what RemoveRequests named
};

}  // namespace

int KeeperMain(int, char**) {
  prctl(PR_SET_NAME, "corerig-keeper", 0, 0, 0);
  // A session of its own: the terminal's signals reach the supervisor alone. Who ends us is the supervisor.
  setsid();
  for (const int ignored : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) signal(ignored, SIG_IGN);
  sigset_t child_signal;
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child_signal, nullptr);
  Fd child_signals(signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK));
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0 || !child_signals.valid()) {
    std::fprintf(stderr, "corerig keeper: %s\n", ErrnoText(errno).c_str());
    return 1;
  }
  KeeperProcess keeper(Fd(kKeeperSocketFd), Fd(kKeeperSupervisorFd), std::move(child_signals));
  keeper.Serve();
  // What is to be killed must not keep us from running: it may be real-time, or very many.
  (void)SetPolicy(0, {Policy::Class::kFifo, 99});
  EndDescendants();
  keeper.RemoveGroups();
  keeper.RemoveFolders();
  return 0;
}

}  // namespace corerig
