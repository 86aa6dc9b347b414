#include "sensors/recorded.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>

#include "harness/base/text.h"
#include "harness/os/fd.h"
#include "harness/plan/parameter.h"
#include "sensors/candump_log.h"
#include "sensors/imu_csv.h"
#include "sensors/mavlink.h"
#include "sensors/nmea_log.h"
#include "sensors/pcap_file.h"
#include "sensors/recording.h"

namespace corerig {
namespace {

constexpr std::string_view kCandump = "candump", kNmea = "nmea", kPcap = "pcap", kImuCsv = "imu-csv",
                           kMavlink = "mavlink";
constexpr std::string_view kAnyFile = "any";
constexpr Rate kHighestRate = Rate::Hertz(1'000'000);

struct OpenedRecording {
  Recording recording;
  std::string cksum;
};

// As cksum(1) of POSIX: "CRC:SIZE".
std::string CksumOf(std::string_view file) {
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t crc = i << 24;
      for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ ((crc & 0x8000'0000) != 0 ? 0x04C1'1DB7u : 0u);
      table[i] = crc;
    }
    return table;
  }();
  std::uint32_t crc = 0;
  const auto take = [&crc](unsigned byte) { crc = crc << 8 ^ kTable[(crc >> 24 ^ byte) & 0xFF]; };
  for (const char c : file) take(static_cast<unsigned char>(c));
  for (std::size_t size = file.size(); size > 0; size >>= 8) take(size & 0xFF);
  return StrCat(~crc, ":", file.size());
}

Result<std::string> ReadWholeFile(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored)) {
    return Fail(path, ": is no regular file; give the path of a recording");
  }
  if (const auto size = std::filesystem::file_size(path, ignored); !ignored && size > kLargestRecording) {
    return Fail(path, ": has ", size, " bytes; a recording has at most ", kLargestRecording, "; cut it");
  }
  auto text = ReadFile(path);
  if (!text) return Fail(text.error().message, "; give the path of a recording, seen from where corerig is called");
  return text;
}

Result<Recording> Parse(std::string_view file, std::string_view format, const std::vector<Parameter>& parameters) {
  const auto bytes = std::as_bytes(std::span(file));
  const auto port = static_cast<std::uint16_t>(NumberOf(parameters, "port"));
  if (format == kCandump) return ReadCandumpLog(file, WordOf(parameters, "interface"));
  if (format == kNmea) return ReadNmeaLog(file);
  if (format == kImuCsv) return ReadImuCsv(file);
  return ReadPcapFile(bytes, port, format == kMavlink ? &CheckMavlink : nullptr);
}

// The file that the parameters name, if it still is the one they mean.
Result<OpenedRecording> Open(std::string_view format, const std::vector<Parameter>& parameters) {
  const std::string path(WordOf(parameters, "file"));
  if (path.empty()) return Fail("file is missing; write file = \"drive.log\", the recording to be played");
  const auto text = ReadWholeFile(path);
  if (!text) return Forward(text);
  OpenedRecording opened{.recording = {}, .cksum = CksumOf(*text)};
  const std::string_view wanted = WordOf(parameters, "cksum");
  if (wanted != kAnyFile && wanted != opened.cksum) {
    return Fail(path, ": is another file than was meant: its cksum is ", opened.cksum, ", not ", wanted,
                "; bring the file back, or leave cksum out");
  }
  auto recording = Parse(*text, format, parameters);
  if (!recording) return ForwardWith(recording, path, ":");
  if (recording->size() == 0) return Fail(path, ": has no frame to play (", recording->About(), ")");
  opened.recording = std::move(*recording);
  return opened;
}

void SetParameter(std::vector<Parameter>& parameters, std::string_view name, const std::string& value) {
  for (Parameter& parameter : parameters) {
    if (parameter.name == name) parameter.value = value;
  }
}

// Parameters that belong to other formats.
Status CheckParameters(const StreamPlan& stream) {
  const bool captured = stream.format == kPcap || stream.format == kMavlink;
  const double port = NumberOf(stream.parameters, "port");
  if (port < 0 || port > 65535) return Fail("port ", port, " is none; write one from 1 to 65535, or 0 for all");
  if (port != 0 && !captured) return Fail("port selects the datagrams of a capture; leave it out of ", stream.format);
  if (WordOf(stream.parameters, "interface") != "any" && stream.format != kCandump) {
    return Fail("interface selects lines of a candump log; leave it out of ", stream.format);
  }
  return {};
}

