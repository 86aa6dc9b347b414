#include "sensors/recording.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "harness/base/quantity.h"
#include "harness/base/text.h"

namespace corerig {

Status Recording::Add(Nanos at, std::span<const std::byte> frame) {
  if (!frames_.empty() && at < frames_.back().at) {
    return Fail("the stamp is ", ToText(frames_.back().at - at),
                " before the one of the frame before; put the recording into the order of its stamps");
  }
  constexpr Nanos kLongest = std::chrono::hours(24 * 100);
  if (!frames_.empty() && at - frames_[0].at > kLongest) {
    return Fail("the stamp is more than 100 days after the first; cut the recording");
  }
  if (frames_.size() == kMostRecordedFrames) {
    return Fail("a recording holds at most ", kMostRecordedFrames, " frames; cut it");
  }
  if (frame.empty() || frame.size() > kLargestRecordedFrame) {
    return Fail("a frame of ", frame.size(), " bytes; one has 1 to ", kLargestRecordedFrame);
  }
  frames_.push_back({.at = at, .begin = bytes_.size(), .size = static_cast<std::uint32_t>(frame.size())});
  bytes_.insert(bytes_.end(), frame.begin(), frame.end());
  largest_ = std::max(largest_, frame.size());
  return {};
}

void Recording::Skip(std::string_view why) {
  for (auto& [known, count] : skipped_) {
    if (known == why) {
      ++count;
      return;
    }
  }
  skipped_.emplace_back(why, 1);
}

Nanos Recording::cycle() const {
  std::vector<Nanos> spacings;
  for (std::size_t i = 1; i < frames_.size(); ++i) {
    if (frames_[i].at > frames_[i - 1].at) spacings.push_back(frames_[i].at - frames_[i - 1].at);
  }
  if (spacings.empty()) return std::chrono::seconds(1);
  const auto median = spacings.begin() + static_cast<std::ptrdiff_t>(spacings.size() / 2);
  std::nth_element(spacings.begin(), median, spacings.end());
  return at(size() - 1) + *median;
}

std::string Recording::About() const {
  std::string about =
      StrCat(size(), size() == 1 ? " frame in " : " frames in ", ToText(size() == 0 ? Nanos(0) : at(size() - 1)));
  for (std::size_t i = 0; i < skipped_.size(); ++i) {
    about += StrCat(i == 0 ? "; skipped " : ", ", skipped_[i].second, ": ", skipped_[i].first);
  }
  return about;
}

bool Lines::Next() {
  if (rest_.empty()) return false;
  const std::size_t end = rest_.find('\n');
  line_ = rest_.substr(0, end);
  rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  ++number_;
  return true;
}

std::optional<Nanos> ParseSeconds(std::string_view text) {
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view decimals = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  const auto digits = [](std::string_view part) {
    return std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (whole.empty() || !digits(whole) || !digits(decimals)) return std::nullopt;
  const auto seconds = ParseNumber<std::int64_t>(whole);
  constexpr std::int64_t kBillion = 1'000'000'000, kMost = std::numeric_limits<std::int64_t>::max() / kBillion;
  if (!seconds || *seconds >= kMost) return std::nullopt;
  std::int64_t nanos = 0;
  for (std::size_t i = 0; i < 9; ++i) nanos = nanos * 10 + (i < decimals.size() ? decimals[i] - '0' : 0);
  return Nanos(*seconds * kBillion + nanos);
}

std::string Quoted(std::string_view text) {
  constexpr std::size_t kShown = 40;
  std::string quoted = "\"";
  for (const char c : text.substr(0, kShown)) quoted += c >= ' ' && c <= '~' ? c : '?';
  return quoted + (text.size() > kShown ? "…\"" : "\"");
}

std::uint64_t KeyOfBytes(std::span<const std::byte> bytes) {
  // Each step is a bijection of the state for a given word, and of the word for a given state.
  constexpr std::uint64_t kOdd = 0x9E37'79B9'7F4A'7C15;  // 2^64 / the golden ratio
  std::uint64_t state = bytes.size();
  const auto take = [&state](std::uint64_t word) {
    state = (state ^ word) * kOdd;
    state ^= state >> 32;
  };
  std::uint64_t word = 0;
  for (; bytes.size() >= sizeof word; bytes = bytes.subspan(sizeof word)) {
    std::memcpy(&word, bytes.data(), sizeof word);
    take(word);
  }
  word = 0;
  if (!bytes.empty()) std::memcpy(&word, bytes.data(), bytes.size());
  take(word);
  return state;
}

}  // namespace corerig
