#include "harness/loop/endpoint_answers.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "harness/os/clock.h"

namespace corerig {
namespace {

// Of an answer so much is read; what it says is the program's own affair.
constexpr std::size_t kLargest = 2048;
constexpr int kBurst = 64;  // reads of one connection before the thread does something else

// Told once of each change: a pty whose program has gone is "hung up" for as long as nobody opens it.
constexpr std::uint32_t kEvents = EPOLLIN | EPOLLET;

}  // namespace

Result<std::unique_ptr<EndpointAnswers>> EndpointAnswers::Create(bool messages) {
  std::unique_ptr<EndpointAnswers> made(new EndpointAnswers(messages));
  if (!made->epoll_.valid()) return Fail("cannot wait for answers: ", ErrnoText(errno));
  return made;
}

EndpointAnswers::EndpointAnswers(bool messages)
    : messages_(messages), epoll_(epoll_create1(EPOLL_CLOEXEC)), batch_(kLargest, kBurst) {
  for (auto& connection : connections_) connection = -1;
}

EndpointAnswers::~EndpointAnswers() {
  for (auto& connection : connections_) {
    if (connection >= 0) close(connection);
  }
}

void EndpointAnswers::Watch(int connection) {
  const int on = 1;
  if (messages_) setsockopt(connection, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  const int duplicate = fcntl(connection, F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) return;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    int free = -1;
    if (!connections_[i].compare_exchange_strong(free, duplicate)) continue;
    epoll_event event = {.events = kEvents, .data = {.u64 = i}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, duplicate, &event);
    return;
  }
  close(duplicate);
}

void EndpointAnswers::Read(const std::function<void(Nanos)>& on_answer) {
  std::array<epoll_event, 8> events;
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    epoll_event& event = events[static_cast<std::size_t>(i)];
    auto& connection = connections_[event.data.u64];
    const Outcome outcome = messages_ ? ReadMessages(connection, on_answer) : ReadLines(connection, on_answer);
    if (outcome == Outcome::kMore) {
      // It is told of anew: there is more to read.
      event.events = kEvents;
      epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection, &event);
    } else if (outcome == Outcome::kEnded) {
      // By hand: the kernel forgets it only when the last duplicate is closed.
      epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection, nullptr);
      close(connection.exchange(-1));
    }
  }
}

EndpointAnswers::Outcome EndpointAnswers::ReadLines(int connection, const std::function<void(Nanos)>& on_answer) {
  std::array<char, kLargest> bytes;
  for (int i = 0; i < kBurst; ++i) {
    const ssize_t n = read(connection, bytes.data(), bytes.size());
    const Nanos now = MonotonicNow();
    // EIO: a pty that no program has open, until one does.
    if (n < 0) return errno == EAGAIN || errno == EIO || errno == EINTR ? Outcome::kEmpty : Outcome::kEnded;
    if (n == 0) return Outcome::kEnded;
    for (auto lines = std::count(bytes.begin(), bytes.begin() + n, '\n'); lines > 0; --lines) on_answer(now);
  }
  return Outcome::kMore;
}

EndpointAnswers::Outcome EndpointAnswers::ReadMessages(int connection, const std::function<void(Nanos)>& on_answer) {
  const int count = batch_.Receive(connection);
  const Nanos now = MonotonicNow();
  if (count < 0 && errno == EAGAIN) {
    stamps_.ChannelIsEmpty();
    return Outcome::kEmpty;
  }
  if (count < 0) return Outcome::kEnded;
  stamps_.Check(ReadOffsetBracket());
  for (int i = 0; i < count; ++i) {
    if (batch_.bytes(i).empty()) return Outcome::kEnded;
    const auto stamp = batch_.stamp(i);
    on_answer((stamp ? stamps_.Convert(*stamp) : std::nullopt).value_or(now));
  }
  return Outcome::kMore;
}

}  // namespace corerig