Status ReadInto(StreamPlan& stream) {
  if (auto right = CheckParameters(stream); !right) return right;
  const auto opened = Open(stream.format, stream.parameters);
  if (!opened) return Forward(opened);
  const Recording& recording = opened->recording;
  const double speed = NumberOf(stream.parameters, "speed");
  const auto played = [speed](Nanos recorded) { return static_cast<double>(recorded.count()) / speed; };
  constexpr double kYear = 365 * 86'400e9;  // the longest duration that a plan has
  if (!(played(recording.cycle()) < kYear)) {
    return Fail("speed ", speed, " makes the recording longer than a year; raise it");
  }
  std::vector<Nanos> pattern(recording.size());
  for (std::size_t i = 0; i < pattern.size(); ++i) pattern[i] = Nanos(std::llround(played(recording.at(i))));
  const Nanos cycle = std::max(Nanos(std::llround(played(recording.cycle()))), pattern.back() + Nanos(1));
  const double millihertz = 1e12 * static_cast<double>(pattern.size()) / static_cast<double>(cycle.count());
  if (millihertz > static_cast<double>(kHighestRate.millihertz)) {
    return Fail("speed ", speed, " makes ", std::llround(millihertz / 1000), " frames per second; at most ",
                kHighestRate.millihertz / 1000, " can be played: lower it");
  }
  stream.rate = Rate{std::max<std::int64_t>(1, std::llround(millihertz))};
  stream.pattern = std::move(pattern);
  stream.recording = RecordingPlan{
      .cycle = cycle, .largest_frame = static_cast<std::uint32_t>(recording.largest()), .about = recording.About()};
  SetParameter(stream.parameters, "cksum", opened->cksum);
  return {};
}

class Player final : public SensorModel {
 public:
  explicit Player(const SensorContext& context)
      : begin_(context.epoch + context.clock_offset), scans_(context.format == kImuCsv) {
    auto opened = Open(context.format, context.parameters);
    if (!opened) {
      ready_ = Forward(opened);
      return;
    }
    recording_ = std::move(opened->recording);
    cycle_ = recording_.cycle();
  }

  Status Ready() const override { return ready_; }

  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    const std::size_t n = sequence % recording_.size();
    const auto frame = recording_.frame(n);
    std::copy(frame.begin(), frame.end(), out.begin());
    if (!scans_) return {.size = frame.size(), .wire_key = KeyOfBytes(frame), .value = 0};
    const Nanos time = begin_ + static_cast<std::int64_t>(sequence / recording_.size()) * cycle_ + recording_.at(n);
    const auto stamp = static_cast<std::uint64_t>(time.count());
    SetScanStamp(out, stamp);
    return {.size = frame.size(), .wire_key = stamp, .value = AccelZOf(frame)};
  }

 private:
  const Nanos begin_;  // what the first stamp on the wire shows
  const bool scans_;
  Status ready_;
  Recording recording_;
  Nanos cycle_{0};
};

std::unique_ptr<Decoder> MakeDecoder(const SensorContext& context) {
  if (context.format == kCandump) return MakeCanFrameDecoder();
  if (context.format == kNmea) return MakeSentenceDecoder();
  if (context.format == kImuCsv) return MakeScanDecoder(context);
  if (context.format == kMavlink) return MakeMavlinkDecoder();
  return MakeDatagramDecoder();
}

}  // namespace

SensorType Recorded() {
  using Kind = ParameterInfo::Kind;
  return {.info = {.name = "recorded",
                   .about = "a recording of yours: candump log, NMEA text, pcap of UDP, IMU as CSV, pcap of MAVLink",
                   .default_rate = Rate::Hertz(1000),  // none: a recording has its own
                   .highest_rate = kHighestRate,
                   .channels = {ChannelKind::kCan, ChannelKind::kPty, ChannelKind::kTcp, ChannelKind::kStream,
                                ChannelKind::kUdp, ChannelKind::kSeqpacket},
                   .formats = {kCandump, kNmea, kPcap, kImuCsv, kMavlink},
                   .parameters = {{"file", Kind::kPath, "", "the recording, seen from where corerig is called"},
                                  {"speed", Kind::kPositiveNumber, "1", "times as fast as recorded"},
                                  {"interface", Kind::kWord, "any", "of a candump log: the lines of this one only"},
                                  {"port", Kind::kWholeNumber, "0", "of a pcap: datagrams to this one only; 0: all"},
                                  {"cksum", Kind::kWord, kAnyFile,
                                   "what `cksum FILE` prints, as CRC:SIZE: no other file is played"}},
                   .channels_of = {{kCandump, {ChannelKind::kCan}},
                                   {kNmea, {ChannelKind::kPty, ChannelKind::kTcp, ChannelKind::kStream}},
                                   {kPcap, {ChannelKind::kUdp}},
                                   {kImuCsv, {ChannelKind::kSeqpacket}},
                                   {kMavlink, {ChannelKind::kUdp}}},
                   .read_recording = &ReadInto},
          .max_frame_size = kLargestRecordedFrame,
          .value_unit = "m/s^2",  // imu-csv: acceleration along z; of other formats no quantity is read, and it is 0
          .make_model = [](const SensorContext& context) -> std::unique_ptr<SensorModel> {
            return std::make_unique<Player>(context);
          },
          .make_decoder = &MakeDecoder};
}

}  // namespace corerig
