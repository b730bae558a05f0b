#include "keysource/budget.hpp"

#include <algorithm>

namespace qsp::keysource {

bool QkdBudget::take(std::string_view peer, Instant now) {
  if (next(peer, now) > now) return false;
  auto entry = whole_again_.find(peer);
  if (entry == whole_again_.end()) {
    if (whole_again_.size() >= kMaxPeers) {
      std::erase_if(whole_again_, [now](const auto& item) { return item.second <= now; });
      if (whole_again_.size() >= kMaxPeers) return false;
    }
    entry = whole_again_.emplace(std::string(peer), now).first;
  }
  entry->second = std::max(entry->second, now) + kRefill;
  return true;
}

Instant QkdBudget::next(std::string_view peer, Instant now) const {
  const auto entry = whole_again_.find(peer);
  if (entry == whole_again_.end()) return now;
  return std::max(now, entry->second - (kFetches - 1) * kRefill);
}

}  // namespace qsp::keysource
