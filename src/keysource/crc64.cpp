#include "keysource/crc64.hpp"

#include <array>
#include <cstddef>

namespace qsp::keysource {
namespace {

constexpr std::uint64_t kPolynomial = 0xC96C5795D7870F42;

constexpr std::array<std::uint64_t, 256> make_table() noexcept {
  std::array<std::uint64_t, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    std::uint64_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1U) != 0 ? value >> 1U ^ kPolynomial : value >> 1U;
    table[i] = value;
  }
  return table;
}

constexpr std::array<std::uint64_t, 256> kTable = make_table();

}  // namespace

std::uint64_t crc64(Bytes bytes, std::uint64_t start) noexcept {
  std::uint64_t crc = ~start;
  for (const std::uint8_t byte : bytes) crc = kTable[(crc ^ byte) & 0xffU] ^ crc >> 8U;
  return ~crc;
}

}  // namespace qsp::keysource
