#include "sensors/nmea_log.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/text.h"
#include "sensors/nmea.h"

namespace corerig {
namespace {

constexpr Nanos kDay = std::chrono::hours(24);

// Behind the two letters of the talker; the time is a sentence's `field`-th.
struct TimedSentence {
  std::string_view type;
  std::size_t field;
};
constexpr TimedSentence kTimed[] = {{"RMC", 1}, {"GGA", 1}, {"GNS", 1}, {"ZDA", 1},
                                    {"GST", 1}, {"GBS", 1}, {"GRS", 1}, {"GLL", 5}};

bool BeginsSentence(char c) { return c == '$' || c == '!'; }

// As NmeaBody, also of a sentence that begins with an exclamation mark. The first character may be changed.
std::optional<std::string_view> BodyOf(std::span<char> sentence) {
  if (sentence.empty() || !BeginsSentence(sentence[0])) return std::nullopt;
  sentence[0] = '$';
  return NmeaBody({sentence.data(), sentence.size()});
}

// "*5B", as a line should end: of what stands between its first character and the asterisk.
std::string ChecksumOf(std::string_view line) {
  unsigned sum = 0;
  for (const char c : line.substr(1, line.find('*') - 1)) sum ^= static_cast<unsigned char>(c);
  constexpr std::string_view kHex = "0123456789ABCDEF";
  return {'*', kHex[sum >> 4], kHex[sum & 15]};
}

// The UTC field; "" if the sentence has none, or it is empty.
std::string_view TimeField(std::string_view body) {
  const std::string_view address = body.substr(0, body.find(','));
  if (address.size() != 5) return {};
  const auto timed = std::find_if(std::begin(kTimed), std::end(kTimed),
                                  [&](const TimedSentence& known) { return known.type == address.substr(2); });
  if (timed == std::end(kTimed)) return {};
  for (std::size_t i = 0; i < timed->field; ++i) {
    const std::size_t comma = body.find(',');
    if (comma == std::string_view::npos) return {};
    body.remove_prefix(comma + 1);
  }
  return body.substr(0, body.find(','));
}

// "hhmmss", "hhmmss.ss": since midnight. A leap second is second 60.
std::optional<Nanos> TimeOfDay(std::string_view field) {
  const auto two = [&](std::size_t at) { return ParseNumber<unsigned>(field.substr(at, 2)); };
  if (field.size() < 6 || (field.size() > 6 && field[6] != '.')) return std::nullopt;
  const auto hours = two(0), minutes = two(2);
  const auto seconds = ParseSeconds(field.substr(4));
  if (!hours || !minutes || !seconds || *hours > 23 || *minutes > 59 || *seconds >= std::chrono::seconds(61)) {
    return std::nullopt;
  }
  return std::chrono::hours(*hours) + std::chrono::minutes(*minutes) + *seconds;
}

class SentenceDecoder final : public Decoder {
 public:
  void Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) override {
    if (offset != next_) GiveUp(sink);  // bytes are missing: what was begun cannot be finished
    next_ = offset;
    std::uint64_t garbage = offset;  // from here on bytes of no sentence
    for (const std::byte byte : bytes) {
      const char c = static_cast<char>(byte);
      if (BeginsSentence(c)) {
        // Starts a sentence, wherever it comes.
        if (size_ > 0) garbage = next_ - size_;
        Report(garbage, next_, sink);
        size_ = 0;
      } else if (size_ == 0) {
        ++next_;
        continue;
      }
      sentence_[size_++] = c;
      ++next_;
      if (c == '\n') {
        garbage = Finish(sink);
      } else if (size_ == kLongestRecordedSentence) {
        garbage = next_ - size_;
        size_ = 0;
      }
    }
    if (size_ == 0) Report(garbage, next_, sink);
  }

 private:
  // Returns where bytes of no sentence begin: here, or with a sentence that is none.
  std::uint64_t Finish(FrameSink& sink) {
    const std::span<char> sentence(sentence_.data(), size_);
    const std::uint64_t begin = next_ - size_, key = KeyOfBytes(std::as_bytes(sentence));
    size_ = 0;
    if (!BodyOf(sentence)) return begin;
    sink.OnFrame({.wire_key = key, .value = 0, .begin = begin, .end = next_});
    return next_;
  }

  void GiveUp(FrameSink& sink) {
    Report(next_ - size_, next_, sink);
    size_ = 0;
  }

  static void Report(std::uint64_t begin, std::uint64_t end, FrameSink& sink) {
    if (begin < end) sink.OnCorrupt(begin, end);
  }

  std::uint64_t next_ = 0;
  std::array<char, kLongestRecordedSentence> sentence_;
  std::size_t size_ = 0;  // of the sentence being received; 0 outside one
};

}  // namespace

Result<Recording> ReadNmeaLog(std::string_view text) {
  Recording recording;
  struct Waiting {
    std::uint64_t line;
    std::string sentence;
  };
  std::vector<Waiting> waiting;  // for the first time that is told
  std::optional<Nanos> now;
  Nanos midnight{0};
  for (Lines lines(text); lines.Next();) {
    if (lines.line().empty() || lines.line()[0] == '#') continue;
    const auto fail = [&](const auto&... pieces) { return Fail(lines.number(), ": ", pieces...); };
    std::string sentence = StrCat(lines.line(), "\r\n");
    if (!BeginsSentence(sentence[0])) {
      return fail(Quoted(lines.line()), " is no sentence; one begins with $ or !; leave the line out");
    }
    if (sentence.size() > kLongestRecordedSentence) {
      return fail("a sentence of ", sentence.size(), " characters; the longest that can be played has ",
                  kLongestRecordedSentence);
    }
    if (sentence.find_first_of("$!", 1) != std::string::npos) {
      return fail(Quoted(lines.line()), " has a $ or ! within, where a receiver sees a sentence begin; split the line");
    }
    std::string checked = sentence;
    const auto body = BodyOf(checked);
    if (!body) {
      return fail(Quoted(lines.line()), " does not end with the checksum ", ChecksumOf(lines.line()),
                  "; leave the line out if it is damaged");
    }
    if (const std::string_view field = TimeField(*body); !field.empty()) {
      const auto time = TimeOfDay(field);
      if (!time) return fail("UTC ", Quoted(field), " is no time; it is written hhmmss.ss");
      // Over midnight it falls by nearly a day, and with a step back over midnight it rises by as much.
      if (now && midnight + *time + kDay / 2 < *now) midnight += kDay;
      if (now && midnight + *time > *now + kDay / 6 * 5) midnight -= kDay;
      now = midnight + *time;
    }
    waiting.push_back({lines.number(), std::move(sentence)});
    if (!now) continue;
    for (const Waiting& frame : waiting) {
      if (auto added = recording.Add(*now, std::as_bytes(std::span(frame.sentence))); !added) {
        return ForwardWith(added, frame.line, ": ");
      }
    }
    waiting.clear();
  }
  if (!waiting.empty()) {
    return Fail(waiting[0].line, ": no sentence tells the time; record RMC, GGA, GNS, ZDA or GLL as well");
  }
  return recording;
}

std::unique_ptr<Decoder> MakeSentenceDecoder() { return std::make_unique<SentenceDecoder>(); }

}  // namespace corerig
