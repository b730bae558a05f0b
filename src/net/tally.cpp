#include "net/tally.hpp"

#include <algorithm>
#include <utility>

namespace qsp::net {

Tally::Told Tally::take(const std::string& kind, Waiting& waiting) {
  return {.kind = kind,
          .count = std::exchange(waiting.count, 0),
          .last = waiting.last,
          .detail = std::exchange(waiting.detail, {})};
}

std::optional<Tally::Told> Tally::note(std::string_view kind, const boost::asio::ip::tcp::endpoint& from, Instant now,
                                       std::string detail) {
  auto found = kinds_.find(kind);
  if (found == kinds_.end() && kinds_.size() >= kMaxKinds) {
    std::erase_if(kinds_,
                  [now](const auto& each) { return each.second.count == 0 && now - each.second.told >= kInterval; });
  }
  if (found == kinds_.end() && kinds_.size() >= kMaxKinds) {
    kind = "other";
    found = kinds_.find(kind);
  }
  const bool fresh = found == kinds_.end();
  if (fresh) found = kinds_.emplace(kind, Waiting{}).first;
  Waiting& waiting = found->second;
  ++waiting.count;
  waiting.last = from;
  waiting.detail = std::move(detail);
  if (!fresh && now - waiting.told < kInterval) return std::nullopt;
  waiting.told = now;
  return take(found->first, waiting);
}

std::vector<Tally::Told> Tally::due(Instant now) {
  std::vector<Told> told;
  for (auto& [kind, waiting] : kinds_) {
    if (waiting.count == 0 || now - waiting.told < kInterval) continue;
    waiting.told = now;
    told.push_back(take(kind, waiting));
  }
  return told;
}

std::vector<Tally::Told> Tally::rest() {
  std::vector<Told> told;
  for (auto& [kind, waiting] : kinds_) {
    if (waiting.count != 0) told.push_back(take(kind, waiting));
  }
  return told;
}

std::optional<Instant> Tally::next_due() const {
  std::optional<Instant> next;
  for (const auto& [kind, waiting] : kinds_) {
    if (waiting.count != 0) next = std::min(next.value_or(Instant::max()), waiting.told + kInterval);
  }
  return next;
}

}  // namespace qsp::net
