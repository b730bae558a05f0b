#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qsp::kme::api {

enum class CallKind : std::uint8_t { Status, EncKeys, DecKeys, Other };
inline constexpr std::array<std::string_view, 4> kCallNames{"status", "enc_keys", "dec_keys", "other"};

/// Answers by call and HTTP status: 200, 400, 401, 503, anything else.
inline constexpr std::array<unsigned, 4> kCountedStatuses{200, 400, 401, 503};

/// What a KME has done since it started. May be shared by threads.
struct Counters {
  using Count = std::atomic<std::uint64_t>;

  std::array<std::array<Count, kCountedStatuses.size() + 1>, kCallNames.size()> answers{};
  Count keys_given = 0;     ///< by enc_keys
  Count keys_redeemed = 0;  ///< by dec_keys
  Count store_errors = 0;
  Count rate_limited = 0;

  void count(CallKind call, unsigned status) noexcept {
    std::size_t column = 0;
    while (column < kCountedStatuses.size() && kCountedStatuses[column] != status) ++column;
    ++answers[static_cast<std::size_t>(call)][column];
  }
};

}  // namespace qsp::kme::api
