#include "harness/plan/scenario_tables.h"

#include "harness/plan/placement.h"

namespace corerig {

bool IsName(std::string_view text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

std::vector<const Entry*> NamedTables(const Entry* kind, FirstFault& fault) {
  std::vector<const Entry*> tables;
  if (kind == nullptr) return tables;
  const std::string example = StrCat("[", kind->key, ".",
                                     kind->key == "loop"     ? "flight"
                                     : kind->key == "stream" ? "imu"
                                                             : "price",
                                     "]");
  if (!CheckTable(kind->value, kind->key, example, fault)) return tables;
  for (const auto& entry : kind->value.entries) {
    if (!IsName(entry.key)) {
      fault.Add(entry.position, kind->key, " name \"", entry.key,
                "\" is not made of a-z, 0-9 and -; write one such as ", example);
    }
    const std::string name = StrCat(kind->key, ".", entry.key);
    if (CheckTable(entry.value, name, StrCat("[", name, "]"), fault)) tables.push_back(&entry);
  }
  return tables;
}

std::optional<CpuId> CheckCore(const Value& value, const Board& board, std::string_view remedy, FirstFault& fault) {
  if (value.kind != Value::Kind::kWhole) {
    AsWhole(value, "core", 0, "0", fault);
    return std::nullopt;
  }
  for (const CpuId core : board.cores) {
    if (core.value == value.whole) return core;
  }
  fault.Add(value.position, "core ", value.whole, " is not on this board (", CoresText(board.cores), ")", remedy);
  return std::nullopt;
}

std::optional<CpuId> ReadCore(Section& section, std::string_view what, const Board& board, FirstFault& fault) {
  const std::string example = StrCat("[", board.cores[0].value, "]");
  const Value* value = section.Find("cores");
  if (value == nullptr) return board.cores[0];
  const auto* cores = AsArray(*value, "cores", example, fault);
  if (cores == nullptr) return std::nullopt;
  if (cores->size() != 1) {
    fault.Add(value->position, "cores has ", cores->size(), " entries and ", what,
              " is one thread; write one core, as in ", example);
    return std::nullopt;
  }
  return CheckCore((*cores)[0], board, "", fault);
}

Policy ReadPolicy(Section& section, FirstFault& fault) {
  const auto text = section.Text("policy", "\"fifo:80\"");
  if (!text) return {};
  const auto policy = ParsePolicy(*text);
  if (!policy) {
    fault.Add(section.Find("policy")->position, "unknown policy \"", *text,
              "\"; write \"other\", \"batch\", \"idle\", or \"fifo:1\" to \"fifo:99\"");
  }
  return policy.value_or(Policy());
}

}  // namespace corerig
