#include "scenarios/column_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "harness/base/text.h"

namespace corerig {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The beginning of what cannot be understood, fit for a message.
std::string Shown(std::string_view text) {
  constexpr std::size_t kMost = 24;
  std::string shown = "\"";
  for (const char c : text.substr(0, kMost)) shown += c >= ' ' && c < 0x7F && c != '"' ? c : '?';
  return shown + (text.size() > kMost ? "…\"" : "\"");
}

// A number as it stands between commas; nothing if it is none, not finite, or so large that nobody means it.
std::optional<double> NumberIn(std::string_view field) {
  if (field.size() > 1 && field.front() == '+' && field[1] != '-') field.remove_prefix(1);
  const auto number = ParseNumber<double>(field);
  return number && std::abs(*number) <= kLargestNumber ? number : std::nullopt;
}

std::size_t FieldsOf(std::string_view line) {
  return static_cast<std::size_t>(std::count(line.begin(), line.end(), ',')) + 1;
}

// As Trim, for the loop that most of the time is spent in.
std::string_view WithoutBlanks(std::string_view field) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!field.empty() && blank(field.front())) field.remove_prefix(1);
  while (!field.empty() && blank(field.back())) field.remove_suffix(1);
  return field;
}

// The numbers of one row, each handed to `put(column, number)`.
template <typename Put>
Status ParseRow(std::string_view line, const std::vector<std::string>& names, const Put& put) {
  std::string_view rest = line;
  for (std::size_t column = 0; column < names.size(); ++column) {
    const std::size_t comma = rest.find(',');
    if ((comma == std::string_view::npos) != (column + 1 == names.size())) {
      return Fail(FieldsOf(line), FieldsOf(line) == 1 ? " column" : " columns", ", the first row has ", names.size());
    }
    const std::string_view field = WithoutBlanks(rest.substr(0, comma));
    const auto number = NumberIn(field);
    if (!number) {
      return Fail(names[column], field.empty() ? " is empty" : " is " + Shown(field),
                  "; a finite number was expected, up to 1e70");
    }
    put(column, *number);
    if (comma != std::string_view::npos) rest.remove_prefix(comma + 1);
  }
  return {};
}

// The columns' names in the first line; empty if it holds numbers.
Result<std::vector<std::string>> ParseNames(std::string_view line) {
  std::vector<std::string> names;
  std::size_t numbers = 0;
  for (std::string_view field : Split(line, ',')) {
    field = Trim(field);
    if (NumberIn(field)) ++numbers;
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') field = field.substr(1, field.size() - 2);
    names.emplace_back(field);
  }
  if (names.size() > kMostColumns) return Fail(names.size(), " columns; at most ", kMostColumns, " are taken");
  if (numbers == names.size()) return std::vector<std::string>();
  if (numbers > 0) return Fail("neither names of columns nor numbers alone: ", Shown(line));
  for (std::size_t i = 0; i < names.size(); ++i) {
    constexpr std::size_t kLongestName = 40;
    const std::string& name = names[i];
    if (name.empty()) return Fail("column ", i + 1, " has no name");
    if (name.size() > kLongestName ||
        std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; })) {
      return Fail("column ", i + 1, " is called ", Shown(name), "; a name has at most 40 bytes, all printable");
    }
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), name) !=
        names.begin() + static_cast<std::ptrdiff_t>(i)) {
      return Fail("two columns are called ", Shown(name));
    }
  }
  return names;
}

template <typename Number>
double LittleEndianNumber(const char* from) {
  std::array<char, sizeof(Number)> bytes;
  std::memcpy(bytes.data(), from, sizeof(Number));
  if constexpr (std::endian::native == std::endian::big) std::reverse(bytes.begin(), bytes.end());
  return static_cast<double>(std::bit_cast<Number>(bytes));
}

double BinaryNumber(ColumnFileName::Format format, const char* from) {
  switch (format) {
    case ColumnFileName::Format::kFloat32:
      return LittleEndianNumber<float>(from);
    case ColumnFileName::Format::kFloat64:
      return LittleEndianNumber<double>(from);
    case ColumnFileName::Format::kInt16:
      return LittleEndianNumber<std::int16_t>(from);
    case ColumnFileName::Format::kCsv:
      break;
  }
  return NAN;
}

