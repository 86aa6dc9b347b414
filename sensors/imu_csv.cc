#include "sensors/imu_csv.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

#include "harness/base/text.h"
#include "sensors/byte_order.h"
#include "sensors/iio_scan.h"
#include "sensors/imu_model.h"

namespace corerig {
namespace {

constexpr std::size_t kAxes = 6;  // accelerations, then rates
constexpr std::array<std::string_view, kAxes> kAxisNames = {"ax", "ay", "az", "gx", "gy", "gz"};
constexpr std::string_view kSeconds = "time", kNanoseconds = "timestamp_ns";
constexpr std::string_view kExample = "timestamp_ns,ax,ay,az,gx,gy,gz";
constexpr ImuScale kScale = {.accel_lsb = kStandardGravity / 2048, .rate_lsb = std::numbers::pi / 180 / 16.4};

// Where the columns are.
struct Header {
  std::size_t columns = 0;
  std::size_t time = 0;
  bool nanoseconds = false;
  std::array<std::size_t, kAxes> axes = {};
};

std::vector<std::string_view> Cells(std::string_view line) {
  auto cells = Split(line, ',');
  for (auto& cell : cells) cell = Trim(cell);
  return cells;
}

Result<Header> ParseHeader(std::string_view line) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  auto cells = Cells(line);
  if (cells[0].starts_with('#')) cells[0] = Trim(cells[0].substr(1));
  const auto find = [&](std::string_view name) -> Result<std::size_t> {
    const auto found = std::find(cells.begin(), cells.end(), name);
    if (found == cells.end()) {
      return Fail("there is no column \"", name, "\"; the first row names them, such as ", kExample);
    }
    if (std::find(found + 1, cells.end(), name) != cells.end()) {
      return Fail("there are two columns \"", name, "\"; leave one out");
    }
    return static_cast<std::size_t>(found - cells.begin());
  };
  Header header;
  header.columns = cells.size();
  header.nanoseconds = std::find(cells.begin(), cells.end(), kNanoseconds) != cells.end();
  const auto time = find(header.nanoseconds ? kNanoseconds : kSeconds);
  if (!time) {
    return Fail("there is no column \"", kSeconds, "\" or \"", kNanoseconds,
                "\"; the first row names the columns, such as ", kExample);
  }
  header.time = *time;
  for (std::size_t i = 0; i < kAxes; ++i) {
    const auto at = find(kAxisNames[i]);
    if (!at) return Forward(at);
    header.axes[i] = *at;
  }
  return header;
}

std::optional<Nanos> ParseTime(std::string_view cell, bool nanoseconds) {
  if (nanoseconds) {
    const auto count = ParseNumber<std::int64_t>(cell);
    return count && *count >= 0 ? std::optional(Nanos(*count)) : std::nullopt;
  }
  if (const auto exact = ParseSeconds(cell)) return exact;
  // With an exponent, as some programs write all numbers.
  const auto seconds = ParseNumber<double>(cell);
  if (!seconds || !(*seconds >= 0 && *seconds < 9e9)) return std::nullopt;
  return Nanos(std::llround(*seconds * 1e9));
}

}  // namespace

Result<Recording> ReadImuCsv(std::string_view text) {
  Recording recording;
  std::optional<Header> header;
  std::optional<Nanos> last;
  for (Lines lines(text); lines.Next();) {
    if (Trim(lines.line()).empty()) continue;
    const auto fail = [&](const auto&... pieces) { return Fail(lines.number(), ": ", pieces...); };
    if (!header) {
      const auto parsed = ParseHeader(lines.line());
      if (!parsed) return ForwardWith(parsed, lines.number(), ": ");
      header = *parsed;
      continue;
    }
    const auto cells = Cells(lines.line());
    if (cells.size() != header->columns) {
      return fail("a row of ", cells.size(), " columns; the first row names ", header->columns);
    }
    const auto time = ParseTime(cells[header->time], header->nanoseconds);
    if (!time) {
      return fail(Quoted(cells[header->time]), " is no time; write ",
                  header->nanoseconds ? "whole nanoseconds" : "seconds such as 12.345");
    }
    if (last && *time <= *last) {
      return fail(
          "the stamp is not after the one of the row before; put the rows in order, and leave out repeated ones");
    }
    last = *time;
    std::array<std::byte, kIioScanSize> scan = {};
    for (std::size_t i = 0; i < kAxes; ++i) {
      const std::string_view cell = cells[header->axes[i]];
      const auto value = ParseNumber<double>(cell);
      const bool accel = i < 3;
      const double lsb = accel ? kScale.accel_lsb : kScale.rate_lsb;
      if (!value || !std::isfinite(*value)) return fail(kAxisNames[i], " is ", Quoted(cell), "; write a number");
      if (!(std::abs(*value) <= 32767.5 * lsb)) {
        return fail(kAxisNames[i], " is ", cell, "; the scan holds ",
                    accel ? "16 g: accelerations are in m/s^2" : "2000 degrees/s: rates are in rad/s");
      }
      PutLittleEndian(scan, 2 * i, static_cast<std::uint16_t>(CountOf(*value, lsb, kScale.lowest)), 2);
    }
    if (auto added = recording.Add(*time, scan); !added) return ForwardWith(added, lines.number(), ": ");
  }
  if (!header) return Fail("1: there is no row; the first one names the columns, such as ", kExample);
  return recording;
}

void SetScanStamp(std::span<std::byte> scan, std::uint64_t stamp) { PutIioStamp(scan, stamp); }

double AccelZOf(std::span<const std::byte> scan) { return IioAccelZ(scan, kScale.accel_lsb); }

std::unique_ptr<Decoder> MakeScanDecoder(const SensorContext& context) { return MakeIioDecoder(kScale, context); }

}  // namespace corerig
