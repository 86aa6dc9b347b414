#include "harness/os/taskstats.h"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>

#include "harness/base/text.h"

namespace corerig {
namespace {

constexpr std::size_t Aligned(std::size_t size) { return (size + 3) / 4 * 4; }

// One generic netlink request with one attribute.
std::string Request(std::uint16_t family, std::uint8_t command, std::uint16_t attribute, std::string_view value) {
  nlattr part = {};
  part.nla_type = attribute;
  part.nla_len = static_cast<std::uint16_t>(sizeof part + value.size());
  genlmsghdr generic = {};
  generic.cmd = command;
  generic.version = 1;
  nlmsghdr header = {};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + sizeof generic + Aligned(part.nla_len));
  header.nlmsg_type = family;
  header.nlmsg_flags = NLM_F_REQUEST;
  std::string out;
  out.append(reinterpret_cast<const char*>(&header), sizeof header);
  out.append(reinterpret_cast<const char*>(&generic), sizeof generic);
  out.append(reinterpret_cast<const char*>(&part), sizeof part);
  out.append(value);
  out.resize(header.nlmsg_len, '\0');
  return out;
}

// The kernel answers before send returns.
Result<std::string> Ask(int socket, const std::string& request) {
  sockaddr_nl kernel = {};
  kernel.nl_family = AF_NETLINK;
  if (sendto(socket, request.data(), request.size(), 0, reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) < 0)
    return Fail("taskstats: ", ErrnoText(errno));
  std::string reply(8192, '\0');
  const ssize_t size = recv(socket, reply.data(), reply.size(), 0);
  if (size < 0) return Fail("taskstats: ", ErrnoText(errno));
  reply.resize(static_cast<std::size_t>(size));
  return reply;
}

// The attributes of a reply; an error if it tells one, or is malformed.
Result<std::string_view> Attributes(std::string_view reply) {
  nlmsghdr header = {};
  if (reply.size() < sizeof header) return Fail("taskstats: a reply of ", reply.size(), " bytes");
  std::memcpy(&header, reply.data(), sizeof header);
  if (header.nlmsg_len > reply.size() || header.nlmsg_len < sizeof header)
    return Fail("taskstats: a reply that is cut off");
  reply = reply.substr(0, header.nlmsg_len);
  if (header.nlmsg_type == NLMSG_ERROR) {
    int error = 0;
    if (reply.size() >= sizeof header + sizeof error) std::memcpy(&error, reply.data() + sizeof header, sizeof error);
    return Fail("taskstats: ", ErrnoText(-error));
  }
  if (reply.size() < sizeof header + sizeof(genlmsghdr)) return Fail("taskstats: a reply that is cut off");
  return reply.substr(sizeof header + sizeof(genlmsghdr));
}

std::optional<std::string_view> Find(std::string_view attributes, std::uint16_t wanted) {
  nlattr part = {};
  while (attributes.size() >= sizeof part) {
    std::memcpy(&part, attributes.data(), sizeof part);
    if (part.nla_len < sizeof part || part.nla_len > attributes.size()) return std::nullopt;
    if ((part.nla_type & NLA_TYPE_MASK) == wanted) return attributes.substr(sizeof part, part.nla_len - sizeof part);
    if (Aligned(part.nla_len) >= attributes.size()) return std::nullopt;
    attributes.remove_prefix(Aligned(part.nla_len));
  }
  return std::nullopt;
}

}  // namespace

Result<std::uint64_t> ParseCopyOnWriteFaults(std::string_view reply) {
  const auto attributes = Attributes(reply);
  if (!attributes) return Forward(attributes);
  const auto group = Find(*attributes, TASKSTATS_TYPE_AGGR_TGID);
  const auto bytes = group ? Find(*group, TASKSTATS_TYPE_STATS) : std::nullopt;
  if (!bytes || bytes->size() < sizeof(std::uint16_t)) return Fail("taskstats: a reply without figures");
  taskstats figures = {};
  std::memcpy(&figures, bytes->data(), std::min(bytes->size(), sizeof figures));
  // Version 15 (Linux 6.14) moved what came before it; 16 put it back.
  constexpr int kFirst = 13, kMoved = 15;
  if (figures.version < kFirst || figures.version == kMoved) {
    return Fail("taskstats: version ", figures.version, " does not tell copy-on-write faults (Linux 6.0 and later do)");
  }
  if (bytes->size() < offsetof(taskstats, wpcopy_count) + sizeof figures.wpcopy_count)
    return Fail("taskstats: figures of ", bytes->size(), " bytes");
  return figures.wpcopy_count;
}

Result<TaskStats> TaskStats::Open(std::string_view root) {
  const auto counting = ReadFile(StrCat(root, "/proc/sys/kernel/task_delayacct"));
  if (!counting) return Fail("the kernel does not count copy-on-write faults (CONFIG_TASK_DELAY_ACCT, Linux 6.0)");
  if (Trim(*counting) != "1")
    return Fail("the kernel's count of copy-on-write faults is off; before the run: sysctl kernel.task_delayacct=1");
  TaskStats stats;
  stats.socket_ = Fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC));
  if (!stats.socket_.valid()) return Fail("taskstats: cannot make a netlink socket: ", ErrnoText(errno));
  const timeval patience = {.tv_sec = 1, .tv_usec = 0};
  setsockopt(stats.socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);

  constexpr std::string_view kName(TASKSTATS_GENL_NAME, sizeof TASKSTATS_GENL_NAME);  // its end included
  const auto reply = Ask(stats.socket_.get(), Request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, kName));
  if (!reply) return Forward(reply);
  const auto attributes = Attributes(*reply);
  const auto family = attributes ? Find(*attributes, CTRL_ATTR_FAMILY_ID) : std::nullopt;
  if (!family || family->size() < sizeof stats.family_) return Fail("the kernel has no taskstats (CONFIG_TASKSTATS)");
  std::memcpy(&stats.family_, family->data(), sizeof stats.family_);

  // Tried on ourselves: without the privilege nothing is told.
  if (const auto own = stats.CopyOnWriteFaults(getpid()); !own) {
    return Fail("copy-on-write faults are not told (", own.error().message, "); run as root (CAP_NET_ADMIN)");
  }
  return stats;
}

Result<std::uint64_t> TaskStats::CopyOnWriteFaults(pid_t process) const {
  const auto number = static_cast<std::uint32_t>(process);
  const std::string_view value(reinterpret_cast<const char*>(&number), sizeof number);
  const auto reply = Ask(socket_.get(), Request(family_, TASKSTATS_CMD_GET, TASKSTATS_CMD_ATTR_TGID, value));
  if (!reply) return Forward(reply);
  return ParseCopyOnWriteFaults(*reply);
}

}  // namespace corerig
