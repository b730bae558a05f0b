#include "kme/link/feed_report.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "base/try.hpp"
#include "json/json.hpp"

namespace qsp::kme::link {
namespace {

namespace bj = boost::json;

constexpr std::size_t kReportDepth = 4;
constexpr std::size_t kMaxAbortName = 32;
constexpr std::array<std::string_view, 3> kStates{"running", "aborting", "down"};

bool is_printable(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_abort_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kMaxAbortName &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

/// A finite number between two bounds, whole or not. True for one that is absent or null, which leaves `out` empty.
bool read_number(const bj::object& object, std::string_view name, double least, double most,
                 std::optional<double>& out) {
  const bj::value* const value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return true;
  boost::system::error_code failed;
  const double number = value->to_number<double>(failed);
  if (failed || !std::isfinite(number) || number < least || number > most) return false;
  out = number;
  return true;
}

bool read_count(const bj::value* value, std::uint64_t& out) {
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0) return false;
  out = static_cast<std::uint64_t>(value->get_int64());
  return true;
}

}  // namespace

std::string_view name(FeedState state) noexcept { return kStates.at(static_cast<std::size_t>(state)); }

SecretBytes to_json(const FeedReport& report) {
  bj::object aborted;
  for (const auto& [reason, count] : report.aborted) aborted[reason] = static_cast<std::int64_t>(count);
  bj::object root{{"state", name(report.state)},
                  {"reason", report.reason},
                  {"rate", report.rate},
                  {"blocks", static_cast<std::int64_t>(report.blocks)},
                  {"keys", static_cast<std::int64_t>(report.keys)},
                  {"aborted", std::move(aborted)},
                  {"simulated", report.simulated}};
  if (report.s) root["s"] = *report.s;
  if (report.qber) root["qber"] = *report.qber;
  if (report.block_age) root["block_age"] = *report.block_age;
  return json::serialize(root);
}

FromPeer<FeedReport> parse_feed_report(std::string_view text) {
  QSP_TRY(const auto parsed, json::parse(text, kReportDepth));
  const auto wrong = [](std::string_view member) {
    return std::unexpected("a report whose \"" + std::string(member) + "\" is not as docs/kme.md has it");
  };
  const bj::object* const root = parsed.if_object();
  if (root == nullptr) return std::unexpected("not a JSON object");
  FeedReport report;
  const bj::value* const state = root->if_contains("state");
  const auto known = state == nullptr || !state->is_string()
                         ? kStates.end()
                         : std::ranges::find(kStates, std::string_view(state->get_string()));
  if (known == kStates.end()) return wrong("state");
  report.state = static_cast<FeedState>(known - kStates.begin());
  if (const bj::value* const reason = root->if_contains("reason"); reason != nullptr) {
    if (!reason->is_string() || reason->get_string().size() > kMaxReason || !is_printable(reason->get_string())) {
      return wrong("reason");
    }
    report.reason = std::string_view(reason->get_string());
  }
  std::optional<double> rate;
  if (!read_number(*root, "s", -4, 4, report.s)) return wrong("s");
  if (!read_number(*root, "qber", 0, 1, report.qber)) return wrong("qber");
  if (!read_number(*root, "rate", 0, 1e15, rate) || !rate) return wrong("rate");
  report.rate = *rate;
  if (!read_number(*root, "block_age", 0, 1e12, report.block_age)) return wrong("block_age");
  if (!read_count(root->if_contains("blocks"), report.blocks)) return wrong("blocks");
  if (!read_count(root->if_contains("keys"), report.keys)) return wrong("keys");
  const bj::value* const aborted = root->if_contains("aborted");
  if (aborted == nullptr || !aborted->is_object() || aborted->get_object().size() > kMaxAbortReasons) {
    return wrong("aborted");
  }
  for (const auto& [reason, count] : aborted->get_object()) {
    if (!is_abort_name(reason) || !read_count(&count, report.aborted[std::string(reason)])) return wrong("aborted");
  }
  const bj::value* const simulated = root->if_contains("simulated");
  if (simulated == nullptr || !simulated->is_bool()) return wrong("simulated");
  report.simulated = simulated->get_bool();
  return report;
}

}  // namespace qsp::kme::link
