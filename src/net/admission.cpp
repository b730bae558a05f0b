#include "net/admission.hpp"

#include <algorithm>

namespace qsp::net {

std::string_view describe(Refusal refusal) noexcept {
  switch (refusal) {
    case Refusal::Sessions:
      return "too many sessions";
    case Refusal::SessionsOfSource:
      return "too many sessions from one source";
    case Refusal::Handshakes:
      return "too many unfinished handshakes";
    case Refusal::HandshakesOfSource:
      return "too many unfinished handshakes from one source";
    case Refusal::Descriptors:
      return "too many sessions for the open files that are allowed (see: ulimit -n)";
    case Refusal::Displaced:
      return "they had sent nothing whole, and newcomers needed the room";
    case Refusal::DisplacedHandshake:
      return "their handshakes were not done in time, and newcomers needed the room";
  }
  return "unknown";
}

Source source_of(const boost::asio::ip::address& address) {
  Source source{};
  if (address.is_v4()) {
    source[0] = 4;
    std::ranges::copy(address.to_v4().to_bytes(), source.begin() + 1);
  } else if (const auto v6 = address.to_v6(); v6.is_v4_mapped()) {
    source[0] = 4;
    const auto bytes = v6.to_bytes();
    std::ranges::copy(bytes.begin() + 12, bytes.end(), source.begin() + 1);
  } else {
    source[0] = 6;
    std::copy_n(v6.to_bytes().begin(), 8, source.begin() + 1);
  }
  return source;
}

Result<Admission::Admitted, Refusal> Admission::admit(const Source& source, Instant now, std::uint8_t keeper) {
  static const OfSource kNobody;
  ripen(now);
  const auto known = by_source_.find(source);
  const OfSource& own = known == by_source_.end() ? kNobody : known->second;
  // One place at most is given up for a newcomer, so one rule has to make room in all that are full: a source at its
  // share is the first to give.
  std::optional<Place> displaced;
  if (own.handshakes >= limits_.handshakes_per_source || own.all >= limits_.sessions_per_source) {
    const bool by_handshakes = own.handshakes >= limits_.handshakes_per_source;
    const bool idle_helps = !by_handshakes && handshakes_ < limits_.handshakes && !own.idle.empty();
    displaced = idle_helps && own.silent.empty() ? displace(*own.idle.begin()) : displace(handshake_of(own));
    if (!displaced) return std::unexpected(by_handshakes ? Refusal::HandshakesOfSource : Refusal::SessionsOfSource);
  } else if (handshakes_ >= limits_.handshakes) {
    displaced = displace(handshake_of_any());
    if (!displaced) return std::unexpected(Refusal::Handshakes);
  } else if (entries_.size() >= limits_.sessions) {
    displaced = displace(any());
    if (!displaced) return std::unexpected(Refusal::Sessions);
  }
  const Place place = next_++ << 8 | keeper;
  insert(place, source, now, Phase::Silent);
  return Admitted{.place = place, .displaced = displaced};
}

std::optional<Place> Admission::displace_one(Instant now) {
  ripen(now);
  return displace(any());
}

/// Each handshake once.
void Admission::ripen(Instant now) {
  while (!heard_.empty() && heard_.begin()->first + kFairChance <= now) move(heard_.begin()->second, Phase::Ripe);
}

std::optional<Place> Admission::handshake_of(const OfSource& own) const {
  const bool few = own.silent.size() <= limits_.handshakes_per_source / kSilentPart;
  if (!own.ripe.empty() && (few || own.silent.empty())) return *own.ripe.begin();
  if (!own.silent.empty()) return *own.silent.begin();
  return std::nullopt;
}

std::optional<Place> Admission::handshake_of_any() const {
  const bool few = silent_ <= left_to_silent_;
  if (!ripe_ranks_.empty() && few) return std::get<1>(*ripe_ranks_.begin());
  if (!silent_ranks_.empty()) return std::get<1>(*silent_ranks_.begin());
  return std::nullopt;
}

/// Whose work is done goes before one whose handshake goes on.
std::optional<Place> Admission::any() const {
  const std::optional<Place> handshake = handshake_of_any();
  const bool silent = handshake && entries_.at(*handshake).phase == Phase::Silent;
  return silent || idle_.empty() ? handshake : std::optional(*idle_.begin());
}

std::optional<Place> Admission::displace(std::optional<Place> place) {
  if (place) gone(*place);
  return place;
}

void Admission::gone(Place place) {
  const auto found = entries_.find(place);
  if (found == entries_.end()) return;
  const auto source = found->second.source;
  leave(place, found->second);
  entries_.erase(found);
  if (--source->second.all == 0) by_source_.erase(source);
}

void Admission::keep(Place place, const Source& source, Instant accepted, bool authenticated) {
  if (!entries_.contains(place)) insert(place, source, accepted, authenticated ? Phase::Settled : Phase::Heard);
}

void Admission::insert(Place place, const Source& source, Instant accepted, Phase phase) {
  const auto of_source = by_source_.try_emplace(source).first;
  ++of_source->second.all;
  Entry& entry =
      entries_.emplace(place, Entry{.source = of_source, .phase = phase, .accepted = accepted}).first->second;
  enter(place, entry, phase);
}

void Admission::move(Place place, Phase phase) {
  const auto found = entries_.find(place);
  if (found == entries_.end() || found->second.phase == phase) return;
  // Word of the first message and of the end of the handshake may come in either order.
  if (phase == Phase::Heard && found->second.phase != Phase::Silent) return;
  leave(place, found->second);
  enter(place, found->second, phase);
}

Admission::Rank Admission::rank_of(std::size_t count, const std::set<Place>& may_go, const Source& source) {
  return {std::numeric_limits<std::size_t>::max() - count, *may_go.begin(), source};
}

void Admission::rank(const Sources::value_type& source) {
  const OfSource& own = source.second;
  if (!own.silent.empty()) silent_ranks_.insert(rank_of(own.silent.size(), own.silent, source.first));
  if (!own.ripe.empty()) ripe_ranks_.insert(rank_of(own.handshakes, own.ripe, source.first));
}

void Admission::unrank(const Sources::value_type& source) {
  const OfSource& own = source.second;
  if (!own.silent.empty()) silent_ranks_.erase(rank_of(own.silent.size(), own.silent, source.first));
  if (!own.ripe.empty()) ripe_ranks_.erase(rank_of(own.handshakes, own.ripe, source.first));
}

void Admission::enter(Place place, Entry& entry, Phase phase) {
  OfSource& own = entry.source->second;
  unrank(*entry.source);
  entry.phase = phase;
  if (phase == Phase::Silent) {
    own.silent.insert(place);
    ++silent_;
  }
  if (phase == Phase::Heard) heard_.emplace(entry.accepted, place);
  if (phase == Phase::Ripe) own.ripe.insert(place);
  if (phase == Phase::Idle) {
    own.idle.insert(place);
    idle_.insert(place);
  }
  if (is_handshake(phase)) {
    ++own.handshakes;
    ++handshakes_;
  }
  rank(*entry.source);
}

void Admission::leave(Place place, Entry& entry) {
  OfSource& own = entry.source->second;
  unrank(*entry.source);
  if (entry.phase == Phase::Silent) {
    own.silent.erase(place);
    --silent_;
  }
  if (entry.phase == Phase::Heard) heard_.erase({entry.accepted, place});
  if (entry.phase == Phase::Ripe) own.ripe.erase(place);
  if (entry.phase == Phase::Idle) {
    own.idle.erase(place);
    idle_.erase(place);
  }
  if (is_handshake(entry.phase)) {
    --own.handshakes;
    --handshakes_;
  }
  rank(*entry.source);
}

}  // namespace qsp::net
