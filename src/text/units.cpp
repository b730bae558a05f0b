#include "text/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace qsp::text {
namespace {

using std::chrono::nanoseconds;

struct TimeUnit {
  std::string_view name;
  nanoseconds length;
};
constexpr std::array kTimeUnits{
    TimeUnit{"d", std::chrono::days(1)},
    TimeUnit{"h", std::chrono::hours(1)},
    TimeUnit{"m", std::chrono::minutes(1)},
    TimeUnit{"s", std::chrono::seconds(1)},
    TimeUnit{"ms", std::chrono::milliseconds(1)},
    TimeUnit{"us", std::chrono::microseconds(1)},
    TimeUnit{"ns", nanoseconds(1)},
};

struct SizeUnit {
  std::string_view name, other;
  unsigned shift;
};
constexpr std::array kSizeUnits{SizeUnit{"T", "TiB", 40}, SizeUnit{"G", "GiB", 30}, SizeUnit{"M", "MiB", 20},
                                SizeUnit{"K", "KiB", 10}};

}  // namespace

Result<nanoseconds, std::string> parse_time(std::string_view text, nanoseconds plain) {
  const auto problem = [] {
    return std::unexpected(
        std::string("takes a time: a number and ns, us, ms, s, m, h or d, such as 500ms, 90s, 2m or 1h"));
  };
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || !std::isfinite(number)) return problem();
  const std::string_view unit(stopped, end);
  nanoseconds length = plain;
  if (!unit.empty()) {
    length = nanoseconds(0);
    for (const TimeUnit& known : kTimeUnits) {
      if (known.name == unit) length = known.length;
    }
    if (length.count() == 0) return problem();
  }
  const double time = number * static_cast<double>(length.count());
  if (std::abs(time) > static_cast<double>(kLongestTime.count())) {
    return std::unexpected(std::string("takes a time of at most ") + time_text(kLongestTime));
  }
  return nanoseconds(std::llround(time));
}

Result<std::uint64_t, std::string> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  const std::string_view unit(stopped, end);
  unsigned shift = 0;
  bool known = error == std::errc{} && unit.empty();
  for (const SizeUnit& candidate : kSizeUnits) {
    if (error != std::errc{} || (unit != candidate.name && unit != candidate.other)) continue;
    known = true;
    shift = candidate.shift;
  }
  if (error == std::errc::result_out_of_range ||
      (known && number > (std::numeric_limits<std::uint64_t>::max() >> shift))) {
    return std::unexpected(std::string("takes a size below 2^64 bytes"));
  }
  if (!known) {
    return std::unexpected(std::string(
        "takes a size: a whole number of bytes, or one with K, M, G or T (powers of 1024), such as 64K or 2G"));
  }
  return number << shift;
}

std::string time_text(nanoseconds time) {
  if (time.count() == 0) return "0s";
  for (const TimeUnit& unit : kTimeUnits) {
    if (time % unit.length == nanoseconds(0)) return std::to_string(time / unit.length).append(unit.name);
  }
  return std::to_string(time.count()) + "ns";
}

std::string size_text(std::uint64_t bytes) {
  for (const SizeUnit& unit : kSizeUnits) {
    if (bytes != 0 && (bytes & ((std::uint64_t{1} << unit.shift) - 1)) == 0) {
      return std::to_string(bytes >> unit.shift).append(unit.name);
    }
  }
  return std::to_string(bytes);
}

std::string grouped(std::uint64_t number) {
  constexpr std::size_t kGroup = 3;
  std::string text;
  const std::string digits = std::to_string(number);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % kGroup == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace qsp::text
