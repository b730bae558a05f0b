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

std::expected<Admission::Admitted, Refusal> Admission::admit(const Source& source, std::uint8_t keeper) {
  static const OfSource kNobody;
  const auto known = by_source_.find(source);
  const OfSource& own = known == by_source_.end() ? kNobody : known->second;
  // One place at most is given up for a newcomer, so one rule has to make room in all that are full: a source at its
  // share is the first to give.
  std::optional<Place> displaced;
  if (own.handshakes >= limits_.handshakes_per_source || own.all >= limits_.sessions_per_source) {
    const bool by_handshakes = own.handshakes >= limits_.handshakes_per_source;
    displaced = displace(own.silent);
    if (!displaced && !by_handshakes && handshakes_ < limits_.handshakes) displaced = displace(own.idle);
    if (!displaced) return std::unexpected(by_handshakes ? Refusal::HandshakesOfSource : Refusal::SessionsOfSource);
  } else if (handshakes_ >= limits_.handshakes) {
    displaced = displace_silent();
    if (!displaced) return std::unexpected(Refusal::Handshakes);
  } else if (entries_.size() >= limits_.sessions) {
    displaced = displace_one();
    if (!displaced) return std::unexpected(Refusal::Sessions);
  }
  const Place place = next_++ << 8 | keeper;
  insert(place, source, Phase::Silent);
  return Admitted{.place = place, .displaced = displaced};
}

std::optional<Place> Admission::displace_one() {
  if (const std::optional<Place> silent = displace_silent()) return silent;
  return displace(idle_);
}

std::optional<Place> Admission::displace_silent() {
  if (ranks_.empty()) return std::nullopt;
  const Place oldest = std::get<1>(*ranks_.begin());
  gone(oldest);
  return oldest;
}

std::optional<Place> Admission::displace(const std::set<Place>& among) {
  if (among.empty()) return std::nullopt;
  const Place oldest = *among.begin();
  gone(oldest);
  return oldest;
}

void Admission::gone(Place place) {
  const auto found = entries_.find(place);
  if (found == entries_.end()) return;
  const auto source = found->second.source;
  leave(place, *source, found->second.phase);
  entries_.erase(found);
  if (--source->second.all == 0) by_source_.erase(source);
}

void Admission::keep(Place place, const Source& source, bool established) {
  if (!entries_.contains(place)) insert(place, source, established ? Phase::Settled : Phase::Heard);
}

void Admission::insert(Place place, const Source& source, Phase phase) {
  const auto of_source = by_source_.try_emplace(source).first;
  ++of_source->second.all;
  entries_.emplace(place, Entry{.source = of_source, .phase = phase});
  enter(place, *of_source, phase);
}

void Admission::move(Place place, Phase phase) {
  const auto found = entries_.find(place);
  if (found == entries_.end() || found->second.phase == phase) return;
  // Word of the first message and of the end of the handshake may come in either order.
  if (phase == Phase::Heard && found->second.phase != Phase::Silent) return;
  leave(place, *found->second.source, found->second.phase);
  found->second.phase = phase;
  enter(place, *found->second.source, phase);
}

Admission::Rank Admission::rank_of(const Sources::value_type& source) {
  const std::set<Place>& silent = source.second.silent;
  return {std::numeric_limits<std::size_t>::max() - silent.size(), *silent.begin(), source.first};
}

void Admission::enter(Place place, Sources::value_type& source, Phase phase) {
  OfSource& own = source.second;
  if (phase == Phase::Silent) {
    if (!own.silent.empty()) ranks_.erase(rank_of(source));
    own.silent.insert(place);
    ranks_.insert(rank_of(source));
  }
  if (phase == Phase::Idle) {
    own.idle.insert(place);
    idle_.insert(place);
  }
  if (phase == Phase::Silent || phase == Phase::Heard) {
    ++own.handshakes;
    ++handshakes_;
  }
}

void Admission::leave(Place place, Sources::value_type& source, Phase phase) {
  OfSource& own = source.second;
  if (phase == Phase::Silent) {
    ranks_.erase(rank_of(source));
    own.silent.erase(place);
    if (!own.silent.empty()) ranks_.insert(rank_of(source));
  }
  if (phase == Phase::Idle) {
    own.idle.erase(place);
    idle_.erase(place);
  }
  if (phase == Phase::Silent || phase == Phase::Heard) {
    --own.handshakes;
    --handshakes_;
  }
}

}  // namespace qsp::net
