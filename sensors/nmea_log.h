// Recorded NMEA 0183: text, one sentence a line, read into sentences with the time that they tell; and the check of
// whoever receives any sentences.
//
//   $GPGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,*5B
//   $GPGSV,…                                                                      no time: belongs to the epoch at hand
//
// Each sentence is a frame, with CR and LF whatever ended its line. Its instant is the UTC field of the last sentence
// that had one (RMC, GGA, GNS, ZDA, GST, GBS, GRS, and GLL); what comes before any such belongs to the first. UTC goes
// on over midnight, and backwards it may not. Empty lines and lines that begin with # are skipped.
//
// Every sentence begins with $, or ! for AIS, and ends with * and the right checksum in capitals; the longest has 255
// characters (proprietary ones are longer than NMEA 0183 allows). A receiver checks the same. One flipped bit is always
// found; of other damage one in 256 passes, and is of no known sample.
#pragma once

#include <memory>
#include <string_view>

#include "harness/stream/sensor.h"
#include "sensors/recording.h"

namespace corerig {

inline constexpr std::size_t kLongestRecordedSentence = 255;  // with $, CR and LF

// The error begins with the line: "7: …".
Result<Recording> ReadNmeaLog(std::string_view text);

// Of a stream of bytes.
std::unique_ptr<Decoder> MakeSentenceDecoder();

}  // namespace corerig
