#include "tools/corerig/list_command.h"

#include <iomanip>
#include <iostream>
#include <string>
#include <utility>

#include "harness/base/channel_kind.h"
#include "harness/base/metric.h"
#include "harness/base/quantity.h"

namespace corerig {
namespace {

std::string Joined(const auto& items, const auto& text_of) {
  std::string joined;
  for (const auto& item : items) joined += (joined.empty() ? "" : " ") + std::string(text_of(item));
  return joined;
}

void Column(std::string_view text, int width) { std::cout << std::left << std::setw(width) << text << " "; }

void ListParameters(const std::vector<ParameterInfo>& parameters, int indent) {
  for (const auto& parameter : parameters) {
    std::cout << std::string(static_cast<std::size_t>(indent), ' ');
    Column(parameter.name, 12);
    Column(parameter.default_value, 8);
    std::cout << parameter.about << "\n";
  }
}

std::string ChannelNames(const std::vector<ChannelKind>& channels) {
  return Joined(channels, [](ChannelKind kind) { return ToText(kind); });
}

// "rate 1kHz (at most 8kHz), channel seqpacket pipe, format fifo iio"
void ListWays(const SensorInfo& info) {
  if (info.read_recording) {
    std::cout << "rate as recorded, format (channel)";
  } else {
    std::cout << "rate " << ToText(info.default_rate) << " (at most " << ToText(info.highest_rate) << "), channel "
              << ChannelNames(info.channels);
    if (!info.formats.empty()) std::cout << ", format";
  }
  for (const std::string_view format : info.formats) {
    std::cout << " " << format;
    if (!info.channels_of.empty()) std::cout << " (" << ChannelNames(ChannelsOf(info, format)) << ")";
  }
}

void ListSensors(const Rig& rig) {
  std::cout << "sensors\n";
  for (const auto& sensor : rig.sensors) {
    const SensorInfo& info = sensor.info;
    std::cout << "  ";
    Column(info.name, 14);
    std::cout << info.about << "\n" << std::string(17, ' ');
    ListWays(info);
    if (info.batching.most > 1) {
      std::cout << ", batch " << (info.batching.least == info.batching.most ? "" : "at most ") << info.batching.most;
    }
    std::cout << "\n";
    ListParameters(info.parameters, 17);
  }
}

void ListChannels() {
  constexpr std::pair<ChannelKind, std::string_view> kChannels[] = {
      {ChannelKind::kTimer, "none: the loop's own timerfd, absolute, on CLOCK_MONOTONIC"},
      {ChannelKind::kSeqpacket, "Unix seqpacket socket: messages, none lost on the way, with kernel receive stamps"},
      {ChannelKind::kPty, "pseudo-terminal in raw mode: bytes as a UART delivers them, split across reads, no stamps"},
      {ChannelKind::kUdp, "UDP over loopback: messages that a full socket loses, with kernel receive stamps"},
      {ChannelKind::kPipe, "pipe: bytes, none lost on the way, no stamps"},
      {ChannelKind::kStream, "Unix stream socket: bytes, none lost on the way, no stamps"},
      {ChannelKind::kTcp, "TCP over loopback without Nagle's delay: bytes, none lost on the way, no stamps"},
      {ChannelKind::kCan, "SocketCAN on vcan0: messages, with kernel receive stamps; without one, as seqpacket"},
      {ChannelKind::kShm, "shared memory with a doorbell: messages in a ring that drops them when full, no stamps"},
  };
  std::cout << "\nchannels\n";
  for (const auto& [kind, about] : kChannels) {
    std::cout << "  ";
    Column(ToText(kind), 12);
    std::cout << about << "\n";
  }
}

void ListWorkloads(const Rig& rig) {
  std::cout << "\nworkloads\n";
  for (const WorkloadInfo& info : VocabularyOf(rig).workloads) {
    std::cout << "  " << info.name << "  " << info.about << "; unit: " << info.unit << "\n";
    ListParameters(info.parameters, 4);
  }
}

void ListMetrics() {
  std::cout << "\nmetrics\n";
  for (const auto& kind : MetricKinds()) {
    std::string name = std::string(kind.part) + "." + std::string(kind.figure);
    std::cout << "  ";
    Column(name, 34);
    Column(kind.unit, 11);
    std::cout << kind.meaning;
    if (!kind.statistics.empty()) std::cout << " (" << kind.statistics << ")";
    std::cout << "\n";
  }
}

}  // namespace

int ListCommand(const Rig& rig) {
  ListSensors(rig);
  ListChannels();
  ListWorkloads(rig);
  ListMetrics();
  return 0;
}

}  // namespace corerig
