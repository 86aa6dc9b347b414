// Valid scenarios with bytes changed, by seed: whatever comes of it is a plan or one line that says why not.
#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <string_view>

#include "harness/base/philox.h"
#include "harness/plan/plan_json.h"
#include "harness/plan/sample_vocabulary.h"
#include "harness/plan/scenario.h"

namespace corerig {
namespace {

// The scenario with one to eight changes: a byte replaced, removed, put in (also of other scripts), or a piece of the
// text put elsewhere.
std::string Mutated(std::string text, std::uint64_t seed) {
  constexpr std::string_view kSigns = "\"'[]{}=.,#\n\r\t -_0123456789aest\\*<>%:\x01\x7f\xc3\xff";
  constexpr std::string_view kLetters[] = {"é", "µ", "\u1681", "\u2010", "\u3042", "\ufee0", "\U0001f600"};
  const auto words = [&](std::uint64_t i) { return RandomWords(seed, StreamId("mutation"), i); };
  const std::uint32_t changes = 1 + words(0)[0] % 8;
  for (std::uint32_t i = 1; i <= changes && !text.empty(); ++i) {
    const auto [what, where, which, length] = words(i);
    const std::size_t at = where % text.size();
    switch (what % 6) {
      case 0:
        text[at] = static_cast<char>(which);
        break;
      case 1:
        text[at] = kSigns[which % kSigns.size()];
        break;
      case 2:
        text.erase(at, 1 + length % 12);
        break;
      case 3:
        text.insert(at, 1, kSigns[which % kSigns.size()]);
        break;
      case 4:
        text.insert(at, kLetters[which % std::size(kLetters)]);
        break;
      default:
        text.insert(which % text.size(), text.substr(at, 1 + length % 40));
    }
  }
  return text;
}

TEST(ScenarioMutation, IsReadOrRefusedInOneLineWithItsPlace) {
  const Vocabulary vocabulary = SampleVocabulary();
  const Board board = BoardOf({0, 1});
  constexpr std::uint64_t kSeeds = 800;
  std::uint64_t taken = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const std::string text = Mutated(kDrone, seed);
    const auto plan = ReadScenario(text, "s.toml", {}, vocabulary, board);
    if (plan) {
      ++taken;
      const auto back = PlanFromJson(PlanToJson(*plan));
      ASSERT_TRUE(back) << "seed " << seed << ": " << back.error().message;
      ASSERT_EQ(*back, *plan) << "seed " << seed;
      continue;
    }
    const std::string& message = plan.error().message;
    ASSERT_EQ(message.rfind("s.toml:", 0), 0u) << "seed " << seed << ": " << message;
    for (const char c : message) {
      ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << "seed " << seed << ": " << message;
    }
  }
  // Both ends were seen: mutations in comments and texts change nothing that matters.
  EXPECT_GT(taken, kSeeds / 100);
  EXPECT_LT(taken, kSeeds / 2);
}

TEST(ScenarioMutation, AnOverrideIsReadOrRefusedInOneLine) {
  const Vocabulary vocabulary = SampleVocabulary();
  const Board board = BoardOf({0, 1});
  const Override valid[] = {{"stream.gnss.fault", "[{ kind = \"drop\", at = [4, 17] }]"},
                            {"stream.imu.rate", "2kHz"},
                            {"budget.limits", "[\"stream.imu.latency.p99 < 500us\"]"},
                            {"worker.price.cores", "[0, 1]"}};
  for (std::uint64_t seed = 0; seed < 800; ++seed) {
    Override wanted = valid[seed % std::size(valid)];
    wanted.value = Mutated(wanted.value, seed);
    if (seed % 3 == 0) wanted.key = Mutated(wanted.key, seed + 1);
    const auto plan = ReadScenario(kDrone, "s.toml", {wanted}, vocabulary, board);
    if (plan) continue;
    for (const char c : plan.error().message) {
      ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f)
          << "seed " << seed << ": " << plan.error().message;
    }
  }
}

}  // namespace
}  // namespace corerig
