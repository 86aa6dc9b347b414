#include "scenarios/data_features.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "harness/base/text.h"
#include "scenarios/column_features.h"
#include "scenarios/column_file.h"
#include "scenarios/worker_results.h"

namespace corerig {
namespace {

Result<ColumnFileName> NameOf(const WorkerJob& job) {
  using Format = ColumnFileName::Format;
  ColumnFileName name = {.path = std::string(job.Word("file"))};
  if (name.path.empty()) return Fail("file is not named; write file = \"drive.csv\"");
  const std::string_view format = job.Word("format");
  if (format == "float32") {
    name.format = Format::kFloat32;
  } else if (format == "float64") {
    name.format = Format::kFloat64;
  } else if (format == "int16") {
    name.format = Format::kInt16;
  } else if (format != "csv") {
    return Fail("format \"", format, "\" is unknown; write \"csv\", \"float32\", \"float64\" or \"int16\"");
  }
  const double channels = job.Number("channels");
  if (channels < 1 || channels > static_cast<double>(kMostColumns)) {
    return Fail("channels = ", channels, "; write 1 to ", kMostColumns);
  }
  if (name.format == Format::kCsv && channels != 1) {
    return Fail("channels is for binary formats; the columns of a CSV are counted");
  }
  name.channels = static_cast<std::size_t>(channels);
  return name;
}

struct Input final : WorkloadInput {
  explicit Input(ColumnFile opened) : file(std::move(opened)) {}
  ColumnFile file;
  std::vector<double> centres;  // of the columns: their means in the first chunk
};

Result<std::unique_ptr<WorkloadInput>> Load(const WorkerJob& job) {
  auto name = NameOf(job);
  if (!name) return Forward(name);
  auto file = ColumnFile::Open(std::move(*name));
  if (!file) return Forward(file);
  auto input = std::make_unique<Input>(std::move(*file));
  ColumnBlock first;
  if (const Status read = input->file.Read(0, first); !read) return Forward(read);
  for (const auto& column : first.columns) {
    input->centres.push_back(
        column.empty() ? 0.0 : std::accumulate(column.begin(), column.end(), 0.0) / static_cast<double>(column.size()));
  }
  return std::unique_ptr<WorkloadInput>(std::move(input));
}

// What chunks come to.
struct Features {
  std::uint64_t chunks = 0, rows = 0, bytes = 0;
  std::vector<ColumnFeatures> columns;

  explicit Features(const std::vector<double>& centres) : columns(centres.begin(), centres.end()) {}

  void Add(const ColumnBlock& block) {
    ++chunks;
    rows += block.rows;
    bytes += block.bytes;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      columns[i].AddBlock(block.columns[i], block.before.empty() ? std::nullopt : std::optional(block.before[i]));
    }
  }
};

// A worker's result, as words of 64 bits: what file it was of, how much of it was read, and the columns. Buckets of a
// histogram that are not empty are one word each: place and count.
constexpr int kCountBits = 48;
constexpr std::size_t kMostNameWords = 5;
static_assert(DeviationHistogram::kBuckets < std::size_t{1} << (64 - kCountBits));

class Words {
 public:
  explicit Words(std::span<std::byte> out) : out_(out) {}
  template <typename Value>
  void Put(Value value) {
    static_assert(sizeof value == sizeof(std::uint64_t));
    std::memcpy(out_.data() + size_, &value, sizeof value);
    size_ += sizeof value;
  }
  void Put(const std::string& text) {
    Put(std::uint64_t{text.size()});
    std::array<char, kMostNameWords * 8> padded{};
    std::copy(text.begin(), text.end(), padded.begin());
    std::memcpy(out_.data() + size_, padded.data(), padded.size());
    size_ += padded.size();
  }
  std::size_t size() const { return size_; }

 private:
  std::span<std::byte> out_;
  std::size_t size_ = 0;
};

// Of bytes that are not trusted: once they end too early, all that is taken is 0.
class WordReader {
 public:
  explicit WordReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  template <typename Value = std::uint64_t>
  Value Take() {
    Value value{};
    if (bytes_.size() < sizeof value) {
      whole_ = false;
      return value;
    }
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_ = bytes_.subspan(sizeof value);
    return value;
  }
  bool whole() const { return whole_; }
  bool empty() const { return bytes_.empty(); }

