// The small files of /proc, /sys and /boot that tell what a board is.
//
//   const BoardTree board;                                   // this board; BoardTree(root): a recorded one
//   board.Text("/sys/devices/system/clocksource/clocksource0/current_clocksource");
//
// Files come and go with kernels, architectures and containers: what cannot be read is nothing, not an error.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/text.h"
#include "harness/base/units.h"

namespace corerig {

class BoardTree {
 public:
  explicit BoardTree(std::string root = "") : root_(std::move(root)) {}

  // Without blanks at both ends, and without the NUL that ends the strings of a device tree. Empty if the file is.
  std::optional<std::string> Text(std::string_view path) const;
  // The same; "unknown" if it cannot be read or is empty.
  std::string TextOrUnknown(std::string_view path) const;
  template <typename Number>
  std::optional<Number> Figure(std::string_view path) const {
    const auto text = Text(path);
    return text ? ParseNumber<Number>(*text) : std::nullopt;
  }
  // A file that holds a list of CPUs; nothing also if it is malformed.
  std::optional<std::vector<CpuId>> Cpus(std::string_view path) const;
  // The numbers N of the entries "PREFIXN" of a folder, ascending.
  std::vector<int> Numbered(std::string_view folder, std::string_view prefix) const;
  bool Has(std::string_view path) const;

 private:
  std::string root_;
};

}  // namespace corerig
