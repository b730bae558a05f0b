#pragma once

#include <cstdint>

#include "qsp/bytes.hpp"

namespace qsp::keysource {

/// CRC-64/XZ (ECMA-182's polynomial, reflected): finds damage, not malice. `start` is what a call for the bytes before
/// returned, so that pieces can be checked as if joined.
std::uint64_t crc64(Bytes bytes, std::uint64_t start = 0) noexcept;

}  // namespace qsp::keysource
