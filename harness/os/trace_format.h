// Where the fields of a traced event lie, as tracefs describes them (Documentation/trace/events.rst, "Event formats").
// Offsets differ between kernels and architectures: they are read, never assumed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace corerig {

struct TraceField {
  std::string name;  // "next_pid"
  std::size_t offset = 0, size = 0;
  bool is_signed = false;

  // The number in `event`, which is known to hold the field; fields of 1, 2, 4 and 8 bytes.
  std::int64_t Number(const std::byte* event) const;
};

struct TraceFormat {
  std::string name;  // "sched_switch"
  int id = 0;
  std::vector<TraceField> fields;  // common ones included

  const TraceField* Find(std::string_view field) const;
};

// Text of events/SYSTEM/EVENT/format, or of events/header_page, which has neither name nor id.
Result<TraceFormat> ParseTraceFormat(std::string_view text);

}  // namespace corerig
