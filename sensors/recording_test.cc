#include "sensors/recording.h"

#include <gtest/gtest.h>

#include <set>

#include "harness/base/philox.h"

namespace corerig {
namespace {

std::span<const std::byte> AsBytes(std::string_view text) { return std::as_bytes(std::span(text)); }

Recording Of(std::initializer_list<std::int64_t> stamps) {
  Recording recording;
  for (const std::int64_t at : stamps) EXPECT_TRUE(recording.Add(Nanos(at), AsBytes("x")));
  return recording;
}

TEST(Recording, KeepsFramesAndTheirTimesSinceTheFirst) {
  Recording recording;
  ASSERT_TRUE(recording.Add(Nanos(1'000), AsBytes("abc")));
  ASSERT_TRUE(recording.Add(Nanos(1'000), AsBytes("d")));
  ASSERT_TRUE(recording.Add(Nanos(1'700), AsBytes("ef")));
  ASSERT_EQ(recording.size(), 3u);
  EXPECT_EQ(recording.at(0), Nanos(0));
  EXPECT_EQ(recording.at(1), Nanos(0));
  EXPECT_EQ(recording.at(2), Nanos(700));
  EXPECT_EQ(recording.frame(0).size(), 3u);
  EXPECT_EQ(recording.frame(1)[0], std::byte{'d'});
  EXPECT_EQ(recording.frame(2)[1], std::byte{'f'});
  EXPECT_EQ(recording.largest(), 3u);
}

TEST(Recording, ItsCycleEndsAUsualSpacingAfterTheLastFrame) {
  EXPECT_EQ(Of({50, 150, 250, 1250}).cycle(), Nanos(1200 + 100));
  EXPECT_EQ(Of({0, 10, 10, 10, 20, 20, 20, 31}).cycle(), Nanos(31 + 10)) << "frames of one instant are no spacing";
  EXPECT_EQ(Of({77}).cycle(), std::chrono::seconds(1));
  EXPECT_EQ(Of({77, 77}).cycle(), std::chrono::seconds(1));
}

TEST(Recording, SaysWhatItHoldsAndWhatWasLeftOut) {
  Recording recording = Of({0, 1'500'000});
  EXPECT_EQ(recording.About(), "2 frames in 1500us");
  recording.Skip("not UDP");
  recording.Skip("fragment");
  recording.Skip("not UDP");
  EXPECT_EQ(recording.About(), "2 frames in 1500us; skipped 2: not UDP, 1: fragment");
  EXPECT_EQ(Of({3}).About(), "1 frame in 0s");
}

TEST(Recording, RefusesStampsThatGoBackAndWhatIsTooMuch) {
  Recording recording = Of({0, 5'000});
  EXPECT_EQ(recording.Add(Nanos(4'000), AsBytes("x")).error().message,
            "the stamp is 1us before the one of the frame before; put the recording into the order of its stamps");
  EXPECT_EQ(recording.Add(std::chrono::hours(24 * 100) + Nanos(1), AsBytes("x")).error().message,
            "the stamp is more than 100 days after the first; cut the recording");
  EXPECT_EQ(recording.Add(Nanos(5'000), {}).error().message, "a frame of 0 bytes; one has 1 to 65507");
  EXPECT_EQ(recording.Add(Nanos(5'000), std::vector<std::byte>(65'508)).error().message,
            "a frame of 65508 bytes; one has 1 to 65507");
  EXPECT_TRUE(recording.Add(Nanos(5'000), std::vector<std::byte>(65'507)));
  EXPECT_EQ(recording.size(), 3u);

  Recording full;
  for (std::size_t i = 0; i < kMostRecordedFrames; ++i) ASSERT_TRUE(full.Add(Nanos(0), AsBytes("x")));
  EXPECT_EQ(full.Add(Nanos(0), AsBytes("x")).error().message, "a recording holds at most 1000000 frames; cut it");
}

TEST(Lines, EndWithLfOrCrLfOrTheText) {
  std::vector<std::string> found;
  Lines lines("one\ntwo\r\n\n \rthree");
  while (lines.Next()) found.push_back(StrCat(lines.number(), lines.line()));
  EXPECT_EQ(found, (std::vector<std::string>{"1one", "2two", "3", "4 \rthree"}));
  EXPECT_FALSE(Lines("").Next());
}

TEST(ParseSeconds, IsExactToTheNanosecond) {
  EXPECT_EQ(ParseSeconds("1436509052.249713"), Nanos(1'436'509'052'249'713'000));
  EXPECT_EQ(ParseSeconds("1436509052.2497134019"), Nanos(1'436'509'052'249'713'401));
  EXPECT_EQ(ParseSeconds("0000000000.000000"), Nanos(0));
  EXPECT_EQ(ParseSeconds("12"), Nanos(12'000'000'000));
  EXPECT_EQ(ParseSeconds("12."), Nanos(12'000'000'000));
  EXPECT_EQ(ParseSeconds("9223372035.999999999"), Nanos(9'223'372'035'999'999'999));
  for (const char* wrong :
       {"", ".", ".5", "-1", "+1", "1.2.3", "1e3", "1 ", "9223372036", "99999999999999999999", "x"}) {
    EXPECT_EQ(ParseSeconds(wrong), std::nullopt) << wrong;
  }
}

TEST(Quoted, IsPrintableAndShort) {
  EXPECT_EQ(Quoted("a\tb\x80"), "\"a?b?\"");
  EXPECT_EQ(Quoted(std::string(41, 'x')), "\"" + std::string(40, 'x') + "…\"");
}

TEST(KeyOfBytes, IsAnotherOneForEveryFlippedBitAndEveryCut) {
  std::vector<std::byte> frame(67);
  for (std::size_t i = 0; i < frame.size(); ++i) frame[i] = static_cast<std::byte>(RandomWords(1, 2, i)[0]);
  std::set<std::uint64_t> keys = {KeyOfBytes(frame)};
  for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
    frame[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    EXPECT_TRUE(keys.insert(KeyOfBytes(frame)).second) << bit;
    frame[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
  }
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_TRUE(keys.insert(KeyOfBytes(std::span(frame).first(size))).second) << size;
  }
  EXPECT_EQ(KeyOfBytes(std::vector<std::byte>(frame)), KeyOfBytes(frame));
}

TEST(KeyOfBytes, TellsFramesApartThatDifferInZerosAtTheEnd) {
  std::set<std::uint64_t> keys;
  for (std::size_t size = 0; size < 40; ++size) keys.insert(KeyOfBytes(std::vector<std::byte>(size)));
  EXPECT_EQ(keys.size(), 40u);
}

}  // namespace
}  // namespace corerig
