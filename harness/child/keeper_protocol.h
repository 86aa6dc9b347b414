// What supervisor and keeper say to each other: messages with descriptors over a Unix seqpacket socket. Requests and
// replies alternate; one program holds both sides, so numbers travel in the machine's own form.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/base/result.h"
#include "harness/child/spawn.h"
#include "harness/os/fd.h"

namespace corerig {

struct Message {
  std::string bytes;
  std::vector<Fd> fds;
};

// At most 64 KiB and 253 descriptors (SCM_MAX_FD, man 7 unix).
Status SendMessage(int socket, std::string_view bytes, std::span<const int> fds = {});
// Waits for a message; nothing when the other side has closed its end.
Result<std::optional<Message>> ReceiveMessage(int socket);

struct ReapRequest {
  pid_t pid = 0;
};
// Something that no process is and that must not be left behind, such as a trace in the kernel: the keeper removes the
// empty folder `name` in the folder that travels with the message, once everyone below it is dead.
struct RemoveRequest {
  std::string name;
};
// The keeper lets go of a zygote, which then ends; its workers become the keeper's children.
struct ReleaseRequest {
  pid_t zygote = 0;
};
using KeeperRequest = std::variant<SpawnRequest, ReapRequest, RemoveRequest, ReleaseRequest>;

// The descriptors of a SpawnRequest travel with the message, in its order, its group's behind them.
std::string EncodeRequest(const KeeperRequest& request);
// The fds of a decoded SpawnRequest are (index in the message, the child's number); its group is the index.
Result<KeeperRequest> DecodeRequest(std::string_view bytes);

// Puts the descriptors that came with a spawn request in place of their indices. False: there are more or fewer.
bool TakeDescriptors(SpawnRequest& request, const Message& message);

// The keeper's answer; also its greeting, once it is ready. A spawned child's pidfd travels with it.
struct KeeperReply {
  std::string error;  // empty: it was done
  pid_t pid = 0;
  std::uint64_t start_time = 0;
  std::int32_t wait_code = 0, wait_status = 0;  // si_code and si_status of waitid, for a reaped child
  bool operator==(const KeeperReply&) const = default;
};
std::string EncodeReply(const KeeperReply& reply);
Result<KeeperReply> DecodeReply(std::string_view bytes);

}  // namespace corerig
