#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "channel/world.hpp"

/// Answers that a test gives in the place of an end's KME, one at a time.
namespace qsp::test {

inline constexpr std::string_view kLower = "abcdef01-2345-4678-89ab-cdef01234567";
inline constexpr std::string_view kUpper = "ABCDEF01-2345-4678-89AB-CDEF01234567";
inline constexpr std::string_view kOther = "abcdef01-2345-4678-89ab-cdef01234568";

inline Reason reason(const Pair& pair, Role role) {
  return pair.seen(role).closed.value_or(Closed{Reason::Normal, ""}).reason;
}

/// What this end was last asked to answer.
inline const QkdKeyNeeded& asked(const Pair& pair, Role role) { return pair.seen(role).qkd.back(); }

inline Result<void> provide(Pair& pair, Role role, std::string_view key_id, QkdKey key = QkdKey()) {
  auto taken = channel(pair, role).provide_qkd_key({std::string(key_id), std::move(key)}, pair.now());
  pair.drain(role);
  return taken;
}
inline Result<void> refuse(Pair& pair, Role role, QkdFailure why = QkdFailure::Unavailable) {
  auto taken = channel(pair, role).fail_qkd_key(why, pair.now());
  pair.drain(role);
  return taken;
}

}  // namespace qsp::test
