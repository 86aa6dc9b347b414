#include "tests/perfetto/decoded.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>

#include "harness/base/text.h"

namespace corerig {

Decoded Decoded::File(const std::string& file) {
  const std::string command = StrCat("protoc --decode=corerig.Trace tests/perfetto/trace.proto < '", file, "' 2>&1");
  FILE* pipe = popen(command.c_str(), "r");
  std::string text;
  char piece[65536];
  while (const std::size_t size = fread(piece, 1, sizeof piece, pipe)) text.append(piece, size);
  const int status = pclose(pipe);
  if (status != 0) {
    ADD_FAILURE() << command << "\nended with " << WEXITSTATUS(status)
                  << " (127: no protoc here; tools/setup.sh installs protobuf-compiler)\n"
                  << text;
    return {};
  }
  return Parse(text);
}

Decoded Decoded::Parse(std::string_view text) {
  Decoded root;
  std::vector<Decoded*> open{&root};
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (line.empty()) continue;
    if (line == "}") {
      open.pop_back();
      if (open.empty()) break;
    } else if (line.ends_with(" {")) {
      auto& messages = open.back()->messages_;
      messages.emplace_back(line.substr(0, line.size() - 2), std::make_unique<Decoded>());
      open.push_back(messages.back().second.get());
    } else {
      const std::size_t colon = line.find(": ");
      std::string_view value = line.substr(std::min(colon + 2, line.size()));
      if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
      open.back()->values_.emplace_back(line.substr(0, colon), value);
    }
  }
  EXPECT_EQ(open.size(), 1u) << "braces do not match";
  return root;
}

std::vector<const Decoded*> Decoded::All(std::string_view path) const {
  const std::string_view first = path.substr(0, path.find('.'));
  std::vector<const Decoded*> all;
  for (const auto& [name, message] : messages_) {
    if (name != first) continue;
    if (first.size() == path.size()) {
      all.push_back(message.get());
    } else {
      for (const Decoded* below : message->All(path.substr(first.size() + 1))) all.push_back(below);
    }
  }
  return all;
}

std::vector<std::string> Decoded::Values(std::string_view name) const {
  std::vector<std::string> all;
  for (const auto& [key, value] : values_) {
    if (key == name) all.push_back(value);
  }
  return all;
}

std::vector<std::int64_t> Decoded::Numbers(std::string_view name) const {
  std::vector<std::int64_t> all;
  for (const std::string& value : Values(name)) {
    // Times of CLOCK_BOOTTIME are unsigned, but far from 2^63.
    const auto number = ParseNumber<std::int64_t>(value);
    EXPECT_TRUE(number.has_value()) << name << ": " << value;
    all.push_back(number.value_or(0));
  }
  return all;
}

std::string Decoded::Text(std::string_view name) const {
  const auto all = Values(name);
  EXPECT_LE(all.size(), 1u) << name;
  return all.empty() ? "" : all.front();
}

std::int64_t Decoded::Number(std::string_view name) const {
  const auto all = Numbers(name);
  EXPECT_LE(all.size(), 1u) << name;
  return all.empty() ? 0 : all.front();
}

bool Decoded::Has(std::string_view name) const { return !Values(name).empty() || !All(name).empty(); }

std::vector<std::string> Decoded::Unknown() const {
  std::vector<std::string> unknown;
  const auto look = [&](const std::string& name) {
    if (name.find_first_not_of("0123456789") == std::string::npos) unknown.push_back(name);
  };
  for (const auto& [name, value] : values_) look(name);
  for (const auto& [name, message] : messages_) {
    look(name);
    for (const std::string& below : message->Unknown()) unknown.push_back(StrCat(name, ".", below));
  }
  return unknown;
}

}  // namespace corerig
