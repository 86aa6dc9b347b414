// The texts that /proc/PID has in several kernels, read whole, and read after they were damaged: never a crash, and
// never a value that no well-formed line of the damaged text has.
#include <gtest/gtest.h>

#include <cctype>
#include <set>
#include <string>
#include <vector>

#include "harness/base/philox.h"
#include "harness/os/fd.h"
#include "harness/os/procfs.h"
#include "harness/os/smaps.h"

namespace corerig {
namespace {

constexpr const char* kKernels[] = {"4.19", "5.10", "6.1", "6.18"};
constexpr std::uint64_t kKiB = 1024;

std::string Text(std::string_view kernel, std::string_view file) {
  const auto text = ReadFile(StrCat("harness/os/testdata/kernel-", kernel, "/", file));
  EXPECT_TRUE(text) << text.error().message;
  return text.value_or("");
}

TEST(EveryKernel, SmapsRollup) {
  for (const char* kernel : kKernels) {
    const auto memory = ParseSmapsRollup(Text(kernel, "smaps_rollup"));
    ASSERT_TRUE(memory) << kernel << ": " << memory.error().message;
    EXPECT_EQ(memory->rss, 14036 * kKiB) << kernel;
    EXPECT_EQ(memory->pss, 8415 * kKiB) << kernel << ": and not Pss_Anon, Pss_Dirty or SwapPss";
    EXPECT_EQ(memory->uss, (12 + 3968) * kKiB) << kernel;
    EXPECT_EQ(memory->shared, (3780 + 6276) * kKiB) << kernel << ": and not Shared_Hugetlb";
    EXPECT_EQ(memory->swap, 0u) << kernel;
    EXPECT_EQ(memory->rss, memory->uss + memory->shared) << kernel;
  }
}

TEST(EveryKernel, StatusAgreesWithStatm) {
  for (const char* kernel : kKernels) {
    const auto status = ParseStatus(Text(kernel, "status"));
    ASSERT_TRUE(status) << kernel << ": " << status.error().message;
    EXPECT_EQ(status->rss, 14036 * kKiB) << kernel;
    EXPECT_EQ(status->rss_peak, 14036 * kKiB) << kernel;
    EXPECT_EQ(status->page_tables, 84 * kKiB) << kernel;
    EXPECT_EQ(status->swap, 0u) << kernel;
    EXPECT_EQ(status->voluntary, 0u) << kernel;
    EXPECT_EQ(status->involuntary, 1u) << kernel;
    // "size resident shared …", in pages of 4 KiB.
    const std::string statm = Text(kernel, "statm");
    EXPECT_EQ(*ParseNumber<std::uint64_t>(Split(statm, ' ')[1]) * 4 * kKiB, status->rss) << kernel;
  }
}

TEST(EveryKernel, StatAndSchedStat) {
  for (const char* kernel : kKernels) {
    const auto stat = ParseStat(Text(kernel, "stat"));
    ASSERT_TRUE(stat) << kernel << ": " << stat.error().message;
    EXPECT_EQ(stat->state, 'R') << kernel << ": the process's, not its name's";
    EXPECT_EQ(stat->parent, 28473) << kernel;
    EXPECT_EQ(stat->minor_faults, 1027u) << kernel;
    EXPECT_EQ(stat->start_time, 351959u) << kernel;
    const auto schedule = ParseSchedStat(Text(kernel, "schedstat"));
    ASSERT_TRUE(schedule) << kernel << ": " << schedule.error().message;
    EXPECT_EQ(schedule->run, Nanos(2378256)) << kernel;
    EXPECT_EQ(schedule->wait, Nanos(73359)) << kernel;
  }
}

TEST(Status, UpperPageTablesOfOldKernelsStandApart) {
  constexpr std::string_view kRest = "\nvoluntary_ctxt_switches:\t1\nnonvoluntary_ctxt_switches:\t2\n";
  EXPECT_EQ(ParseStatus(StrCat("VmPTE:\t      84 kB\nVmPMD:\t      12 kB", kRest))->page_tables, 96 * kKiB);
  EXPECT_EQ(ParseStatus(StrCat("VmPTE:\t      84 kB", kRest))->page_tables, 84 * kKiB);
  EXPECT_EQ(ParseStatus(kRest)->page_tables, std::nullopt);
  EXPECT_FALSE(ParseStatus(StrCat("VmPTE:\t      84", kRest)));
  EXPECT_FALSE(ParseStatus(StrCat("VmSwap:\t -1 kB", kRest)));
}

TEST(SwapTotal, OfMeminfo) {
  EXPECT_EQ(ParseSwapTotal("MemTotal:  8 kB\nSwapCached: 1 kB\nSwapTotal:    2048 kB\nSwapFree: 3 kB\n"), 2048 * kKiB);
  EXPECT_EQ(ParseSwapTotal("SwapTotal:             0 kB\n"), 0u);
  EXPECT_EQ(ParseSwapTotal("MemTotal:  8 kB\n").error().message, "meminfo: no line \"SwapTotal:\"");
  EXPECT_EQ(ParseSwapTotal("SwapTotal:  8\n").error().message,
            "meminfo: SwapTotal is \"8\"; expected a size such as \"1684 kB\"");
}

// --- damage

// Random numbers of one mutation.
class Dice {
 public:
  explicit Dice(std::uint64_t index) : index_(index) {}
  std::size_t Below(std::size_t limit) {
    if (next_ % 4 == 0) words_ = RandomWords(/*seed=*/7, StreamId("damage"), index_, next_ / 4);
    return words_[next_++ % 4] % limit;
  }

