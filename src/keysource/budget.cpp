#include "keysource/budget.hpp"

#include <algorithm>

namespace qsp::keysource {

bool QkdBudget::take(std::string_view peer, Instant now) { return take(peer, now, 0); }
bool QkdBudget::take_further(std::string_view peer, Instant now) { return take(peer, now, kKeptForNew); }
Instant QkdBudget::next(std::string_view peer, Instant now) const { return next(peer, now, 0); }

bool QkdBudget::take(std::string_view peer, Instant now, int keep) {
  if (next(peer, now, keep) > now) return false;
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

Instant QkdBudget::next(std::string_view peer, Instant now, int keep) const {
  const auto entry = whole_again_.find(peer);
  if (entry == whole_again_.end()) return now;
  return std::max(now, entry->second - (kFetches - 1 - keep) * kRefill);
}

}  // namespace qsp::keysource