 private:
  std::span<const std::byte> bytes_;
  bool whole_ = true;
};

constexpr std::size_t kHeadWords = 8;
constexpr std::size_t kColumnWords =
    1 + kMostNameWords + 5 + ColumnFeatures::kPowers * (1 + ExactSum::kMostParts) + DeviationHistogram::kBuckets;

std::size_t ResultSize(const WorkerJob& job) {
  const auto name = NameOf(job);
  const bool binary = name && name->format != ColumnFileName::Format::kCsv;
  return (kHeadWords + (binary ? name->channels : kMostColumns) * kColumnWords) * sizeof(std::uint64_t);
}

// The file's shape, which all workers must agree on.
struct Shape {
  std::uint64_t data_size = 0, chunks = 0, row_size = 0;
  std::vector<std::string> names;
  std::vector<double> centres;
  bool operator==(const Shape&) const = default;
};

class Worker final : public Workload {
 public:
  Worker(const Input& input, ColumnFile file) : file_(std::move(file)), first_(input.centres), again_(input.centres) {}

  void RunUnit(std::uint64_t unit) override {
    const std::uint64_t chunks = file_.chunks();
    if (const Status read = file_.Read(unit % chunks, block_); !read) {
      throw std::runtime_error(read.error().message);
    }
    (unit < chunks ? first_ : again_).Add(block_);
  }

  std::size_t WriteResult(std::span<std::byte> out) const override {
    Words words(out);
    words.Put(first_.chunks + again_.chunks);
    words.Put(first_.chunks);
    words.Put(first_.rows);
    words.Put(first_.bytes);
    words.Put(file_.data_size());
    words.Put(file_.chunks());
    words.Put(std::uint64_t{file_.row_size()});
    words.Put(std::uint64_t{first_.columns.size()});
    for (std::size_t i = 0; i < first_.columns.size(); ++i) {
      const ColumnFeatures& column = first_.columns[i];
      words.Put(file_.names()[i]);
      words.Put(column.centre());
      words.Put(column.least());
      words.Put(column.most());
      words.Put(column.crossings());
      for (const ExactSum& sum : column.powers()) {
        words.Put(std::uint64_t{sum.parts().size()});
        for (const double part : sum.parts()) words.Put(part);
      }
      const auto counts = column.histogram().counts();
      words.Put(static_cast<std::uint64_t>(std::count_if(counts.begin(), counts.end(), [](auto n) { return n > 0; })));
      for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) {
        if (counts[bucket] > 0) words.Put(std::uint64_t{bucket} << kCountBits | counts[bucket]);
      }
    }
    return words.size();
  }

 private:
  ColumnFile file_;
  Features first_, again_;  // of the first time through the file, and of all others
  ColumnBlock block_;
};

struct WorkerFeatures {
  std::uint64_t units = 0;
  Shape shape;
  Features features{{}};
};

