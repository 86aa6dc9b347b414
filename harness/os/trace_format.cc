#include "harness/os/trace_format.h"

#include <cstring>

namespace corerig {
namespace {

template <typename Integer>
std::int64_t Load(const std::byte* from) {
  Integer value;
  std::memcpy(&value, from, sizeof value);
  return static_cast<std::int64_t>(value);
}

// "offset:8;" → 8
std::optional<std::size_t> Attribute(std::string_view part, std::string_view key) {
  part = Trim(part);
  if (!part.starts_with(key)) return std::nullopt;
  return ParseNumber<std::size_t>(part.substr(key.size()));
}

// "field:pid_t prev_pid;	offset:24;	size:4;	signed:1;"
std::optional<TraceField> ParseField(std::string_view line) {
  const auto parts = Split(line, ';');
  if (parts.size() < 4) return std::nullopt;
  std::string_view declaration = Trim(parts[0]).substr(std::string_view("field:").size());
  TraceField field;
  // "char prev_comm[16]": the name ends where its array begins.
  declaration = declaration.substr(
      0, declaration.rfind('[') < declaration.rfind(' ') ? std::string_view::npos : declaration.rfind('['));
  const auto blank = declaration.find_last_of(" *");
  if (blank == std::string_view::npos || blank + 1 == declaration.size()) return std::nullopt;
  field.name = declaration.substr(blank + 1);
  const auto offset = Attribute(parts[1], "offset:"), size = Attribute(parts[2], "size:");
  const auto is_signed = Attribute(parts[3], "signed:");
  constexpr std::size_t kLargest = 64 << 10;
  if (!offset || !size || !is_signed || *offset > kLargest || *size > kLargest) return std::nullopt;
  field.offset = *offset;
  field.size = *size;
  field.is_signed = *is_signed == 1;
  return field;
}

}  // namespace

std::int64_t TraceField::Number(const std::byte* event) const {
  const std::byte* const from = event + offset;
  switch (size) {
    case 1:
      return is_signed ? Load<std::int8_t>(from) : Load<std::uint8_t>(from);
    case 2:
      return is_signed ? Load<std::int16_t>(from) : Load<std::uint16_t>(from);
    case 4:
      return is_signed ? Load<std::int32_t>(from) : Load<std::uint32_t>(from);
    case 8:
      return Load<std::int64_t>(from);
    default:
      return 0;
  }
}

const TraceField* TraceFormat::Find(std::string_view field) const {
  for (const auto& each : fields) {
    if (each.name == field) return &each;
  }
  return nullptr;
}

Result<TraceFormat> ParseTraceFormat(std::string_view text) {
  TraceFormat format;
  for (const auto line : Split(text, '\n')) {
    const auto trimmed = Trim(line);
    if (trimmed.starts_with("name: ")) format.name = trimmed.substr(6);
    if (trimmed.starts_with("ID: ")) {
      const auto id = ParseNumber<int>(trimmed.substr(4));
      if (!id || *id < 0 || *id > 0xffff) return Fail("event format: \"", trimmed, "\" is no id of an event");
      format.id = *id;
    }
    if (!trimmed.starts_with("field:")) continue;
    auto field = ParseField(trimmed);
    if (!field) return Fail("event format: cannot read \"", trimmed, "\"");
    format.fields.push_back(std::move(*field));
  }
  if (format.fields.empty()) return Fail("event format: no fields in it");
  return format;
}

}  // namespace corerig
