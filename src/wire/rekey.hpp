#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "qsp/bytes.hpp"
#include "qsp/error.hpp"

/// The plaintexts of REKEY and CLOSE frames (SPEC §7, §8). Views point into the input; errors are
/// InvalidMessage/PROTOCOL_ERROR.
namespace qsp::wire {

inline constexpr std::size_t kMaterialSize = 32;

struct RekeyInit {
  std::uint32_t new_epoch{};
  Bytes material;           ///< kMaterialSize bytes: a secret (SPEC §7.4), so it is never copied
  Bytes kem_public_key;     ///< empty: no KEM in this rekey
  std::string_view key_id;  ///< empty: no QKD key in this rekey
};

struct RekeyAck {
  std::uint32_t new_epoch{};
  std::array<std::uint8_t, 32> confirm{};
  Bytes kem_ciphertext;
};

struct RekeyRequest {
  std::uint32_t new_epoch{};
};

struct RekeyNak {
  std::uint32_t new_epoch{};
  Reason reason{};
};

struct RekeyDone {
  std::uint32_t new_epoch{};
};

using RekeyMessage = std::variant<RekeyInit, RekeyAck, RekeyRequest, RekeyNak, RekeyDone>;

/// Where an INIT's material begins.
inline constexpr std::size_t kInitMaterialBegin = 9;
/// Where an ACK's confirm stands: THr covers the bytes before and after it.
inline constexpr std::size_t kAckConfirmBegin = 9;
inline constexpr std::size_t kAckConfirmEnd = 41;
inline constexpr std::size_t kRekeyDoneSize = 9;
inline constexpr std::size_t kMaxRekeyPlaintext = 8'192 - 16;

Result<RekeyMessage> parse_rekey(Bytes plaintext) noexcept;

/// Each writes one message into `out` and returns its size; `out` holds kMaxRekeyPlaintext bytes or what is known to
/// fit.
std::size_t encode(const RekeyInit& message, MutableBytes out) noexcept;
std::size_t encode(const RekeyAck& message, MutableBytes out) noexcept;
std::size_t encode(const RekeyRequest& message, MutableBytes out) noexcept;
std::size_t encode(const RekeyNak& message, MutableBytes out) noexcept;
std::size_t encode(const RekeyDone& message, MutableBytes out) noexcept;

struct Close {
  Reason reason{};
  std::string_view text;  ///< untrusted
};

Result<Close> parse_close(Bytes plaintext) noexcept;
std::size_t encode(const Close& message, MutableBytes out) noexcept;

}  // namespace qsp::wire
