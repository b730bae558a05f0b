#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>

namespace qsp::net {

/// What a server takes on at most (SPEC §8.6, bounds before authentication).
struct Limits {
  std::size_t sessions = 10'000;                                              ///< connections of any kind
  std::size_t handshakes = 256;                                               ///< of these, not authenticated yet
  std::size_t handshakes_per_source = 16;                                     ///< likewise, from one source
  std::size_t sessions_per_source = std::numeric_limits<std::size_t>::max();  ///< connections of any kind
};

enum class Refusal : std::uint8_t {
  Sessions,            ///< newcomers: too many connections of any kind
  SessionsOfSource,    ///< likewise, from one source
  Handshakes,          ///< newcomers: too many unfinished handshakes
  HandshakesOfSource,  ///< likewise, from one source
  Descriptors,         ///< newcomers: the process may open no more files
  Displaced,           ///< connections that said nothing, while newcomers needed their place
};
inline constexpr std::size_t kRefusals = 6;

/// "too many sessions", …: for a log.
std::string_view describe(Refusal refusal) noexcept;

/// Whose connections are counted together: an IPv4 address, or an IPv6 /64, all of which one subscriber holds.
using Source = std::array<std::uint8_t, 9>;
Source source_of(const boost::asio::ip::address& address);

/// The place that a counted connection holds: in order of arrival, never used twice, never 0. Its lowest byte says who
/// keeps the connection: the thread, where there are several.
using Place = std::uint64_t;
constexpr std::uint8_t keeper_of(Place place) noexcept { return static_cast<std::uint8_t>(place); }

/// Counts connections against the limits, and says who goes where there is no room.
///
/// A connection is *silent* until it has shown that it means it, by a whole first message, say. Silence costs an
/// attacker nothing; so it earns no place that somebody else needs: where a limit is reached, a newcomer displaces the
/// oldest silent connection of the source that holds the most of them. Only past that is a newcomer refused. Every call
/// takes time logarithmic in the number of connections. Belongs to one thread. What has no place (any more) is ignored
/// everywhere: word of a connection may arrive after it was displaced.
class Admission {
 public:
  explicit Admission(const Limits& limits) : limits_(limits) {}

  struct Admitted {
    Place place;                     ///< of the newcomer, which is silent
    std::optional<Place> displaced;  ///< whose connection has to be closed now; it is counted no longer
  };
  /// Counts a new connection in, or says why it has to go.
  std::expected<Admitted, Refusal> admit(const Source& source, std::uint8_t keeper = 0);
  /// Gives up a place for the sake of another resource, if any is of little use.
  std::optional<Place> displace_one();

  /// A connection has sent its first whole message; its handshake goes on.
  void heard(Place place) { move(place, Phase::Heard); }
  /// It is authenticated, or busy again.
  void settled(Place place) { move(place, Phase::Settled); }
  /// It is not, and nobody is waiting for it: it has still to say something.
  void silent(Place place) { move(place, Phase::Silent); }
  /// Its work is done: it lingers, or is kept in case there is more. It may be displaced, after those that are silent.
  void idle(Place place) { move(place, Phase::Idle); }
  /// It is gone.
  void gone(Place place);
  /// A displaced connection turned out to have been heard meanwhile: it is counted in again, beyond any limit.
  void keep(Place place, const Source& source, bool established);

  [[nodiscard]] std::size_t sessions() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t handshakes() const noexcept { return handshakes_; }

 private:
  enum class Phase : std::uint8_t { Silent, Heard, Settled, Idle };
  struct OfSource {
    std::size_t all = 0;
    std::size_t handshakes = 0;
    std::set<Place> silent, idle;  ///< the oldest first
  };
  using Sources = std::map<Source, OfSource>;
  struct Entry {
    Sources::iterator source;
    Phase phase;
  };
  /// Of a source with silent connections: how many it has short of the most, its oldest, itself. The first one gives.
  using Rank = std::tuple<std::size_t, Place, Source>;

  static Rank rank_of(const Sources::value_type& source);
  void insert(Place place, const Source& source, Phase phase);
  void enter(Place place, Sources::value_type& source, Phase phase);
  void leave(Place place, Sources::value_type& source, Phase phase);
  void move(Place place, Phase phase);
  std::optional<Place> displace(const std::set<Place>& among);
  std::optional<Place> displace_silent();

  Limits limits_;
  Place next_ = 1;
  std::size_t handshakes_ = 0;
  std::map<Place, Entry> entries_;
  Sources by_source_;     ///< of those that hold a place
  std::set<Rank> ranks_;  ///< of those that have silent connections
  std::set<Place> idle_;
};

}  // namespace qsp::net
