// A command's standard output on its way from a pipe to its file, with the matching lines counted as units of work.
//
//   auto output = CommandOutput::Start(std::move(pipe), std::move(file), LineCounter(std::move(pattern)));
//   ... Progress::Reading units = output->units(); ...
//
// A thread of its own reads and writes, so that neither a flood nor a slow disk keeps the supervisor from its
// readings. It rests a millisecond between two looks, and three times as long as the last one took: at most a
// thousand wake-ups a second and a quarter of a core, however much is written; a program that writes faster waits.
// An instant is that of the look that found the line, a millisecond or so after it was written.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "harness/base/result.h"
#include "harness/child/worker_slab.h"
#include "harness/os/fd.h"
#include "harness/run/line_counter.h"

namespace corerig {

class CommandOutput {
 public:
  // `file` may be invalid: the lines are counted and not kept.
  static Result<std::unique_ptr<CommandOutput>> Start(Fd pipe, Fd file, LineCounter counter);
  ~CommandOutput();  // Finish
  CommandOutput(const CommandOutput&) = delete;

  // From any thread.
  Progress::Reading units() const { return units_.Read(); }

  // Reads what is still in the pipe and ends, also if someone holds its other end.
  void Finish();

  // What the file did not take, and why; after Finish.
  std::uint64_t lost() const { return lost_; }
  const std::string& why_lost() const { return why_lost_; }

 private:
  CommandOutput(Fd pipe, Fd file, Fd finish, LineCounter counter);
  void Serve();
  bool ReadOn(Nanos cost_limit);
  void Keep(std::string_view bytes);
  void Count(std::uint64_t lines, Nanos at);

  Fd pipe_, file_, finish_;
  LineCounter counter_;
  Progress units_;
  std::uint64_t counted_ = 0;
  std::uint64_t lost_ = 0;
  std::string why_lost_;
  std::string buffer_;
  std::thread thread_;
};

}  // namespace corerig