Result<ColumnFeatures> ReadColumn(WordReader& words, std::uint64_t rows, Shape& shape) {
  const auto length = words.Take();
  const auto text = words.Take<std::array<char, kMostNameWords * 8>>();
  const std::string name(text.data(), std::min<std::size_t>(length, text.size()));
  if (name.empty() || std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; })) {
    return Fail("a column's name is not printable");
  }
  const auto centre = words.Take<double>(), least = words.Take<double>(), most = words.Take<double>();
  const auto crossings = words.Take();
  if (!(std::abs(centre) <= kLargestNumber)) return Fail("column ", name, ": its centre is ", centre);
  if (rows > 0 && !(least >= -kLargestNumber && least <= most && most <= kLargestNumber)) {
    return Fail("column ", name, ": from ", least, " to ", most);
  }
  if (crossings > rows) return Fail("column ", name, ": ", crossings, " zero crossings in ", rows, " rows");
  std::array<ExactSum, ColumnFeatures::kPowers> powers;
  for (ExactSum& sum : powers) {
    const auto count = words.Take();
    if (count > ExactSum::kMostParts) return Fail("column ", name, ": a sum of ", count, " parts");
    std::array<double, ExactSum::kMostParts> parts;
    for (std::size_t i = 0; i < count; ++i) parts[i] = words.Take<double>();
    auto read = ExactSum::FromParts(std::span(parts).first(count));
    if (!read) return ForwardWith(read, "column ", name, ": ");
    sum = *read;
  }
  DeviationHistogram histogram;
  const auto buckets = words.Take();
  if (buckets > DeviationHistogram::kBuckets) return Fail("column ", name, ": ", buckets, " buckets");
  std::uint64_t counted = 0;
  for (std::uint64_t i = 0; i < buckets; ++i) {
    const auto word = words.Take();
    const std::uint64_t bucket = word >> kCountBits, count = word & ((std::uint64_t{1} << kCountBits) - 1);
    if (bucket >= DeviationHistogram::kBuckets) return Fail("column ", name, ": bucket ", bucket);
    histogram.Add(bucket, count);
    counted += count;
  }
  if (counted != rows) return Fail("column ", name, ": its histogram counts ", counted, " of ", rows, " rows");
  shape.names.push_back(name);
  shape.centres.push_back(centre);
  return ColumnFeatures::FromParts(centre, least, most, crossings, powers, std::move(histogram));
}

Result<WorkerFeatures> ReadResult(std::span<const std::byte> bytes) {
  WordReader words(bytes);
  WorkerFeatures result;
  result.units = words.Take();
  Features& features = result.features;
  features.chunks = words.Take();
  features.rows = words.Take();
  features.bytes = words.Take();
  Shape& shape = result.shape;
  shape.data_size = words.Take();
  shape.chunks = words.Take();
  shape.row_size = words.Take();
  const auto columns = words.Take();
  if (features.chunks > shape.chunks || features.chunks > result.units || features.bytes > shape.data_size ||
      features.rows > features.bytes) {
    return Fail("it claims ", features.rows, " rows of ", features.bytes, " bytes in ", features.chunks, " chunks of ",
                shape.chunks, ", ", shape.data_size, " bytes");
  }
  if (columns < 1 || columns > kMostColumns) return Fail("it claims ", columns, " columns");
  while (words.whole() && features.columns.size() < columns) {
    auto column = ReadColumn(words, features.rows, shape);
    if (!column) return Forward(column);
    features.columns.push_back(std::move(*column));
  }
  if (!words.whole() || !words.empty()) {
    return Fail("a result of ", bytes.size(), " bytes is not one of data/features");
  }
  return result;
}

void AddFigures(const std::string& name, const ColumnFeatures& column, std::uint64_t rows, std::vector<Figure>& out) {
  const ColumnFigures figures = column.Finish(rows);
  const auto add = [&](std::string_view figure, double value) {
    out.push_back({StrCat(name, ".", figure), value, ""});
  };
  add("mean", figures.mean);
  add("variance", figures.variance);
  add("rms", figures.rms);
  add("min", figures.min);
  add("max", figures.max);
  if (figures.skewness) add("skewness", *figures.skewness);
  if (figures.kurtosis) add("kurtosis", *figures.kurtosis);
  add("zero_crossings", static_cast<double>(figures.zero_crossings));
  add("p01", column.Quantile(0.01));
  add("p25", column.Quantile(0.25));
  add("p50", column.Quantile(0.50));
  add("p75", column.Quantile(0.75));
  add("p99", column.Quantile(0.99));
}

