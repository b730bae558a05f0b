#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "qsp/bytes.hpp"
#include "qsp/crypto.hpp"
#include "qsp/endpoint.hpp"
#include "qsp/error.hpp"
#include "wire/frame.hpp"
#include "wire/handshake.hpp"

/// The payloads of Stage155 as bytes: hellos, rekey messages and close messages, with their bounds. No keys, no states.
namespace qsp::rc155 {

// Sizes, in bytes.

inline constexpr std::size_t kHelloNonceSize = 32;
inline constexpr std::size_t kClientHelloSize = 4 + kHelloNonceSize;
inline constexpr std::size_t kServerHelloSize = 4 + kHelloNonceSize + 8;
inline constexpr std::size_t kRekeyBodySize = 32;  ///< material of an INIT, confirm of an ACK
inline constexpr std::size_t kRekeyMessageSize = 4 + 1 + 4 + kRekeyBodySize;
using wire::kMaxCloseText;

/// A sealed payload is `nonce(12) ‖ ciphertext ‖ tag(16)`.
inline constexpr std::size_t kNoncePrefixSize = crypto::kNonceSize;
/// What stands before and behind the plaintext in a whole frame.
inline constexpr std::size_t kFrameHead = wire::kFrameHeaderSize + kNoncePrefixSize;
inline constexpr std::size_t kFrameTail = crypto::kTagSize;

/// What a payload may be, by who receives it: hellos and rekey messages have exactly one length, and no flag exists.
wire::FrameBounds frame_bounds(Role receiver) noexcept;

// Labels.

/// The additional authenticated data of each sealed payload. The frame header is not part of it: Stage155 leaves flags,
/// session_id and payload_len unauthenticated.
inline constexpr std::string_view kAppLabel = "app";
inline constexpr std::string_view kInitLabel = "rekey-init";
inline constexpr std::string_view kAckLabel = "rekey-ack";
inline constexpr std::string_view kCloseLabel = "close";

// Hellos.

using HelloNonce = std::array<std::uint8_t, kHelloNonceSize>;

struct ServerHello {
  HelloNonce nonce;
  std::uint64_t session_id;
};

/// `"CHLO" ‖ client_nonce(32)` and `"SHLO" ‖ server_nonce(32) ‖ session_id u64` (SPEC_155 §5.2).
void encode_client_hello(const HelloNonce& nonce, std::span<std::uint8_t, kClientHelloSize> out) noexcept;
void encode_server_hello(const ServerHello& hello, std::span<std::uint8_t, kServerHelloSize> out) noexcept;

/// Error of every decoder here: InvalidMessage/PROTOCOL_ERROR.
Result<HelloNonce> decode_client_hello(Bytes payload) noexcept;
/// Refuses session_id 0 too.
Result<ServerHello> decode_server_hello(Bytes payload) noexcept;

// Rekey.

enum class RekeyType : std::uint8_t { Init = 1, Ack = 2 };

/// `"RK54" ‖ type u8 ‖ new_epoch u32 ‖ body(32)` (SPEC_155 §7.2).
void encode_rekey(RekeyType type, std::uint32_t new_epoch, std::span<const std::uint8_t, kRekeyBodySize> body,
                  std::span<std::uint8_t, kRekeyMessageSize> out) noexcept;

struct RekeyView {
  std::uint32_t new_epoch;
  std::span<const std::uint8_t, kRekeyBodySize> body;  ///< points into the plaintext
};

/// The message of the type that its receiver waits for.
Result<RekeyView> decode_rekey(Bytes plaintext, RekeyType expected) noexcept;

// Close.

/// The code that goes on the wire: SPEC_155 §8 knows six, the rest are told to the peer as INTERNAL_ERROR.
Reason wire_reason(Reason reason) noexcept;

/// `reason u16 ‖ text`. Preconditions: out holds exactly 2 + text.size() bytes, and the text at most kMaxCloseText.
void encode_close(Reason reason, std::string_view text, MutableBytes out) noexcept;

struct CloseView {
  Reason reason;
  std::string_view text;  ///< from the peer: not even known to be UTF-8; points into the plaintext
};

/// A code that is not one of Stage155's six reads as PROTOCOL_ERROR: the peer has closed nevertheless.
Result<CloseView> decode_close(Bytes plaintext) noexcept;

}  // namespace qsp::rc155
