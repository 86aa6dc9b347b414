#include "harness/child/keeper_protocol.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

namespace corerig {
namespace {

constexpr std::size_t kMostBytes = 64 * 1024;
constexpr std::size_t kMostFds = 253;

template <typename Number>
void Put(std::string& out, Number value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void PutText(std::string& out, std::string_view text) {
  Put(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

// Takes values off the front; once something is missing, everything is zero and complete() false.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  template <typename Number>
  Number Take() {
    Number value = 0;
    const std::string_view bytes = TakeBytes(sizeof value);
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  std::string TakeText() { return std::string(TakeBytes(Take<std::uint32_t>())); }

  // All was there, and nothing is left.
  bool complete() const { return good_ && rest_.empty(); }
  bool good() const { return good_; }

 private:
  std::string_view TakeBytes(std::size_t size) {
    good_ = good_ && size <= rest_.size();
    if (!good_) return {};
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  bool good_ = true;
};

enum RequestKind : std::uint32_t { kSpawn = 1, kReap = 2, kRemove = 3, kRelease = 4 };

}  // namespace

Status SendMessage(int socket, std::string_view bytes, std::span<const int> fds) {
  if (bytes.size() > kMostBytes)
    return Fail("message of ", bytes.size(), " bytes; at most ", kMostBytes, " are allowed");
  if (fds.size() > kMostFds)
    return Fail("message with ", fds.size(), " descriptors; at most ", kMostFds, " are allowed");
  iovec content = {.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  msghdr header = {};
  header.msg_iov = &content;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMostFds)] = {};
  if (!fds.empty()) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
  }
  while (sendmsg(socket, &header, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return Fail("cannot send a message: ", ErrnoText(errno));
  }
  return {};
}

Result<std::optional<Message>> ReceiveMessage(int socket) {
  Message message;
  message.bytes.resize(kMostBytes);
  iovec content = {.iov_base = message.bytes.data(), .iov_len = message.bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMostFds)];
  msghdr header = {};
  header.msg_iov = &content;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t size;
  while ((size = recvmsg(socket, &header, MSG_CMSG_CLOEXEC)) < 0) {
    if (errno == ECONNRESET) return std::optional<Message>();  // closed with a message of ours unread
    if (errno != EINTR) return Fail("cannot receive a message: ", ErrnoText(errno));
  }
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    std::vector<int> fds((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(fds.data(), CMSG_DATA(part), fds.size() * sizeof(int));
    for (const int fd : fds) message.fds.emplace_back(fd);
  }
  if (header.msg_flags & MSG_CTRUNC) {
    return Fail("descriptors of a message were lost; RLIMIT_NOFILE is too low for them");
  }
  if (size == 0) return std::optional<Message>();
  message.bytes.resize(static_cast<std::size_t>(size));
  return std::optional<Message>(std::move(message));
}

std::string EncodeRequest(const KeeperRequest& request) {
  std::string out;
  if (const auto* reap = std::get_if<ReapRequest>(&request)) {
    Put(out, kReap);
    Put(out, static_cast<std::int32_t>(reap->pid));
    return out;
  }
  if (const auto* release = std::get_if<ReleaseRequest>(&request)) {
    Put(out, kRelease);
    Put(out, static_cast<std::int32_t>(release->zygote));
    return out;
  }
  if (const auto* remove = std::get_if<RemoveRequest>(&request)) {
    Put(out, kRemove);
    PutText(out, remove->name);
    return out;
  }
  const auto& spawn = std::get<SpawnRequest>(request);
  Put(out, kSpawn);
  Put(out, static_cast<std::uint32_t>(spawn.cores.size()));
  for (const CpuId core : spawn.cores) Put(out, static_cast<std::int32_t>(core.value));
  Put(out, static_cast<std::uint32_t>(spawn.policy.scheduling_class));
  Put(out, static_cast<std::int32_t>(spawn.policy.priority));
  Put(out, static_cast<std::int32_t>(spawn.policy.nice));
  Put(out, static_cast<std::uint32_t>(spawn.fds.size()));
  for (const auto& [ours, theirs] : spawn.fds) Put(out, static_cast<std::int32_t>(theirs));
  Put(out, static_cast<std::uint32_t>(spawn.argv.size()));
  for (const std::string& argument : spawn.argv) PutText(out, argument);
  Put(out, static_cast<std::uint32_t>(spawn.group >= 0));
  PutText(out, spawn.group_directory);
  Put(out, spawn.address_space);
  Put(out, static_cast<std::uint32_t>(spawn.zygote));
  Put(out, static_cast<std::int32_t>(spawn.forked_from));
  return out;
}

Result<KeeperRequest> DecodeRequest(std::string_view bytes) {
  Unpacker in(bytes);
  const auto kind = in.Take<std::uint32_t>();
  if (kind == kReap) {
    const ReapRequest reap = {.pid = in.Take<std::int32_t>()};
    if (in.complete()) return reap;
  } else if (kind == kRelease) {
    const ReleaseRequest release = {.zygote = in.Take<std::int32_t>()};
    if (in.complete()) return release;
  } else if (kind == kRemove) {
    RemoveRequest remove = {.name = in.TakeText()};
    if (in.complete()) return remove;
  } else if (kind == kSpawn) {
    SpawnRequest spawn;
    const auto cores = in.Take<std::uint32_t>();
    for (std::uint32_t i = 0; i < cores && in.good(); ++i) spawn.cores.push_back({in.Take<std::int32_t>()});
    const auto scheduling_class = in.Take<std::uint32_t>();
    spawn.policy.scheduling_class = static_cast<Policy::Class>(scheduling_class);
    spawn.policy.priority = in.Take<std::int32_t>();
    spawn.policy.nice = in.Take<std::int32_t>();
    const auto fds = in.Take<std::uint32_t>();
    for (std::uint32_t i = 0; i < fds && in.good(); ++i) spawn.fds.emplace_back(i, in.Take<std::int32_t>());
    const auto arguments = in.Take<std::uint32_t>();
    for (std::uint32_t i = 0; i < arguments && in.good(); ++i) spawn.argv.push_back(in.TakeText());
    if (in.Take<std::uint32_t>()) spawn.group = static_cast<int>(spawn.fds.size());
    spawn.group_directory = in.TakeText();
    spawn.address_space = in.Take<std::uint64_t>();
    spawn.zygote = in.Take<std::uint32_t>() != 0;
    spawn.forked_from = in.Take<std::int32_t>();
    if (in.complete() && scheduling_class <= static_cast<std::uint32_t>(Policy::Class::kFifo)) return spawn;
  }
  return Fail("malformed request of ", bytes.size(), " bytes");
}

bool TakeDescriptors(SpawnRequest& request, const Message& message) {
  const bool grouped = request.group >= 0;
  if (request.fds.size() + grouped != message.fds.size()) return false;
  for (std::size_t i = 0; i < request.fds.size(); ++i) request.fds[i].first = message.fds[i].get();
  if (grouped) request.group = message.fds.back().get();
  return true;
}

std::string EncodeReply(const KeeperReply& reply) {
  std::string out;
  PutText(out, reply.error);
  Put(out, static_cast<std::int32_t>(reply.pid));
  Put(out, reply.start_time);
  Put(out, reply.wait_code);
  Put(out, reply.wait_status);
  return out;
}

Result<KeeperReply> DecodeReply(std::string_view bytes) {
  Unpacker in(bytes);
  KeeperReply reply;
  reply.error = in.TakeText();
  reply.pid = in.Take<std::int32_t>();
  reply.start_time = in.Take<std::uint64_t>();
  reply.wait_code = in.Take<std::int32_t>();
  reply.wait_status = in.Take<std::int32_t>();
  if (!in.complete()) return Fail("malformed reply of ", bytes.size(), " bytes");
  return reply;
}

}  // namespace corerig
