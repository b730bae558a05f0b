#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "qsp/bytes.hpp"
#include "qsp/error.hpp"
#include "qsp/secret_bytes.hpp"

/// Messages on a stream of bytes: each stands behind its length (u32, big-endian).
namespace qsp::e91::station {

inline constexpr std::size_t kFrameHead = 4;

/// The bytes of that length. Precondition: size < 2^32.
std::vector<std::uint8_t> frame_head(std::size_t size);

/// Takes messages out of a stream. Memory grows with the bytes that came, not with the length that was announced.
class MessageReader {
 public:
  /// A message has 1…`most` bytes.
  explicit MessageReader(std::size_t most) noexcept : most_(most) {}

  /// Takes bytes off the front of `stream`: the next message, or nothing once more bytes are needed. Error:
  /// InvalidMessage for a length out of bounds; the stream is then of no more use.
  Result<std::optional<SecretBytes>> next(Bytes& stream);

 private:
  std::size_t most_;
  std::vector<std::uint8_t> head_;
  SecretBytes body_;
  std::size_t size_ = 0;  ///< of the body, once the head is whole
};

}  // namespace qsp::e91::station
