#include "harness/base/endpoint.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace corerig {
namespace {

constexpr std::pair<EndpointKind, std::string_view> kNames[] = {
    {EndpointKind::kPty, "pty"},   {EndpointKind::kUdp, "udp"},   {EndpointKind::kTcp, "tcp"},
    {EndpointKind::kUnix, "unix"}, {EndpointKind::kFile, "file"}, {EndpointKind::kTcpListen, "tcp-listen"},
    {EndpointKind::kCan, "can"}};

constexpr std::string_view kForms =
    "pty:PATH, udp:HOST:PORT, tcp:HOST:PORT, tcp-listen:HOST:PORT, unix:PATH, can:INTERFACE or file:PATH";

constexpr std::string_view kOnEndpoint = "endpoint";

std::string_view NameOf(EndpointKind kind) {
  for (const auto& [known, name] : kNames) {
    if (known == kind) return name;
  }
  return "";
}

bool IsIpv4(std::string_view text) {
  const auto numbers = Split(text, '.');
  return numbers.size() == 4 && std::all_of(numbers.begin(), numbers.end(), [](std::string_view number) {
           const auto value = ParseNumber<unsigned>(number);
           return value && *value <= 255;
         });
}

// As far as telling it from a name needs; the kernel's own parser has the last word when it is opened.
bool IsIpv6(std::string_view text) {
  return text.find(':') != std::string_view::npos &&
         text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

// "127.0.0.1:5000" or "[::1]:5000".
Status ReadAddress(std::string_view address, Endpoint& endpoint) {
  const auto colon = address.rfind(':');
  const auto port =
      colon == std::string_view::npos ? std::optional<unsigned>() : ParseNumber<unsigned>(address.substr(colon + 1));
  const std::string_view name = NameOf(endpoint.kind);
  if (!port || *port == 0 || *port > 65535) {
    return Fail("has no port from 1 to 65535; write one such as \"", name, ":127.0.0.1:5000\"");
  }
  std::string_view host = address.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  const bool in_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (in_brackets) host = host.substr(1, host.size() - 2);
  if (!(in_brackets ? IsIpv6(host) : IsIpv4(host))) {
    return Fail("has the host \"", host, "\", which is no address in numbers; write one such as \"", name,
                ":127.0.0.1:", *port, "\" or \"", name, ":[::1]:", *port, "\"");
  }
  endpoint.host = host;
  endpoint.port = static_cast<std::uint16_t>(*port);
  return {};
}

// As the kernel takes it: dev_valid_name in net/core/dev.c.
Status ReadInterface(std::string_view name, Endpoint& endpoint) {
  constexpr std::size_t kLongest = 15;
  const bool valid = !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
                     std::none_of(name.begin(), name.end(), [](char c) {
                       return c == '/' || c == ':' || c == '\0' || c == ' ' || (c >= '\t' && c <= '\r');
                     });
  if (!valid) return Fail("has no name of an interface, of 1 to ", kLongest, " bytes; write one such as \"can:vcan0\"");
  endpoint.path = name;
  return {};
}

Status ReadInto(std::string_view text, Endpoint& endpoint) {
  const auto colon = text.find(':');
  const std::string_view word = text.substr(0, colon), rest = text.substr(std::min(text.size(), word.size() + 1));
  const auto known =
      std::find_if(std::begin(kNames), std::end(kNames), [&](const auto& kind) { return kind.second == word; });
  if (known == std::end(kNames) || colon == std::string_view::npos) {
    return Fail("is of no known form; write one of ", kForms);
  }
  endpoint.kind = known->first;
  if (endpoint.kind == EndpointKind::kCan) return ReadInterface(rest, endpoint);
  const bool has_path = endpoint.kind == EndpointKind::kPty || endpoint.kind == EndpointKind::kUnix ||
                        endpoint.kind == EndpointKind::kFile;
  if (!has_path) return ReadAddress(rest, endpoint);
  if (rest.empty()) return Fail("has no path; write one such as \"", word, ":/tmp/corerig\"");
  if (rest.find('\0') != std::string_view::npos) return Fail("has a zero byte in its path; write one without");
  endpoint.path = rest;
  return {};
}

}  // namespace

Result<Endpoint> ParseEndpoint(std::string_view text) {
  Endpoint endpoint;
  if (auto read = ReadInto(text, endpoint); !read) return Fail("endpoint \"", text, "\" ", read.error().message);
  return endpoint;
}

bool HasBackPressure(const Endpoint& endpoint) {
  switch (endpoint.kind) {
    case EndpointKind::kUdp:
    case EndpointKind::kCan:
      return false;
    case EndpointKind::kPty:
    case EndpointKind::kTcp:
    case EndpointKind::kTcpListen:
    case EndpointKind::kUnix:
    case EndpointKind::kFile:
      break;
  }
  return true;
}

Status CheckCarries(const Endpoint& endpoint, ChannelKind channel) {
  if (endpoint.kind == EndpointKind::kCan && channel != ChannelKind::kCan) {
    return Fail("endpoint \"", ToText(endpoint), "\" is a CAN bus, and channel ", ToText(channel),
                " has no CAN frames; write another endpoint, or take a sensor of channel can");
  }
  const bool bytes_only = endpoint.kind == EndpointKind::kPty || endpoint.kind == EndpointKind::kTcp ||
                          endpoint.kind == EndpointKind::kTcpListen;
  if (!bytes_only || !IsDatagram(channel)) return {};
  return Fail("endpoint \"", ToText(endpoint), "\" carries bytes, and channel ", ToText(channel),
              " has messages; write udp:HOST:PORT, unix:PATH or file:PATH, or a channel of bytes where the sensor has "
              "one");
}

std::string ToText(const Endpoint& endpoint) {
  const std::string_view name = NameOf(endpoint.kind);
  if (!endpoint.path.empty()) return StrCat(name, ":", endpoint.path);
  const bool is_ipv6 = endpoint.host.find(':') != std::string::npos;
  return StrCat(name, is_ipv6 ? ":[" : ":", endpoint.host, is_ipv6 ? "]:" : ":", endpoint.port);
}

Result<Answers> ParseAnswers(std::string_view text) {
  if (text == kOnEndpoint) return Answers{};
  const auto at = ParseEndpoint(text);
  if (!at) return Forward(at);
  if (at->kind == EndpointKind::kUdp || at->kind == EndpointKind::kUnix) return Answers{.at = *at};
  return Fail("answers \"", text, "\" come as datagrams, or on the endpoint itself; write one of udp:HOST:PORT, ",
              "unix:PATH or endpoint");
}

std::string ToText(const Answers& answers) { return answers.at ? ToText(*answers.at) : std::string(kOnEndpoint); }

Status CheckAnswers(const Answers& answers, const Endpoint& endpoint) {
  const bool readable = endpoint.kind == EndpointKind::kPty || endpoint.kind == EndpointKind::kTcp ||
                        endpoint.kind == EndpointKind::kTcpListen || endpoint.kind == EndpointKind::kUnix;
  if (answers.at || readable) return {};
  return Fail("answers are not read from endpoint \"", ToText(endpoint), "\"; write udp:HOST:PORT or unix:PATH");
}

bool AreStamped(const Answers& answers, const Endpoint& endpoint, bool messages) {
  return answers.at || (endpoint.kind == EndpointKind::kUnix && messages);
}

}  // namespace corerig
