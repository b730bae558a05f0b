#include "https/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <string>
#include <system_error>

namespace qsp::https {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

std::optional<sys_seconds> parse_date(const std::string& text) {
  constexpr std::array kForms{"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"};
  for (const char* const form : kForms) {
    std::tm parts{};
    const char* const end = ::strptime(text.c_str(), form, &parts);
    if (end == text.c_str() + text.size()) return sys_seconds(seconds(::timegm(&parts)));
  }
  return std::nullopt;
}

}  // namespace

std::optional<seconds> parse_retry_after(std::string_view field, std::string_view date,
                                         std::chrono::system_clock::time_point now) {
  unsigned number = 0;
  const char* const end = field.data() + field.size();
  const auto [stopped, failed] = std::from_chars(field.data(), end, number);
  if (!field.empty() && stopped == end) {
    if (failed == std::errc::result_out_of_range) return kMaxRetryAfter;
    return std::min(seconds(number), kMaxRetryAfter);
  }
  const auto until = parse_date(std::string(field));
  if (!until) return std::nullopt;
  const sys_seconds from = parse_date(std::string(date)).value_or(std::chrono::floor<seconds>(now));
  return std::clamp<seconds>(*until - from, seconds(0), kMaxRetryAfter);
}

}  // namespace qsp::https