std::size_t BinarySize(ColumnFileName::Format format) {
  return format == ColumnFileName::Format::kInt16 ? 2 : format == ColumnFileName::Format::kFloat32 ? 4 : 8;
}

}  // namespace

Result<ColumnFile> ColumnFile::Open(ColumnFileName name) {
  auto reader = FileReader::Open(name.path);
  if (!reader) return Forward(reader);
  ColumnFile file(std::move(name), std::move(*reader));
  if (const Status head = file.ReadHead(); !head) return Forward(head);
  ColumnBlock first;
  if (const Status read = file.Read(0, first); !read) return Forward(read);
  if (file.chunks() == 1 && first.rows < 2) {
    return Fail(file.name_.path, ": ", first.rows, first.rows == 1 ? " row" : " rows", "; at least 2 are needed");
  }
  return file;
}

Result<ColumnFile> ColumnFile::OpenAgain() const {
  auto reader = reader_.OpenAgain();
  if (!reader) return Forward(reader);
  ColumnFile again(name_, std::move(*reader));
  again.names_ = names_;
  again.begin_ = begin_;
  again.row_size_ = row_size_;
  again.chunk_size_ = chunk_size_;
  return again;
}

Status ColumnFile::ReadHead() {
  chunk_size_ = name_.chunk_size;
  if (name_.format != ColumnFileName::Format::kCsv) {
    row_size_ = name_.channels * BinarySize(name_.format);
    chunk_size_ = std::max(chunk_size_ / row_size_, std::size_t{1}) * row_size_;
    for (std::size_t i = 0; i < name_.channels; ++i) names_.push_back(StrCat("channel", i + 1));
    if (size() % row_size_ != 0) {
      return Fail(name_.path, ": ", size(), " bytes are no whole number of rows of ", row_size_,
                  " bytes (channels = ", name_.channels, ")");
    }
    return {};
  }
  const auto head = ReadBytes(0, std::min<std::uint64_t>(size(), kLongestRow));
  if (!head) return Forward(head);
  std::string_view text = *head;
  if (text.starts_with(kByteOrderMark)) {
    begin_ = kByteOrderMark.size();
    text.remove_prefix(begin_);
  }
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos && head->size() < size()) {
    return Fail(name_.path, ":1: the line is longer than ", kLongestRow, " bytes");
  }
  const std::string_view line = text.substr(0, end);
  if (Trim(line).empty()) return Fail(name_.path, ":1: names of columns or numbers were expected");
  auto names = ParseNames(line);
  if (!names) return ForwardWith(names, name_.path, ":1: ");
  names_ = std::move(*names);
  if (!names_.empty()) {
    begin_ += end == std::string_view::npos ? line.size() : end + 1;
  } else {
    for (std::size_t i = 0; i < FieldsOf(line); ++i) names_.push_back(StrCat("column", i + 1));
  }
  return {};
}

std::uint64_t ColumnFile::chunks() const {
  return std::max<std::uint64_t>((data_size() + chunk_size_ - 1) / chunk_size_, 1);
}

Result<std::string> ColumnFile::ReadBytes(std::uint64_t begin, std::uint64_t end) const {
  std::string bytes(end - begin, '\0');
  const auto n = reader_.ReadAt(begin, bytes);
  if (!n) return Forward(n);
  if (*n < bytes.size()) {
    return Fail(name_.path, ": ends at byte ", begin + *n, "; it had ", size(), " bytes when it was opened");
  }
  return bytes;
}

Status ColumnFile::Read(std::uint64_t chunk, ColumnBlock& block) const {
  const std::uint64_t begin = begin_ + chunk * chunk_size_, end = std::min<std::uint64_t>(begin + chunk_size_, size());
  block.rows = block.bytes = 0;
  block.columns.resize(names_.size());
  for (auto& column : block.columns) column.clear();
  block.before.clear();
  return row_size_ != 0 ? ReadBinary(begin, end, block) : ReadRows(begin, end, block);
}

