#include "harness/report/columns.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace corerig {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Columns, AMicroSignAnInfinityAndADashTakeOneColumn) {
  EXPECT_EQ(DisplayWidth("18.9 µs"), 7);
  EXPECT_EQ(DisplayWidth("∞"), 1);
  EXPECT_EQ(DisplayWidth("–"), 1);
  EXPECT_EQ(DisplayWidth("✓✗"), 2);
  EXPECT_EQ(DisplayWidth("█░"), 2);
}

TEST(Columns, CombiningMarksTakeNoColumnAndWideCharactersTwo) {
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);
  EXPECT_EQ(DisplayWidth("板"), 2);
}

TEST(Columns, PrintableTextHasNoControlCharacters) {
  EXPECT_EQ(Printable("a\x1b[2Jb\nc\t\x7f"), "a [2Jb c  ");
  EXPECT_EQ(Printable("\xC2\x9B"
                      "2J"),
            " 2J")
      << "U+009B starts a control sequence as ESC [ does";
  EXPECT_EQ(Printable("\u202Eabc"), " abc");
  EXPECT_EQ(Printable("18.9 µs ✓"), "18.9 µs ✓");
}

TEST(Columns, BrokenUtf8IsReplaced) {
  EXPECT_EQ(Printable("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(Printable("a\xC2"), "a\uFFFD");
  EXPECT_EQ(Printable("\xC0\xAF"), "\uFFFD\uFFFD") << "an overlong slash";
  EXPECT_EQ(Printable("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD") << "a surrogate";
  EXPECT_EQ(Printable("\xE2\x80z"), "\uFFFD\uFFFDz");
}

TEST(Columns, CuttingCountsColumnsAndNeverSplitsACharacter) {
  EXPECT_EQ(Cut("18.9 µs", 7), "18.9 µs");
  EXPECT_EQ(Cut("18.9 µs", 6), "18.9 …");
  EXPECT_EQ(Cut("µµµµ", 3), "µµ…");
  EXPECT_EQ(Cut("板板", 3), "板…");
  EXPECT_EQ(Cut("板板", 2), "…");
  EXPECT_EQ(Cut("abc", 0), "");
  EXPECT_EQ(Cut("", 0), "");
}

TEST(Columns, WrappingBreaksAtBlanksAndBreaksAWordOnlyWhenItMust) {
  EXPECT_THAT(Wrap("one two  three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(Wrap("one two", 6), ElementsAre("one", "two"));
  EXPECT_THAT(Wrap("a unbreakable", 5), ElementsAre("a", "unbre", "akabl", "e"));
  EXPECT_THAT(Wrap("µµ µµ", 2), ElementsAre("µµ", "µµ"));
  EXPECT_THAT(Wrap("  ", 5), IsEmpty());
  EXPECT_THAT(Wrap("ab", 0), ElementsAre("a", "b"));
}

TEST(Columns, TableAlignsByColumnsNotByBytes) {
  Table table({{"name"}, {"p50", Align::kRight}, {"note"}});
  table.Add({"imu", "18.9 µs", "µ"});
  table.Add({"gnss", "–", ""});
  table.Add({"l"});
  EXPECT_THAT(table.Lines(100), ElementsAre("name      p50  note",  //
                                            "imu   18.9 µs  µ",     //
                                            "gnss        –",        //
                                            "l"));
}

TEST(Columns, TableIsCutToTheWidth) {
  Table table({{"name"}, {"end"}});
  table.Add({"price.0", "killed by SIGSEGV"});
  EXPECT_THAT(table.Lines(16), ElementsAre("name     end", "price.0  killed…"));
}

}  // namespace
}  // namespace corerig
