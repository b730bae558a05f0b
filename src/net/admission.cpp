#include "net/admission.hpp"

#include <algorithm>

namespace qsp::net {

std::string_view describe(Refusal refusal) noexcept {
  switch (refusal) {
    case Refusal::Sessions:
      return "too many sessions";
    case Refusal::Handshakes:
      return "too many unfinished handshakes";
    case Refusal::HandshakesOfSource:
      return "too many unfinished handshakes from one source";
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

std::optional<Refusal> Admission::admit(const Source& source) {
  if (sessions_ >= limits_.sessions) return Refusal::Sessions;
  if (handshakes_ >= limits_.handshakes) return Refusal::Handshakes;
  const auto found = by_source_.find(source);
  if (found != by_source_.end() && found->second >= limits_.handshakes_per_source) return Refusal::HandshakesOfSource;
  ++by_source_[source];
  ++sessions_;
  ++handshakes_;
  return std::nullopt;
}

void Admission::handshake_over(const Source& source) {
  --handshakes_;
  const auto found = by_source_.find(source);
  if (found != by_source_.end() && --found->second == 0) by_source_.erase(found);
}

}  // namespace qsp::net
