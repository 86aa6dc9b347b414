// Durations, rates, sizes and shares as people write and read them: "500us", "1kHz", "24MiB".
#pragma once

#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/base/units.h"

namespace corerig {

// A number in plain decimals with its unit, nothing between them; read exactly, without floating point. The error says
// what would be right: `duration "10" has no unit; write "10s"`.

// "10s", "500us", "1.5ms"; units ns us ms s min h; at most a year. Zero is a duration.
Result<Nanos> ParseDuration(std::string_view text);

// "1kHz", "754Hz", "819.2Hz", "0.5Hz"; units mHz Hz kHz MHz; from 1 mHz to 1 GHz, in whole mHz.
Result<Rate> ParseRate(std::string_view text);

// Of a CPU, in Hz: "1.5GHz", "800MHz"; units Hz kHz MHz GHz; at most 1000 GHz, in whole Hz.
Result<double> ParseFrequency(std::string_view text);

// "24MiB", "1.5GB", "512B"; units B kB MB GB KiB MiB GiB; at most 8 PiB, up to where a double counts single bytes.
Result<Bytes> ParseSize(std::string_view text);

// "1%" or "0.01": 0 to 1.
Result<double> ParseShare(std::string_view text);

// For people, three significant digits: "18.9 µs", "1.00 kHz", "2.37 MiB", "12.3 %". Whole nanoseconds and bytes below
// the next unit stay whole ("5 ns"); infinity is "∞".
std::string FormatDuration(double nanoseconds);
std::string FormatRate(double hertz);
std::string FormatSize(double bytes);
std::string FormatShare(double share);

// For scenario files, exact and readable again by the parsers above: "1500us", "819.2Hz", "24MiB".
std::string ToText(Nanos duration);
std::string ToText(Rate rate);
std::string ToText(Bytes size);

}  // namespace corerig
