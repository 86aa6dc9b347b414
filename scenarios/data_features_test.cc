#include "scenarios/data_features.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>

#include "scenarios/group_run.h"

namespace corerig {
namespace {

std::string Write(const std::string& text) {
  std::string path = testing::TempDir() + "/features";
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

constexpr int kRows = 60'000;
double AxOf(int i) { return std::round(1e4 * (0.3 * std::sin(0.01 * i) + 0.0001 * (i % 7))) / 1e4; }

// 1.2 MB, five chunks.
std::string Csv() {
  std::string text = "t,ax,constant\n";
  for (int i = 0; i < kRows; ++i) {
    char line[64];
    std::snprintf(line, sizeof line, "%d,%.4f,9.81\n", i, AxOf(i));
    text += line;
  }
  return text;
}

GroupRun OfCsv(std::uint64_t units = 5) {
  GroupRun run{.type = DataFeatures(), .units = units};
  return run.Set("file", Write(Csv()));
}

TEST(DataFeatures, AreThoseOfTheColumns) {
  const auto answer = OfCsv().With(1);
  ASSERT_TRUE(answer) << ErrorOf(answer);
  long double sum = 0, squares = 0;
  double least = 1, most = -1;
  int crossings = 0;
  for (int i = 0; i < kRows; ++i) {
    sum += AxOf(i);
    squares += static_cast<long double>(AxOf(i)) * AxOf(i);
    least = std::min(least, AxOf(i));
    most = std::max(most, AxOf(i));
    if (i > 0 && (AxOf(i) < 0) != (AxOf(i - 1) < 0)) ++crossings;
  }
  EXPECT_EQ(FigureOf(*answer, "rows"), kRows);
  EXPECT_EQ(FigureOf(*answer, "columns"), 3);
  EXPECT_EQ(FigureOf(*answer, "chunks"), 5);
  EXPECT_EQ(FigureOf(*answer, "bytes"), static_cast<double>(Csv().size() - 14));
  EXPECT_NEAR(FigureOf(*answer, "t.mean"), (kRows - 1) / 2.0, 1e-8);
  EXPECT_NEAR(FigureOf(*answer, "t.variance"), kRows * (kRows + 1.0) / 12, 1e-4);
  EXPECT_NEAR(FigureOf(*answer, "t.kurtosis"), 1.8, 1e-6) << "of a uniform distribution";
  EXPECT_NEAR(FigureOf(*answer, "t.p50"), kRows / 2, kRows / 2 / 64);
  EXPECT_NEAR(FigureOf(*answer, "ax.mean"), static_cast<double>(sum / kRows), 1e-14);
  EXPECT_NEAR(FigureOf(*answer, "ax.rms"), std::sqrt(static_cast<double>(squares / kRows)), 1e-13);
  EXPECT_EQ(FigureOf(*answer, "ax.min"), least);
  EXPECT_EQ(FigureOf(*answer, "ax.max"), most);
  EXPECT_EQ(FigureOf(*answer, "ax.zero_crossings"), crossings);
  EXPECT_GT(crossings, 100);
  EXPECT_DOUBLE_EQ(FigureOf(*answer, "constant.mean"), 9.81);
  EXPECT_EQ(FigureOf(*answer, "constant.variance"), 0);
  EXPECT_TRUE(std::isnan(FigureOf(*answer, "constant.skewness"))) << "a constant has none";
  EXPECT_TRUE(answer->check->passed);
  const std::string bytes = std::to_string(Csv().size() - 14);
  EXPECT_EQ(answer->check->text,
            "60000 rows take " + bytes + " of the " + bytes + " bytes of the file's data, in 5 chunks");
}

TEST(DataFeatures, AnswerIsTheSameToTheLastBitForAnyNumberOfWorkers) {
  const GroupRun run = OfCsv();
  const auto one = BitsOf(run.With(1));
  ASSERT_GT(one.size(), 30u);
  for (const int workers : {2, 3, 7}) EXPECT_EQ(BitsOf(run.With(workers)), one) << workers << " workers";
}

TEST(DataFeatures, ASecondTimeThroughTheFileChangesNothing) {
  GroupRun run = OfCsv(5);
  auto once = BitsOf(run.With(2));
  run.units = 13;
  run.fixed = false;
  const auto again = run.With(2);
  ASSERT_TRUE(again) << ErrorOf(again);
  EXPECT_EQ(again->units, 13u);
  once[0] = 13;
  EXPECT_EQ(BitsOf(again), once);
}

TEST(DataFeatures, APartOfTheFileIsSaidToBeOne) {
  const auto part = OfCsv().With(3, /*missing=*/1);
  ASSERT_TRUE(part) << ErrorOf(part);
  EXPECT_EQ(part->units, 3u);
  EXPECT_TRUE(part->check->passed);
  EXPECT_EQ(part->check->text,
            "only 3 of the file's 5 chunks were read, and the figures are of these; units = 5 reads all");
}

TEST(DataFeatures, ReadsChannelsOfBinaryNumbers) {
  std::vector<std::int16_t> samples;
  for (int i = 0; i < 200'000; ++i) {
    samples.push_back(static_cast<std::int16_t>(i % 2 == 0 ? 100 : -100));
    samples.push_back(static_cast<std::int16_t>(i % 1000));
  }
  std::string bytes(samples.size() * 2, '\0');
  std::memcpy(bytes.data(), samples.data(), bytes.size());
  GroupRun run{.type = DataFeatures(), .units = 4};
  run.Set("file", Write(bytes)).Set("format", "int16").Set("channels", "2");
  const auto answer = run.With(3);
  ASSERT_TRUE(answer) << ErrorOf(answer);
  EXPECT_TRUE(answer->check->passed) << answer->check->text;
  EXPECT_EQ(FigureOf(*answer, "rows"), 200'000);
  EXPECT_EQ(FigureOf(*answer, "channel1.zero_crossings"), 199'999);
  EXPECT_DOUBLE_EQ(FigureOf(*answer, "channel1.rms"), 100);
  EXPECT_DOUBLE_EQ(FigureOf(*answer, "channel1.kurtosis"), 1);
  EXPECT_NEAR(FigureOf(*answer, "channel2.mean"), 499.5, 1e-10);
  EXPECT_EQ(FigureOf(*answer, "channel2.zero_crossings"), 0);
}

TEST(DataFeatures, ARaggedRowFarIntoTheFileEndsTheWorkerWithItsLine) {
  GroupRun run{.type = DataFeatures(), .units = 5};
  const std::string path = Write(Csv() + "1,2\n");
  run.Set("file", path);
  EXPECT_EQ(run.Refusal(), "") << "only the first chunk is read before the start";
  EXPECT_EQ(ErrorOf(run.With(2)), path + ":60002: 2 columns, the first row has 3");
}

TEST(DataFeatures, RefusesWhatItCannotRead) {
  GroupRun run{.type = DataFeatures()};
  EXPECT_EQ(run.Refusal(), "file is not named; write file = \"drive.csv\"");
  run.Set("file", "/nowhere.csv");
  EXPECT_EQ(run.Refusal(), "cannot read /nowhere.csv: No such file or directory (ENOENT)");
  run.Set("channels", "2");
  EXPECT_EQ(run.Refusal(), "channels is for binary formats; the columns of a CSV are counted");
  run.Set("channels", "33");
  EXPECT_EQ(run.Refusal(), "channels = 33; write 1 to 32");
  run.Set("format", "xml");
  EXPECT_EQ(run.Refusal(), "format \"xml\" is unknown; write \"csv\", \"float32\", \"float64\" or \"int16\"");
}

// Every word of a result, changed: the supervisor takes it for what it is, or says what is wrong, and never falls over.
TEST(DataFeatures, AResultThatIsNotOneIsRefusedNotBelieved) {
  const GroupRun run = OfCsv();
  const auto result = run.ResultOf(1, 0);
  ASSERT_TRUE(result) << result.error().message;
  const auto merge = [&](const std::vector<std::byte>& bytes) {
    return run.type.merge(run.Job(), std::vector<WorkerResult>{{0, bytes}});
  };
  ASSERT_TRUE(merge(*result));
  std::size_t refused = 0;
  const std::size_t words = result->size() / 8;
  for (std::size_t word = 0; word < words; ++word) {
    for (const std::uint64_t value : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{1} << 40}) {
      auto bytes = *result;
      std::memcpy(bytes.data() + 8 * word, &value, sizeof value);
      const auto answer = merge(bytes);
      if (!answer || !answer->check->passed) ++refused;
    }
  }
  EXPECT_GT(refused, words * 2);
  for (std::size_t size = 0; size < result->size(); size += 8) {
    EXPECT_FALSE(merge({result->begin(), result->begin() + static_cast<std::ptrdiff_t>(size)})) << size;
  }
  const auto error = [&](std::size_t word, std::uint64_t value) {
    auto bytes = *result;
    std::memcpy(bytes.data() + 8 * word, &value, sizeof value);
    return ErrorOf(merge(bytes));
  };
  EXPECT_EQ(error(0, 6), "worker w.0: it claims 6 units; 5 were its own");
  EXPECT_EQ(error(2, 60'001), "worker w.0: column t: its histogram counts 60000 of 60001 rows");
  const auto lost = [&] {
    auto bytes = *result;
    const std::uint64_t fewer = Csv().size() - 15;
    std::memcpy(bytes.data() + 8 * 3, &fewer, sizeof fewer);
    return merge(bytes);
  }();
  ASSERT_TRUE(lost) << ErrorOf(lost);
  EXPECT_FALSE(lost->check->passed) << "a byte that no row took";
}

TEST(DataFeatures, WorkersOfDifferentFilesAreNotMerged) {
  GroupRun run = OfCsv();
  const auto first = run.ResultOf(2, 0);
  run.Set("file", Write(Csv() + "1,2,3\n"));
  const auto second = run.ResultOf(2, 1);
  ASSERT_TRUE(first && second);
  const auto merged = run.type.merge(run.Job(2), std::vector<WorkerResult>{{0, *first}, {1, *second}});
  EXPECT_EQ(ErrorOf(merged), "worker w.1: it read another file than the others; do not change it in a run");
}

}  // namespace
}  // namespace corerig