 private:
  std::uint64_t index_;
  std::uint32_t next_ = 0;
  PhiloxCounter words_ = {};
};

// Cut off, with bytes turned over, replaced or inserted, with lines twice, gone or changed about.
std::string Damaged(std::string text, std::uint64_t index) {
  Dice dice(index);
  for (std::size_t times = 1 + dice.Below(4); times > 0 && !text.empty(); --times) {
    auto lines = Split(text, '\n');
    const std::size_t line = dice.Below(lines.size()), other = dice.Below(lines.size());
    const std::size_t at = dice.Below(text.size());
    constexpr std::string_view kLikely = " \t\n:)(-+.0123456789kBVx";
    switch (dice.Below(7)) {
      case 0:
        text.resize(at);
        continue;
      case 1:
        text[at] = static_cast<char>(text[at] ^ (1 << dice.Below(8)));
        continue;
      case 2:
        text[at] = kLikely[dice.Below(kLikely.size())];
        continue;
      case 3:
        text.insert(at, 1, kLikely[dice.Below(kLikely.size())]);
        continue;
      case 4:
        lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(other), lines[line]);
        break;
      case 5:
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(line));
        break;
      default:
        std::swap(lines[line], lines[other]);
    }
    std::string joined;
    for (std::size_t i = 0; i < lines.size(); ++i) joined.append(i == 0 ? "" : "\n").append(lines[i]);
    text = std::move(joined);
  }
  return text;
}

// An oracle with no code in common with the parsers: the numbers N of all lines "key: N" or "key: N kB", blanks
// anywhere between.
std::set<std::uint64_t> WellFormed(const std::string& text, const std::string& key, const std::string& unit) {
  std::set<std::uint64_t> values;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (text.compare(begin, key.size(), key) != 0) {
      begin = end + 1;
      continue;
    }
    std::string words;  // of the line, with one blank between
    for (std::size_t i = begin; i < end; ++i) {
      const char c = text[i];
      const bool blank = c == ' ' || c == '\t' || c == '\r';
      if (c == ':') words += ' ';
      if (!blank) words += c;
      if ((blank || c == ':') && !words.empty() && words.back() != ' ') words += ' ';
    }
    while (!words.empty() && words.back() == ' ') words.pop_back();
    begin = end + 1;
    const std::string before = key + " : ", behind = unit.empty() ? "" : " " + unit;
    if (words.size() <= before.size() + behind.size() || words.compare(0, before.size(), before) != 0) continue;
    if (words.compare(words.size() - behind.size(), behind.size(), behind) != 0) continue;
    const std::string digits = words.substr(before.size(), words.size() - before.size() - behind.size());
    std::uint64_t value = 0;
    bool good = true;
    for (const char c : digits) {
      good = good && std::isdigit(static_cast<unsigned char>(c)) && value <= (UINT64_MAX - 9) / 10;
      value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (good) values.insert(value);
  }
  return values;
}

constexpr std::uint64_t kMutations = 1000;  // of each text of each kernel

TEST(DamagedText, SmapsRollupHasOnlyValuesOfWellFormedLines) {
  std::uint64_t read = 0;
  for (const char* kernel : kKernels) {
    const std::string whole = Text(kernel, "smaps_rollup");
    for (std::uint64_t i = 0; i < kMutations; ++i) {
      const std::string text = Damaged(whole, i);
      const auto memory = ParseSmapsRollup(text);
      if (!memory) {
        ASSERT_FALSE(memory.error().message.empty());
        continue;
      }
      ++read;
      ASSERT_TRUE(WellFormed(text, "Rss", "kB").contains(memory->rss / kKiB)) << text;
      ASSERT_TRUE(WellFormed(text, "Pss", "kB").contains(memory->pss / kKiB)) << text;
      ASSERT_TRUE(WellFormed(text, "Swap", "kB").contains(memory->swap / kKiB)) << text;
      std::set<std::uint64_t> sums;
      for (const auto clean : WellFormed(text, "Private_Clean", "kB")) {
        for (const auto dirty : WellFormed(text, "Private_Dirty", "kB")) sums.insert(clean + dirty);
      }
      ASSERT_TRUE(sums.contains(memory->uss / kKiB)) << text;
    }
  }
  EXPECT_GT(read, kMutations) << "the damage is not so great that nothing is read";
}

