#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace qsp::net {

/// What a server takes on at most (SPEC §5, bounds before authentication).
struct Limits {
  std::size_t sessions = 10'000;           ///< connections of any kind
  std::size_t handshakes = 256;            ///< of these, not established yet
  std::size_t handshakes_per_source = 16;  ///< likewise, from one source
};

enum class Refusal : std::uint8_t { Sessions, Handshakes, HandshakesOfSource };

/// "too many sessions", …: for a log.
std::string_view describe(Refusal refusal) noexcept;

/// Whose handshakes are counted together: an IPv4 address, or an IPv6 /64, all of which one subscriber holds.
using Source = std::array<std::uint8_t, 9>;
Source source_of(const boost::asio::ip::address& address);

/// Counts connections against the limits. Belongs to one thread.
class Admission {
 public:
  explicit Admission(const Limits& limits) : limits_(limits) {}

  /// Counts a new connection in, as an unfinished handshake; or says why it has to go.
  std::optional<Refusal> admit(const Source& source);
  /// An admitted connection was established.
  void handshake_over(const Source& source);
  /// An admitted connection is gone. Precondition: handshake_over was called for it.
  void session_over() noexcept { --sessions_; }

  [[nodiscard]] std::size_t sessions() const noexcept { return sessions_; }
  [[nodiscard]] std::size_t handshakes() const noexcept { return handshakes_; }

 private:
  Limits limits_;
  std::size_t sessions_ = 0;
  std::size_t handshakes_ = 0;
  /// Sources with an unfinished handshake only; so it is never longer than limits_.handshakes.
  std::map<Source, std::size_t> by_source_;
};

}  // namespace qsp::net
