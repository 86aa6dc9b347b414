// The packets of Perfetto's track events: a slice's begin and end, an instant, a counter's value, and the descriptors
// of their tracks. Each is whole by itself: names are not interned. Source: perfetto_fields.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "harness/base/units.h"
#include "harness/report/perfetto_fields.h"
#include "harness/report/proto_writer.h"

namespace corerig::perfetto {

// A packet of `sequence`, whose fields `write` adds.
template <typename Write>
void WritePacket(ProtoWriter& writer, std::uint32_t sequence, Write write) {
  const auto packet = writer.Open(kTracePacket);
  writer.Number(Packet::kSequence, sequence);
  write();
}

// The fields of a packet with an event of the track `uuid`, whose other fields `write` adds.
template <typename Write>
void WriteTrackEvent(ProtoWriter& writer, Nanos at, TrackEventType type, std::uint64_t uuid, Write write) {
  writer.Signed(Packet::kTimestamp, at.count());
  writer.Number(Packet::kTimestampClock, kMonotonic);
  const auto event = writer.Open(Packet::kTrackEvent);
  writer.Number(TrackEvent::kType, type);
  writer.Number(TrackEvent::kTrackUuid, uuid);
  write();
}

inline void Annotate(ProtoWriter& writer, std::string_view name, std::int64_t value) {
  const auto annotation = writer.Open(TrackEvent::kDebugAnnotations);
  writer.Text(TrackEvent::kAnnotationName, name);
  writer.Signed(TrackEvent::kAnnotationInt, value);
}

inline void Annotate(ProtoWriter& writer, std::string_view name, std::string_view value) {
  const auto annotation = writer.Open(TrackEvent::kDebugAnnotations);
  writer.Text(TrackEvent::kAnnotationName, name);
  writer.Text(TrackEvent::kAnnotationText, value);
}

// The fields of a packet with the descriptor of a track; `write` adds what a counter has. Parent 0: none.
template <typename Write>
void WriteTrackDescriptor(ProtoWriter& writer, std::uint64_t uuid, std::uint64_t parent, std::string_view name,
                          Write write) {
  const auto descriptor = writer.Open(Packet::kTrackDescriptor);
  writer.Number(TrackDescriptor::kUuid, uuid);
  if (parent != 0) writer.Number(TrackDescriptor::kParentUuid, parent);
  writer.Text(TrackDescriptor::kName, name);
  write();
}

}  // namespace corerig::perfetto
