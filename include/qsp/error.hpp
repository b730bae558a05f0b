#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "qsp/export.hpp"

namespace qsp {

/// Why a session ended, as CLOSE and ALERT carry it (SPEC §8; SPEC_155 §8 has the first six).
enum class Reason : std::uint16_t {
  Normal = 0,
  ProtocolError = 10,
  AeadDecryptFailed = 20,
  EpochMismatch = 30,
  RekeyFailed = 40,
  HandshakeFailed = 50,
  NoCommonSuite = 51,
  QkdUnavailable = 60,
  Timeout = 70,
  Limit = 80,
  InternalError = 90,
};

/// The name that specifications and logs use, such as "PROTOCOL_ERROR".
QSP_EXPORT std::string_view name(Reason reason) noexcept;

/// The reason behind a code from the wire, or nothing where the code is not assigned.
QSP_EXPORT std::optional<Reason> reason_from_wire(std::uint16_t code) noexcept;

/// Who is to blame, which decides what a caller does next.
enum class ErrorKind : std::uint8_t {
  InvalidMessage,    ///< bytes that no rule of the protocol allows: drop the peer
  PeerMisbehaved,    ///< well-formed, but forbidden here and now: drop the peer
  PeerIncompatible,  ///< no common version, suite or policy: change a configuration
  DecryptFailed,     ///< a frame that was altered, or keys that differ: drop the session
  KeySource,         ///< the QKD key source failed: look at the KME
  Provider,          ///< the cryptographic library failed or lacks an algorithm: look at the installation
  Environment,       ///< a file, an address or the system stood in the way: look there
  ApiMisuse,         ///< the caller broke a documented precondition: fix the caller
  Internal,          ///< a defect of this library: report it
};

/// "invalid message", "peer misbehaved", …
QSP_EXPORT std::string_view name(ErrorKind kind) noexcept;

/// What went wrong. `where` is static text that never holds a secret or a byte from a peer.
struct Error {
  ErrorKind kind;
  Reason reason;
  std::string_view where;
};

/// What a function returns that may fail: a T, or the E that says why there is none. It is std::expected, except
/// that the compiler warns of a Result that nobody looks at, which an alias could not bring about. Code that does not
/// need one writes static_cast<void>, and says why.
template <class T, class E = Error>
class [[nodiscard]] Result : public std::expected<T, E> {
 public:
  using std::expected<T, E>::expected;
  constexpr Result() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): they are the same thing
  constexpr Result(std::expected<T, E>&& other) noexcept(std::is_nothrow_move_constructible_v<std::expected<T, E>>)
      : std::expected<T, E>(std::move(other)) {}
};

/// Whether it holds a value that is equal to `other`. std::expected's own would fit both ways round.
template <class T, class E, class U>
  requires requires(const T& value, const U& other) { static_cast<bool>(value == other); }
constexpr bool operator==(const Result<T, E>& result, const U& other) {
  return result.has_value() && static_cast<bool>(*result == other);
}

/// Shorthand for the failing side of a Result.
[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, Reason reason, std::string_view where) noexcept {
  return std::unexpected<Error>(Error{kind, reason, where});
}

}  // namespace qsp
