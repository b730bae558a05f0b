#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "qsp/error.hpp"

/// Times, sizes and counts as people write and read them, in options, configurations and results alike.
namespace qsp::text {

/// Beyond it (some 31 years) a time is a mistake, and clocks overflow.
inline constexpr std::chrono::nanoseconds kLongestTime = std::chrono::seconds(1'000'000'000);

/// "500ms", "2m", "1.5h": a number and ns, us, ms, s, m, h or d. A number alone is in units of `plain`. It may be
/// negative. The error says what is taken.
Result<std::chrono::nanoseconds, std::string> parse_time(std::string_view text,
                                                         std::chrono::nanoseconds plain = std::chrono::seconds(1));
/// "64K", "2G": bytes, or a whole number and K, M, G or T, powers of 1024 (KiB, MiB, GiB, TiB are the same).
Result<std::uint64_t, std::string> parse_size(std::string_view text);

/// The shortest of what parse_time takes: "90s", "2m", "500ms", "0s".
std::string time_text(std::chrono::nanoseconds time);
/// The same for parse_size: "64K", "1000".
std::string size_text(std::uint64_t bytes);

/// "12,000,000".
std::string grouped(std::uint64_t number);

}  // namespace qsp::text