Status ColumnFile::ReadRows(std::uint64_t begin, std::uint64_t end, ColumnBlock& block) const {
  // With what the row before, and the last one, may reach beyond the chunk.
  const std::uint64_t from = std::max(begin_, begin - std::min<std::uint64_t>(begin, kLongestRow));
  const std::uint64_t to = std::min<std::uint64_t>(end + kLongestRow, size());
  const auto bytes = ReadBytes(from, to);
  if (!bytes) return Forward(bytes);
  const std::string_view text = *bytes;
  const auto too_long = [&](std::size_t at) -> Status {
    return Fail(LineAt(from + at), "the row is longer than ", kLongestRow, " bytes");
  };

  std::size_t at = static_cast<std::size_t>(begin - from);
  const std::size_t stop = static_cast<std::size_t>(end - from);
  if (begin > begin_) {
    const std::size_t newline = text.find('\n', at - 1);
    at = newline == std::string_view::npos ? text.size() : newline + 1;
  }
  // The row before: the last line that is not blank.
  for (std::size_t line_end = at; at < stop && line_end > 0 && block.before.empty();) {
    const std::size_t newline = line_end < 2 ? std::string_view::npos : text.rfind('\n', line_end - 2);
    const std::size_t line_begin = newline == std::string_view::npos ? 0 : newline + 1;
    if (line_begin == 0 && from > begin_) return too_long(0);
    const std::string_view line = text.substr(line_begin, line_end - 1 - line_begin);
    line_end = line_begin;
    if (WithoutBlanks(line).empty()) continue;
    block.before.resize(names_.size());
    const Status parsed = ParseRow(line, names_, [&](std::size_t column, double x) { block.before[column] = x; });
    if (!parsed) return ForwardWith(parsed, LineAt(from + line_begin));
  }
  while (at < stop) {
    std::size_t newline = text.find('\n', at);
    if (newline == std::string_view::npos && to < size()) return too_long(at);
    newline = std::min(newline, text.size());
    const std::string_view line = text.substr(at, newline - at);
    const std::size_t next = std::min(newline + 1, text.size());
    if (!WithoutBlanks(line).empty()) {
      const Status parsed =
          ParseRow(line, names_, [&](std::size_t column, double x) { block.columns[column].push_back(x); });
      if (!parsed) return ForwardWith(parsed, LineAt(from + at));
      ++block.rows;
    }
    block.bytes += next - at;
    at = next;
  }
  return {};
}

Status ColumnFile::ReadBinary(std::uint64_t begin, std::uint64_t end, ColumnBlock& block) const {
  const std::size_t number_size = row_size_ / names_.size();
  const std::size_t before = begin >= row_size_ ? row_size_ : 0;
  const auto bytes = ReadBytes(begin - before, end);
  if (!bytes) return Forward(bytes);
  for (std::size_t at = 0; at < bytes->size(); at += row_size_) {
    for (std::size_t column = 0; column < names_.size(); ++column) {
      const double number = BinaryNumber(name_.format, bytes->data() + at + column * number_size);
      if (!(std::abs(number) <= kLargestNumber)) {
        return Fail(name_.path, ": row ", (begin - before + at) / row_size_ + 1, ": ", names_[column], " is ", number,
                    "; a finite number was expected, up to 1e70");
      }
      if (at < before) {
        block.before.push_back(number);
      } else {
        block.columns[column].push_back(number);
      }
    }
  }
  block.bytes = end - begin;
  block.rows = block.bytes / row_size_;
  return {};
}

std::string ColumnFile::LineAt(std::uint64_t offset) const {
  std::uint64_t lines = 1;
  std::vector<char> buffer(kLongestRow);
  for (std::uint64_t at = 0; at < offset;) {
    const auto n = reader_.ReadAt(at, std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), offset - at)));
    if (!n || *n == 0) break;
    lines +=
        static_cast<std::uint64_t>(std::count(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*n), '\n'));
    at += *n;
  }
  return StrCat(name_.path, ":", lines, ": ");
}

}  // namespace corerig