TEST(DamagedText, StatusHasOnlyValuesOfWellFormedLines) {
  std::uint64_t read = 0;
  for (const char* kernel : kKernels) {
    const std::string whole = Text(kernel, "status");
    for (std::uint64_t i = 0; i < kMutations; ++i) {
      const std::string text = Damaged(whole, i);
      const auto status = ParseStatus(text);
      if (!status) {
        ASSERT_FALSE(status.error().message.empty());
        continue;
      }
      ++read;
      const auto expect = [&](const std::optional<std::uint64_t>& value, const std::string& key) {
        ASSERT_TRUE(!value || WellFormed(text, key, "kB").contains(*value / kKiB)) << key << "\n" << text;
      };
      expect(status->rss, "VmRSS");
      expect(status->rss_peak, "VmHWM");
      expect(status->swap, "VmSwap");
      if (WellFormed(text, "VmPMD", "kB").empty()) expect(status->page_tables, "VmPTE");
      ASSERT_TRUE(WellFormed(text, "voluntary_ctxt_switches", "").contains(status->voluntary)) << text;
      ASSERT_TRUE(WellFormed(text, "nonvoluntary_ctxt_switches", "").contains(status->involuntary)) << text;
    }
  }
  EXPECT_GT(read, kMutations);
}

// The blank-separated words behind the last ')' of a text, or of all of it.
std::vector<std::string> WordsOf(const std::string& text) {
  std::vector<std::string> words(1);
  for (std::size_t i = text.rfind(')') + 1; i < text.size(); ++i) {
    if (text[i] != ' ') {
      words.back() += text[i];
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  while (!words.back().empty() && std::string_view("\n\r\t").find(words.back().back()) != std::string_view::npos) {
    words.back().pop_back();
  }
  return words;
}

TEST(DamagedText, StatHasOnlyTheNumbersThatStandInItsFields) {
  std::uint64_t read = 0;
  const std::string whole = Text("6.18", "stat");
  for (std::uint64_t i = 0; i < 4 * kMutations; ++i) {
    const std::string text = Damaged(whole, i);
    const auto stat = ParseStat(text);
    if (!stat) continue;
    ++read;
    auto words = WordsOf(text);
    while (!words.empty() && words.front().find_first_not_of("\t\r\n") == std::string::npos) words.erase(words.begin());
    ASSERT_GT(words.size(), 36u) << text;
    const auto trimmed = std::string(Trim(words[0]));
    ASSERT_EQ(trimmed, std::string(1, stat->state)) << text;
    // As written, but for zeros in front.
    const auto plain = [](const std::string& word) {
      return word.substr(std::min(word.find_first_not_of('0'), word.size() - 1));
    };
    ASSERT_EQ(plain(words[1]), StrCat(stat->parent)) << text;
    ASSERT_EQ(plain(words[7]), StrCat(stat->minor_faults)) << text;
    ASSERT_EQ(plain(words[9]), StrCat(stat->major_faults)) << text;
    ASSERT_EQ(plain(words[19]), StrCat(stat->start_time)) << text;
    ASSERT_EQ(plain(words[36]), StrCat(stat->processor)) << text;
  }
  EXPECT_GT(read, kMutations / 2);
}

TEST(DamagedText, SchedStatHasOnlyTheNumbersThatStandInIt) {
  std::uint64_t read = 0;
  const std::string whole = Text("6.18", "schedstat");
  for (std::uint64_t i = 0; i < 4 * kMutations; ++i) {
    const std::string text = Damaged(whole, i);
    const auto stat = ParseSchedStat(text);
    if (!stat) continue;
    ++read;
    ASSERT_EQ(text.find_first_not_of("0123456789 \t\r\n"), std::string::npos) << text;
    // Zeros in front apart, its numbers are the text.
    std::string digits;
    for (const char c : text) {
      if (std::isdigit(static_cast<unsigned char>(c))) digits += c;
    }
    const std::string found = StrCat(stat->run.count(), stat->wait.count(), stat->timeslices);
    std::size_t at = 0;
    for (const char c : digits) {
      if (at < found.size() && c == found[at]) {
        ++at;
      } else {
        ASSERT_EQ(c, '0') << text;
      }
    }
    ASSERT_EQ(at, found.size()) << text;
  }
  EXPECT_GT(read, kMutations / 8);
}

}  // namespace
}  // namespace corerig
