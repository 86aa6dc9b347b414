// Errors are values: a Result<T> is a T or one Error whose message says what, where and what would be right.
//
//   Result<int> Port(std::string_view text) {
//     if (text.empty()) return Fail("port is empty; write a number from 1 to 65535");
//     ...
//   }
//   auto port = Port(text);
//   if (!port) return Forward(port);
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "harness/base/text.h"

namespace corerig {

struct Error {
  std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

// An error from pieces of text and numbers; converts to any Result.
template <typename... Pieces>
tl::unexpected<Error> Fail(const Pieces&... pieces) {
  return tl::unexpected<Error>(Error{StrCat(pieces...)});
}

// Hands the error of one Result on to another.
template <typename T>
tl::unexpected<Error> Forward(const Result<T>& failed) {
  return tl::unexpected<Error>(failed.error());
}

// The same, saying before it what was being done.
template <typename T, typename... Pieces>
tl::unexpected<Error> ForwardWith(const Result<T>& failed, const Pieces&... context) {
  return tl::unexpected<Error>(Error{StrCat(context..., failed.error().message)});
}

}  // namespace corerig
