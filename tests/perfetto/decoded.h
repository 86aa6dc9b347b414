// A trace as protoc prints it by tests/perfetto/trace.proto: an opinion on its bytes that is not ours.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corerig {

// A message in protoc's text format. A field that no schema tells has its number for a name.
class Decoded {
 public:
  // All of a Trace in `file`; a test failure, and an empty message, if protoc is missing or does not take it.
  static Decoded File(const std::string& file);
  // protoc's text.
  static Decoded Parse(std::string_view text);

  // The messages of that name in this one; with a path "a.b", those of all.
  std::vector<const Decoded*> All(std::string_view path) const;
  // The values of the fields of that name, text without its quotes.
  std::vector<std::string> Values(std::string_view name) const;
  std::vector<std::int64_t> Numbers(std::string_view name) const;
  // The only one; "" or 0 if there is none.
  std::string Text(std::string_view name) const;
  std::int64_t Number(std::string_view name) const;
  bool Has(std::string_view name) const;
  // Names that are numbers, here or below.
  std::vector<std::string> Unknown() const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
  std::vector<std::pair<std::string, std::unique_ptr<Decoded>>> messages_;
};

}  // namespace corerig
