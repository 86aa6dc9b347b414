#include "harness/run/command_output.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "harness/os/clock.h"

namespace corerig {
namespace {

constexpr std::size_t kPipe = 1 << 20;  // the most that anyone may ask for without privilege (pipe-max-size)
constexpr std::size_t kPiece = 32 * 1024;
constexpr Nanos kRest = std::chrono::milliseconds(1);
constexpr Nanos kMostCost = std::chrono::milliseconds(2);  // of one look: the shorter, the shorter the rest behind it
constexpr int kRestPerCost = 3;

}  // namespace

Result<std::unique_ptr<CommandOutput>> CommandOutput::Start(Fd pipe, Fd file, LineCounter counter) {
  Fd finish(eventfd(0, EFD_CLOEXEC));
  if (!finish.valid()) return Fail("cannot make an eventfd: ", ErrnoText(errno));
  // Refused, it is smaller; a program in a burst of output then waits for us sooner.
  fcntl(pipe.get(), F_SETPIPE_SZ, kPipe);
  if (fcntl(pipe.get(), F_SETFL, O_NONBLOCK) != 0) return Fail("cannot prepare a pipe: ", ErrnoText(errno));
  std::unique_ptr<CommandOutput> output(
      new CommandOutput(std::move(pipe), std::move(file), std::move(finish), std::move(counter)));
  try {
    output->thread_ = std::thread([self = output.get()] { self->Serve(); });
  } catch (const std::system_error& error) {
    return Fail("cannot start a thread: ", error.what());
  }
  return output;
}

CommandOutput::CommandOutput(Fd pipe, Fd file, Fd finish, LineCounter counter)
    : pipe_(std::move(pipe)),
      file_(std::move(file)),
      finish_(std::move(finish)),
      counter_(std::move(counter)),
      buffer_(kPiece, '\0') {}

CommandOutput::~CommandOutput() { Finish(); }

void CommandOutput::Finish() {
  if (!thread_.joinable()) return;
  eventfd_write(finish_.get(), 1);
  thread_.join();
}

void CommandOutput::Serve() {
  pthread_setname_np(pthread_self(), "output");
  for (bool finishing = false, more = true; more && !finishing;) {
    pollfd entries[] = {{.fd = pipe_.get(), .events = POLLIN, .revents = 0},
                        {.fd = finish_.get(), .events = POLLIN, .revents = 0}};
    if (poll(entries, 2, -1) < 0) continue;  // interrupted
    finishing = entries[1].revents != 0;
    const Nanos cost_before = ThreadCpuTime();
    more = ReadOn(finishing ? Nanos::max() : kMostCost);
    const Nanos rest = std::max(kRest, kRestPerCost * (ThreadCpuTime() - cost_before));
    if (more && !finishing) SleepUntil(MonotonicNow() + rest);
  }
  Count(counter_.End(), MonotonicNow());
}

// Reads what is there, but no more than the pipe holds, and begins no piece once it has cost so much. False: nobody can
// write to it any more.
bool CommandOutput::ReadOn(Nanos cost_limit) {
  const Nanos cost_before = ThreadCpuTime();
  for (std::size_t read_so_far = 0; read_so_far < kPipe && ThreadCpuTime() - cost_before < cost_limit;) {
    const ssize_t size = read(pipe_.get(), buffer_.data(), buffer_.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno == EAGAIN;
    if (size == 0) return false;
    const std::string_view piece(buffer_.data(), static_cast<std::size_t>(size));
    Count(counter_.Take(piece), MonotonicNow());
    Keep(piece);
    read_so_far += piece.size();
  }
  return true;
}

void CommandOutput::Keep(std::string_view bytes) {
  while (file_.valid() && !bytes.empty()) {
    const ssize_t written = write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      // A full disk may have room again for what comes later.
      if (lost_ == 0) why_lost_ = ErrnoText(errno);
      lost_ += bytes.size();
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void CommandOutput::Count(std::uint64_t lines, Nanos at) {
  if (lines == 0) return;
  counted_ += lines;
  units_.Publish(counted_, at);
}

}  // namespace corerig
