// Numbers of one to eight bytes on the wire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace corerig {

inline void PutBigEndian(std::span<std::byte> out, std::size_t at, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out[at + i] = static_cast<std::byte>(value >> (8 * (size - 1 - i)));
}

inline void PutLittleEndian(std::span<std::byte> out, std::size_t at, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out[at + i] = static_cast<std::byte>(value >> (8 * i));
}

inline std::uint64_t BigEndian(std::span<const std::byte> in, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | std::to_integer<std::uint64_t>(in[at + i]);
  return value;
}

inline std::uint64_t LittleEndian(std::span<const std::byte> in, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(in[at + i]);
  return value;
}

}  // namespace corerig