CheckRecord Check(const Shape& shape, const Features& features) {
  for (std::size_t i = 0; i < features.columns.size(); ++i) {
    const ColumnFigures figures = features.columns[i].Finish(features.rows);
    const double slack = 1e-9 * (figures.max - figures.min) + 1e-12 * std::abs(figures.mean);
    const bool ordered = figures.mean >= figures.min - slack && figures.mean <= figures.max + slack;
    // Pearson 1916: of any distribution.
    const bool shaped = !figures.kurtosis || *figures.kurtosis + 1e-6 >= 1 + *figures.skewness * *figures.skewness;
    if (!ordered || !shaped || std::isnan(figures.variance)) {
      return {.passed = false,
              .text = StrCat("column ", shape.names[i], ": mean ", figures.mean, ", variance ", figures.variance,
                             " and extremes ", figures.min, " and ", figures.max, " cannot be of one column")};
    }
  }
  if (shape.row_size != 0 && features.bytes != features.rows * shape.row_size) {
    return {.passed = false,
            .text = StrCat(features.rows, " rows of ", shape.row_size, " bytes are not the ", features.bytes,
                           " bytes read")};
  }
  if (features.chunks < shape.chunks) {
    return {.passed = true,
            .text = StrCat("only ", features.chunks, " of the file's ", shape.chunks,
                           " chunks were read, and the figures are of these; units = ", shape.chunks, " reads all")};
  }
  return {.passed = features.bytes == shape.data_size,
          .text = StrCat(features.rows, " rows take ", features.bytes, " of the ", shape.data_size,
                         " bytes of the file's data, in ", shape.chunks, shape.chunks == 1 ? " chunk" : " chunks")};
}

Result<Answer> Merge(const WorkerJob& job, std::span<const WorkerResult> results) {
  std::optional<WorkerFeatures> total;
  if (auto checked = CheckSenders(job, results); !checked) return Forward(checked);
  for (const WorkerResult& result : results) {
    const auto wrong = [&](const auto&... what) { return Fail(NameOf(job, result), ": ", what...); };
    auto read = ReadResult(result.bytes);
    if (!read) return wrong(read.error().message);
    if (auto checked = CheckUnits(job, result, read->units); !checked) return Forward(checked);
    if (!total) {
      total = std::move(*read);
      continue;
    }
    if (!(read->shape == total->shape)) return wrong("it read another file than the others; do not change it in a run");
    total->units += read->units;
    total->features.chunks += read->features.chunks;
    total->features.rows += read->features.rows;
    total->features.bytes += read->features.bytes;
    for (std::size_t i = 0; i < read->features.columns.size(); ++i) {
      total->features.columns[i].Add(read->features.columns[i]);
    }
  }
  if (!total || total->units == 0) return Fail("worker ", job.group, ": no unit of work was finished");
  const Features& features = total->features;
  const Shape& shape = total->shape;
  if (features.chunks > shape.chunks) {
    return Fail("worker ", job.group, ": ", features.chunks, " chunks of a file that has ", shape.chunks);
  }
  if (features.rows < 2) return Fail("worker ", job.group, ": ", features.rows, " rows were read; 2 are needed");
  Answer answer = {.units = total->units,
                   .figures = {{"rows", static_cast<double>(features.rows), ""},
                               {"columns", static_cast<double>(features.columns.size()), ""},
                               {"bytes", static_cast<double>(features.bytes), "bytes"},
                               {"chunks", static_cast<double>(features.chunks), ""}},
                   .check = Check(shape, features)};
  for (std::size_t i = 0; i < features.columns.size(); ++i) {
    AddFigures(shape.names[i], features.columns[i], features.rows, answer.figures);
  }
  return answer;
}

}  // namespace

WorkloadType DataFeatures() {
  using Kind = ParameterInfo::Kind;
  return {
      .info = {.name = "data/features",
               .about = "features of a large file, CSV or binary: moments, extremes, crossings, quantiles per column",
               .unit = "chunk of 256 KiB",
               .parameters = {{"file", Kind::kPath, "", "the file, seen from where corerig is called"},
                              {"format", Kind::kWord, "csv", "\"csv\", \"float32\", \"float64\" or \"int16\""},
                              {"channels", Kind::kWholeNumber, "1", "numbers in a row of a binary format"}}},
      .make = [](const WorkerJob& job, const Surroundings& around) -> Result<std::unique_ptr<Workload>> {
        const auto* const input = static_cast<const Input*>(around.input);
        if (input != nullptr) {
          auto file = input->file.OpenAgain();
          if (!file) return Forward(file);
          return std::make_unique<Worker>(*input, std::move(*file));
        }
        auto loaded = Load(job);
        if (!loaded) return Forward(loaded);
        return Fail("data/features runs on the file that it has loaded");
      },
      .result_size = &ResultSize,
      .merge = &Merge,
      .load = &Load};
}

}  // namespace corerig
