#include <algorithm>
#include <optional>
#include <string_view>

#include "harness/base/endpoint.h"
#include "harness/base/text.h"
#include "tools/corerig/emit_command.h"

namespace corerig {
namespace {

StreamPlan* Find(Plan& plan, std::string_view name) {
  const auto at = std::find_if(plan.streams.begin(), plan.streams.end(),
                               [&](const StreamPlan& stream) { return stream.name == name; });
  return at == plan.streams.end() ? nullptr : &*at;
}

Result<StreamPlan*> Named(Plan& plan, std::string_view option, std::string_view name) {
  StreamPlan* const stream = Find(plan, name);
  std::vector<std::string> sending;
  for (const auto& each : plan.streams) {
    if (each.channel != ChannelKind::kTimer) sending.push_back(each.name);
  }
  const std::string known = sending.empty() ? "the scenario has none that can be emitted"
                                            : StrCat("those that can be emitted are ", Join(sending, ", "));
  if (stream == nullptr) return Fail(option, ": the scenario has no stream \"", name, "\"; ", known);
  if (stream->channel == ChannelKind::kTimer) return Fail(option, ": a timer stream sends nothing; ", known);
  return stream;
}

// "gnss" of "gnss=pty:/tmp/gps"; nothing where no stream is named. The word of an endpoint never has a "=".
std::optional<std::string_view> NameIn(std::string_view to) {
  const auto equals = to.find('='), colon = to.find(':');
  if (equals == std::string_view::npos || equals > colon) return std::nullopt;
  return to.substr(0, equals);
}

Status GiveEndpoints(Plan& plan, const EmitArguments& arguments, std::vector<std::string>& chosen) {
  std::vector<std::string> given;
  for (const std::string& to : arguments.to) {
    const std::string option = StrCat("--to ", to);
    const auto name = NameIn(to);
    const auto endpoint = ParseEndpoint(name ? std::string_view(to).substr(name->size() + 1) : std::string_view(to));
    if (!endpoint) return ForwardWith(endpoint, option, ": ");
    std::vector<StreamPlan*> candidates;
    for (auto& stream : plan.streams) {
      const bool asked_for = chosen.empty() || std::count(chosen.begin(), chosen.end(), stream.name) > 0;
      if (stream.channel != ChannelKind::kTimer && asked_for) candidates.push_back(&stream);
    }
    if (!name && candidates.size() != 1) {
      return Fail(option, ": ", candidates.size(), " streams may be meant; write --to NAME=", ToText(*endpoint));
    }
    const auto stream = name ? Named(plan, option, *name) : candidates[0];
    if (!stream) return Forward(stream);
    if (std::count(given.begin(), given.end(), (*stream)->name) > 0) {
      return Fail(option, ": stream ", (*stream)->name, " has an endpoint already; give each one");
    }
    if (auto carried = CheckCarries(*endpoint, (*stream)->channel); !carried) {
      return ForwardWith(carried, option, ": stream ", (*stream)->name, ": ");
    }
    if ((*stream)->pace == Pace::kLossless && !HasBackPressure(*endpoint)) {
      return Fail(option, ": stream ", (*stream)->name, " is lossless, and ", ToText(*endpoint),
                  " loses frames without telling; give another, or add --set stream.", (*stream)->name,
                  ".pace=real-time");
    }
    (*stream)->endpoint = *endpoint;
    given.push_back((*stream)->name);
  }
  return {};
}

}  // namespace

Result<Plan> PlanToEmit(Plan plan, const EmitArguments& arguments) {
  std::vector<std::string> chosen = arguments.streams;
  for (const auto& name : chosen) {
    if (auto stream = Named(plan, StrCat("--stream ", name), name); !stream) return Forward(stream);
  }
  if (auto given = GiveEndpoints(plan, arguments, chosen); !given) return Forward(given);
  for (const auto& name : chosen) {
    if (!Find(plan, name)->endpoint) {
      return Fail("stream ", name, " has no endpoint; write --to ", name, "=udp:127.0.0.1:5000");
    }
  }
  std::erase_if(plan.streams, [&](const StreamPlan& stream) {
    const bool asked_for = chosen.empty() || std::count(chosen.begin(), chosen.end(), stream.name) > 0;
    return !asked_for || !stream.endpoint;
  });
  if (plan.streams.empty()) return Fail("no stream has an endpoint; write --to NAME=udp:127.0.0.1:5000");
  plan.warmup = Nanos(0);
  plan.drain = Nanos(0);
  return plan;
}

}  // namespace corerig
