// Words of 16 bits and more in buffers of bytes. Positions must lie within the buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace corerig {

inline void PutBigEndian16(std::span<std::byte> out, std::size_t at, std::uint16_t word) {
  out[at] = static_cast<std::byte>(word >> 8);
  out[at + 1] = static_cast<std::byte>(word & 0xFF);
}

inline std::uint16_t BigEndian16(std::span<const std::byte> in, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(in[at]) << 8 | std::to_integer<unsigned>(in[at + 1]));
}

// The low `size` bytes of `word`.
inline void PutLittleEndian(std::span<std::byte> out, std::size_t at, std::size_t size, std::uint64_t word) {
  for (std::size_t i = 0; i < size; ++i) out[at + i] = static_cast<std::byte>(word >> (8 * i));
}

inline std::uint64_t LittleEndian(std::span<const std::byte> in, std::size_t at, std::size_t size) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < size; ++i) word |= std::to_integer<std::uint64_t>(in[at + i]) << (8 * i);
  return word;
}

}  // namespace corerig
