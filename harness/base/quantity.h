// Durations, rates, sizes and shares as people write and read them: "500us", "1kHz", "24MiB".
#pragma once

#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/base/units.h"

namespace corerig {

// "10s", "500us", "1.5ms"; units ns us ms s min h. The error says what would be right, e.g. for "10": write "10s".
Result<Nanos> ParseDuration(std::string_view text);

// "1kHz", "754Hz", "819.2Hz", "0.5Hz"; units mHz Hz kHz MHz; finer than 1 mHz is an error, so is zero.
Result<Rate> ParseRate(std::string_view text);

// "24MiB", "1.5GB", "512B"; units B kB MB GB KiB MiB GiB.
Result<Bytes> ParseSize(std::string_view text);

// "1%" or "0.01": 0 to 1.
Result<double> ParseShare(std::string_view text);

// For people, three significant digits: "18.9 µs", "1.00 kHz", "2.37 MiB", "12.3 %".
std::string FormatDuration(double nanoseconds);
std::string FormatRate(double hertz);
std::string FormatSize(double bytes);
std::string FormatShare(double share);

// For scenario files, exact and readable again by the parsers above: "1500us", "819.2Hz", "24MiB".
std::string ToText(Nanos duration);
std::string ToText(Rate rate);
std::string ToText(Bytes size);

}  // namespace corerig
