// A recording that the user has, read into the frames that go on the wire and when they came.
//
//   Recording recording;
//   if (auto added = recording.Add(stamp, bytes); !added) return ForwardWith(added, line, ": ");
//   recording.Skip("not UDP");
//   recording.frame(0);                 // its bytes
//   recording.at(1);                    // since the first one
//
// Played, it is a cycle: after the last frame comes the first again, a usual spacing later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/units.h"

namespace corerig {

// What a plan, a source's memory and a start take without strain.
inline constexpr std::size_t kMostRecordedFrames = 1'000'000, kLargestRecording = 256u << 20;  // bytes of the file
inline constexpr std::size_t kLargestRecordedFrame = 65'507;                                   // of UDP over IPv4

class Recording {
 public:
  // Appends a frame of the recording's own time `at`. Fails, with what is wrong and what would be right, if that is
  // before the last one's, or there are too many.
  Status Add(Nanos at, std::span<const std::byte> frame);
  // Counts something that is left out. `why` outlives the recording.
  void Skip(std::string_view why);

  std::size_t size() const { return frames_.size(); }
  Nanos at(std::size_t i) const { return frames_[i].at - frames_[0].at; }
  std::span<const std::byte> frame(std::size_t i) const {
    return std::span(bytes_).subspan(frames_[i].begin, frames_[i].size);
  }
  std::size_t largest() const { return largest_; }
  // From the first frame to when it comes again: as long as the frames take, and the median of what is between frames
  // that are not of one instant; a second if all are of one. Not of an empty recording.
  Nanos cycle() const;
  // "1200 frames in 1.5s; skipped 3: not UDP"
  std::string About() const;

 private:
  struct Frame {
    Nanos at;
    std::size_t begin;
    std::uint32_t size;
  };
  std::vector<Frame> frames_;
  std::vector<std::byte> bytes_;
  std::size_t largest_ = 0;
  std::vector<std::pair<std::string_view, std::uint64_t>> skipped_;
};

// Takes the lines off a text one by one, with or without a CR at the end.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  // False when there is none left.
  bool Next();
  std::string_view line() const { return line_; }
  std::uint64_t number() const { return number_; }  // from 1

 private:
  std::string_view rest_, line_;
  std::uint64_t number_ = 0;
};

// "1436509052.249713": seconds with any number of decimals, of which those of nanoseconds count; exact. Nothing if it
// is no such number, or beyond 292 years.
std::optional<Nanos> ParseSeconds(std::string_view text);

// The beginning of what cannot be understood, fit for a message: printable, in quotes.
std::string Quoted(std::string_view text);

// What tells frames apart on a wire that has no counter and no stamp: a number made of all bytes. It is another one
// whenever the frames differ within one aligned word of eight bytes, and hardly ever the same else.
std::uint64_t KeyOfBytes(std::span<const std::byte> bytes);

}  // namespace corerig
