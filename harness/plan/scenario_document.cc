#include "harness/plan/scenario_document.h"

#include <algorithm>
#include <utility>

// toml++ 3.3 asserts at "[=]" and "{=" what it then checks and reports as an error (parse_key): its assertions are off,
// and without NDEBUG it does not take them for assumptions either.
#undef NDEBUG
#define TOML_ASSERT(condition) static_assert(true)
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace corerig {
namespace {

// The length of the UTF-8 character that `text` begins with; 0 if there is none (RFC 3629, section 4).
std::size_t CharacterLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto in = [&](std::size_t i, unsigned low, unsigned high) { return byte(i) >= low && byte(i) <= high; };
  const auto tail = [&](std::size_t i) { return in(i, 0x80, 0xBF); };
  if (byte(0) < 0x80) return 1;
  if (in(0, 0xC2, 0xDF)) return tail(1) ? 2 : 0;
  if (in(0, 0xE0, 0xEF)) {
    const bool second = in(1, byte(0) == 0xE0 ? 0xA0 : 0x80, byte(0) == 0xED ? 0x9F : 0xBF);
    return second && tail(2) ? 3 : 0;
  }
  if (in(0, 0xF0, 0xF4)) {
    const bool second = in(1, byte(0) == 0xF0 ? 0x90 : 0x80, byte(0) == 0xF4 ? 0x8F : 0xBF);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

// Whether `text` is UTF-8 without NUL; if not, a fault at the first byte that is not. `at` is where the text begins.
bool IsText(std::string_view text, Position at, FirstFault& fault) {
  constexpr char kHex[] = "0123456789abcdef";
  while (!text.empty()) {
    const std::size_t length = text[0] == '\0' ? 0 : CharacterLength(text);
    if (length == 0) {
      const auto byte = static_cast<unsigned char>(text[0]);
      fault.Add(at, "byte 0x", kHex[byte >> 4], kHex[byte & 15], " is not text; a scenario is a text in UTF-8");
      return false;
    }
    if (text[0] == '\n') {
      ++at.line;
      at.column = 1;
    } else {
      ++at.column;
    }
    text.remove_prefix(length);
  }
  return true;
}

// Dotted keys nest tables, which are freed in calls as deep as they are; the parser's own limit does not count them.
// Seen with toml++ 3.3 and an 8 MiB stack: one key "a.a.a…" of 48 kB overflows it if nothing is optimized, of 200 kB
// always.
constexpr std::size_t kLongest = 32 * 1024;
// Nothing of a scenario is deeper than stream.imu.fault[0].at[0].
constexpr int kDeepest = 16;

Position PositionOf(const toml::source_region& region) { return {0, region.begin.line, region.begin.column}; }

Value ValueOf(const toml::node& node, int depth) {
  Value value;
  value.position = PositionOf(node.source());
  switch (node.type()) {
    case toml::node_type::string:
      value.kind = Value::Kind::kText;
      value.text = node.as_string()->get();
      break;
    case toml::node_type::integer:
      value.kind = Value::Kind::kWhole;
      value.whole = node.as_integer()->get();
      break;
    case toml::node_type::floating_point:
      value.kind = Value::Kind::kNumber;
      value.number = node.as_floating_point()->get();
      break;
    case toml::node_type::boolean:
      value.kind = Value::Kind::kBoolean;
      value.boolean = node.as_boolean()->get();
      break;
    case toml::node_type::array:
      value.kind = Value::Kind::kArray;
      if (depth == kDeepest) break;
      for (const auto& item : *node.as_array()) value.items.push_back(ValueOf(item, depth + 1));
      break;
    case toml::node_type::table:
      value.kind = Value::Kind::kTable;
      if (depth == kDeepest) break;
      for (const auto& [key, inner] : *node.as_table()) {
        value.entries.push_back({std::string(key.str()), PositionOf(key.source()), ValueOf(inner, depth + 1)});
      }
      // The parser sorts by key.
      std::sort(value.entries.begin(), value.entries.end(),
                [](const Entry& a, const Entry& b) { return a.position < b.position; });
      break;
    default:
      value.kind = Value::Kind::kTime;
  }
  return value;
}

std::string_view Between(std::string_view text, std::string_view left, std::string_view right) {
  const auto begin = text.find(left);
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin + left.size());
  return text.substr(0, text.rfind(right));
}

// The parser's message in the words of this rig, where it can be told what is meant.
std::string InOurWords(std::string_view description) {
  const std::string_view table = Trim(Between(description, "cannot redefine existing table '", "'"));
  if (!table.empty()) {
    const auto dot = table.find('.');
    const std::string_view kind = table.substr(0, dot);
    if (dot != std::string_view::npos && (kind == "worker" || kind == "stream" || kind == "loop")) {
      return StrCat(kind, " \"", table.substr(dot + 1), "\" is defined twice; give one of them another name");
    }
    return StrCat("[", table, "] is defined twice; write it once");
  }
  const bool as_table = description.find("' as ") != std::string_view::npos;
  const std::string_view key = Trim(Between(Between(description, "cannot redefine existing ", ""), " '", "'"));
  if (!key.empty() && !as_table) return StrCat("\"", key, "\" is set twice; keep one");
  const auto says = [&](std::string_view words) { return description.find(words) != std::string_view::npos; };
  if (says("not representable in 64 bits")) {
    return "this number is out of range; write one from -9223372036854775808 to 9223372036854775807";
  }
  // A word or quantity without quotes is taken for whatever its first letters begin: "fifo" for false, "20s" for 20.
  for (const std::string_view taken_for : {"could not determine value type", "parsing boolean: expected",
                                           "integer: expected", "parsing floating-point: expected"}) {
    if (says(taken_for)) return "this is not a value; texts and quantities stand in quotes, as in \"20s\"";
  }
  return std::string(description);
}

std::optional<Value> Parse(std::string_view text, FirstFault& fault) {
  const toml::parse_result result = toml::parse(text);
  if (!result) {
    fault.Add(PositionOf(result.error().source()), InOurWords(result.error().description()));
    return std::nullopt;
  }
  Value root = ValueOf(result.table(), 0);
  root.position = Position{};
  return root;
}

void Place(Value& value, Position at) {
  value.position = at;
  for (auto& item : value.items) Place(item, at);
  for (auto& entry : value.entries) Place(entry.value, at);
}

// A number, true, false, an array or a quoted text is read as in the file; anything else is a text without quotes.
Value OverrideValue(const std::string& text, Position at) {
  Value value;
  value.kind = Value::Kind::kText;
  value.text = text;
  FirstFault ignored;
  if (const auto parsed = Parse("value = " + text, ignored); parsed && parsed->entries.size() == 1) {
    const Value& found = parsed->entries[0].value;
    if (found.kind != Value::Kind::kTable && found.kind != Value::Kind::kTime) value = found;
  }
  Place(value, at);
  return value;
}

Entry* FindEntry(Value& table, std::string_view key) { return const_cast<Entry*>(table.Find(key)); }

void Apply(const Override& wanted, std::size_t number, Value& root, FirstFault& fault) {
  const Position at{number, 0, 0};
  if (!IsText(wanted.key, at, fault) || !IsText(wanted.value, at, fault)) return;
  Value* table = &root;
  std::string_view key = wanted.key;
  std::string path;
  for (auto dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
    const std::string_view part = key.substr(0, dot);
    path += StrCat(path.empty() ? "" : ".", part);
    key.remove_prefix(dot + 1);
    Entry* entry = FindEntry(*table, part);
    if (entry == nullptr) {
      std::vector<std::string> known;
      for (const auto& other : table->entries) {
        if (other.value.kind == Value::Kind::kTable) known.push_back(other.key);
      }
      return fault.Add(at, "there is no table [", path, "] in the scenario; ", DidYouMean(part, known));
    }
    if (entry->value.kind != Value::Kind::kTable) {
      return fault.Add(at, path, " is not a table; set it as a whole, as in --set ", path, "=VALUE");
    }
    table = &entry->value;
  }
  if (key.empty()) return fault.Add(at, "the key is empty; write KEY=VALUE, as in --set stream.imu.rate=2kHz");
  Entry* entry = FindEntry(*table, key);
  if (entry == nullptr) {
    table->entries.push_back({std::string(key), at, {}});
    entry = &table->entries.back();
  } else if (entry->value.kind == Value::Kind::kTable) {
    return fault.Add(at, wanted.key, " is a table; set one of its keys, as in --set ", wanted.key, ".KEY=VALUE");
  }
  entry->position = at;
  entry->value = OverrideValue(wanted.value, at);
}

}  // namespace

const Entry* Value::Find(std::string_view key) const {
  for (const auto& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

std::optional<Value> ReadDocument(std::string_view text, const std::vector<Override>& overrides, FirstFault& fault) {
  if (text.size() > kLongest) {
    fault.Add({}, "the file has ", text.size(), " bytes; a scenario has at most ", kLongest);
    return std::nullopt;
  }
  if (!IsText(text, Position{}, fault)) return std::nullopt;
  auto root = Parse(text, fault);
  if (!root) return std::nullopt;
  for (std::size_t i = 0; i < overrides.size(); ++i) Apply(overrides[i], i + 1, *root, fault);
  return root;
}

}  // namespace corerig
