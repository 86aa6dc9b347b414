#include "harness/os/cpu_list.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "harness/base/text.h"

namespace corerig {
namespace {

constexpr int kMostCpus = 1 << 16;
constexpr std::size_t kDigitsPerGroup = 8;

std::optional<int> ParseCpu(std::string_view text, CpuId last) {
  if (text == "N") return last.value >= 0 ? std::optional(last.value) : std::nullopt;
  const auto cpu = ParseNumber<int>(text);
  return cpu && *cpu >= 0 && *cpu < kMostCpus ? cpu : std::nullopt;
}

void SortOnce(std::vector<CpuId>& cpus) {
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
}

}  // namespace

Result<std::vector<CpuId>> ParseCpuList(std::string_view text, CpuId last) {
  std::vector<CpuId> cpus;
  text = Trim(text);
  if (text.empty() || text == "(null)") return cpus;
  if (text == "all" && last.value >= 0) text = "0-N";
  for (const auto part : Split(text, ',')) {
    const auto refuse = [&] { return Fail("CPU list \"", text, "\": \"", part, "\" is no CPU and no range like 0-3"); };
    const auto colon = part.find(':');
    const auto ends = Split(part.substr(0, colon), '-');
    const auto first = ParseCpu(ends.front(), last), end = ParseCpu(ends.back(), last);
    if (ends.size() > 2 || !first || !end || *end < *first) return refuse();
    int used = 1, group = 1;
    if (colon != std::string_view::npos) {
      const auto sizes = Split(part.substr(colon + 1), '/');
      const auto taken = ParseNumber<int>(sizes.front()), of = ParseNumber<int>(sizes.back());
      if (sizes.size() != 2 || !taken || !of || *taken < 1 || *of < *taken) return refuse();
      used = *taken, group = *of;
    }
    for (int cpu = *first; cpu <= *end; ++cpu) {
      if ((cpu - *first) % group < used) cpus.push_back({cpu});
    }
  }
  SortOnce(cpus);
  return cpus;
}

Result<std::vector<CpuId>> ParseCpuMask(std::string_view text) {
  std::vector<CpuId> cpus;
  text = Trim(text);
  int next = 0;
  const auto groups = Split(text, ',');
  for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
    if (group->empty() || group->size() > kDigitsPerGroup || next >= kMostCpus) {
      return Fail("CPU mask \"", text, "\": groups of 1 to 8 hexadecimal digits were expected");
    }
    for (auto digit = group->rbegin(); digit != group->rend(); ++digit) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      const auto value = kDigits.find(static_cast<char>(*digit | (*digit >= 'A' && *digit <= 'F' ? 0x20 : 0)));
      if (value == std::string_view::npos) return Fail("CPU mask \"", text, "\": no hexadecimal digit: ", *digit);
      for (int bit = 0; bit < 4; ++bit) {
        if ((value >> bit) & 1) cpus.push_back({next + bit});
      }
      next += 4;
    }
  }
  SortOnce(cpus);
  return cpus;
}

std::string CpuListText(const std::vector<CpuId>& cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t end = i;
    while (end + 1 < cpus.size() && cpus[end + 1].value == cpus[end].value + 1) ++end;
    text += StrCat(text.empty() ? "" : ",", cpus[i].value);
    if (end > i) text += StrCat("-", cpus[end].value);
    i = end + 1;
  }
  return text.empty() ? "none" : text;
}

std::string CpuMaskText(const std::vector<CpuId>& cpus) {
  if (cpus.empty()) return "0";
  std::vector<int> digits(static_cast<std::size_t>(cpus.back().value / 4 + 1));
  for (const CpuId cpu : cpus) digits[static_cast<std::size_t>(cpu.value / 4)] |= 1 << (cpu.value % 4);
  std::string text;
  for (std::size_t i = digits.size(); i-- > 0;) {
    text += "0123456789abcdef"[digits[i]];
    if (i > 0 && i % kDigitsPerGroup == 0) text += ',';
  }
  return text;
}

bool HasCpu(const std::vector<CpuId>& cpus, CpuId cpu) {
  return std::find(cpus.begin(), cpus.end(), cpu) != cpus.end();
}

}  // namespace corerig
