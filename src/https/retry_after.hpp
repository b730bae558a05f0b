#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace qsp::https {

/// Longer waits are taken for this one.
inline constexpr std::chrono::seconds kMaxRetryAfter = std::chrono::hours(24);

/// The header field Retry-After (RFC 9110 §10.2.3): a number of seconds, or a date in one of the three forms of §5.6.7.
/// A date counts from `date`, the answer's own field Date, so that the two clocks need not agree; from `now` where that
/// is none. 0 for one that is past, nothing for what is neither.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view field, std::string_view date,
                                                      std::chrono::system_clock::time_point now);

}  // namespace qsp::https
