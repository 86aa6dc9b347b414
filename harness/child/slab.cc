#include "harness/child/slab.h"

#include <algorithm>

namespace corerig {
namespace {

// How many bytes the UTF-8 character at the start of `text` takes; 0 if there is none (RFC 3629, section 4; overlong
// forms and surrogates are none).
std::size_t CharacterSize(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    return continues(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    return continues(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

void SlabText::Publish(std::string_view text) {
  // Only this thread writes, so it sees its own earlier store without any order.
  if (length_.load(std::memory_order_relaxed) != 0) return;
  std::size_t size = std::min(text.size(), bytes_.size());
  // Not through the middle of a character: bytes 10xxxxxx continue one.
  if (size < text.size()) {
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  }
  std::copy_n(text.begin(), size, bytes_.begin());
  // Release: whoever reads this length also reads the bytes copied before it.
  length_.store(static_cast<std::uint32_t>(size), std::memory_order_release);
}

std::string SlabText::Read() const {
  // Acquire: pairs with the release in Publish. The length may be anything if the child ran wild.
  const std::size_t length = std::min<std::size_t>(length_.load(std::memory_order_acquire), bytes_.size());
  const std::string copy(bytes_.data(), length);
  std::string text;
  for (std::string_view rest = copy; !rest.empty();) {
    const std::size_t size = CharacterSize(rest);
    const bool printable = size > 1 || (size == 1 && rest[0] >= 0x20 && rest[0] != 0x7F);
    if (printable) {
      text += rest.substr(0, size);
    } else {
      text += '?';
    }
    rest.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return text;
}

}  // namespace corerig
