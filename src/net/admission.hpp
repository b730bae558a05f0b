#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "qsp/endpoint.hpp"
#include "qsp/error.hpp"

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
  DisplacedHandshake,  ///< connections whose handshake was not done in its fair chance, likewise
};
inline constexpr std::size_t kRefusals = 7;

/// Whether it is about connections that had a place, not about newcomers.
constexpr bool is_displacement(Refusal refusal) noexcept {
  return refusal == Refusal::Displaced || refusal == Refusal::DisplacedHandshake;
}

/// How long after its connection was accepted a handshake that was heard of keeps its place against newcomers (SPEC
/// §8.6). With the default limits it takes 16 / 0.5 s = 32 first messages a second to keep newcomers of one source out,
/// and 256 / 0.5 s = 512 for all of them.
inline constexpr std::chrono::milliseconds kFairChance{500};
/// One part in so many of a limit on handshakes is left to silent connections while a handshake that has had its fair
/// chance can go instead: a newcomer has to live long enough to be heard.
inline constexpr std::size_t kSilentPart = 8;

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
/// A connection is *silent* until it has shown that it is in earnest, by a whole first message, say. Silence costs an
/// attacker nothing, and a repeated first message little; so neither keeps a place for long that somebody else needs.
/// Where a limit is reached, a newcomer displaces the oldest silent connection of the source that holds the most of
/// them. Where few are silent, the oldest handshake goes that has had its fair chance, of the source that has the most
/// handshakes. Only after that is a newcomer refused; an authenticated peer is never displaced at work. Every call
/// takes time logarithmic in the number of connections (admit and displace_one: on average, since each handshake ripens
/// once). Belongs to one thread. A connection without a place is ignored everywhere: a call about it may come after it
/// was displaced.
class Admission {
 public:
  explicit Admission(const Limits& limits)
      : limits_(limits), left_to_silent_(std::min(limits.handshakes, limits.sessions) / kSilentPart) {}

  struct Admitted {
    Place place;                     ///< of the newcomer, which is silent
    std::optional<Place> displaced;  ///< whose connection has to be closed now; it is counted no longer
  };
  /// Counts a new connection in, which was accepted now, or says why it has to go.
  Result<Admitted, Refusal> admit(const Source& source, Instant now, std::uint8_t keeper = 0);
  /// Gives up a place for the sake of another resource, if any is of little use.
  std::optional<Place> displace_one(Instant now);

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
  void keep(Place place, const Source& source, Instant accepted, bool authenticated);

  [[nodiscard]] std::size_t sessions() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t handshakes() const noexcept { return handshakes_; }

 private:
  enum class Phase : std::uint8_t { Silent, Heard, Ripe, Settled, Idle };  ///< Ripe: heard, and had its fair chance
  struct OfSource {
    std::size_t all = 0;
    std::size_t handshakes = 0;
    std::set<Place> silent, ripe, idle;  ///< the oldest first
  };
  using Sources = std::map<Source, OfSource>;
  struct Entry {
    Sources::iterator source;
    Phase phase;
    Instant accepted;
  };
  /// Of a source: how many it has short of the most, its oldest that may go, itself. The first one gives.
  using Rank = std::tuple<std::size_t, Place, Source>;

  static Rank rank_of(std::size_t count, const std::set<Place>& may_go, const Source& source);
  static bool is_handshake(Phase phase) noexcept { return phase <= Phase::Ripe; }
  void rank(const Sources::value_type& source);
  void unrank(const Sources::value_type& source);
  void insert(Place place, const Source& source, Instant accepted, Phase phase);
  void enter(Place place, Entry& entry, Phase phase);
  void leave(Place place, Entry& entry);
  void move(Place place, Phase phase);
  void ripen(Instant now);
  [[nodiscard]] std::optional<Place> handshake_of(const OfSource& own) const;
  [[nodiscard]] std::optional<Place> handshake_of_any() const;
  [[nodiscard]] std::optional<Place> any() const;
  std::optional<Place> displace(std::optional<Place> place);

  Limits limits_;
  std::size_t left_to_silent_;
  Place next_ = 1;
  std::size_t handshakes_ = 0, silent_ = 0;
  std::map<Place, Entry> entries_;
  Sources by_source_;                          ///< of those that hold a place
  std::set<Rank> silent_ranks_, ripe_ranks_;   ///< of those that have such connections
  std::set<std::pair<Instant, Place>> heard_;  ///< not ripe yet; by the time they were accepted
  std::set<Place> idle_;
};

}  // namespace qsp::net
