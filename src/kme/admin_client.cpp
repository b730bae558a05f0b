#include "kme/admin_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <string_view>
#include <thread>
#include <utility>

#include "base/try.hpp"
#include "https/client.hpp"
#include "json/json.hpp"
#include "kme/config/config.hpp"
#include "text/escape.hpp"
#include "text/tree.hpp"
#include "text/units.hpp"

namespace qsp::kme {
namespace {

using files::OrText;

constexpr std::size_t kMaxDepth = 6;
constexpr double kOldNews = 5;  ///< seconds; a KME looks at its store every second at least

/// The admin port that a configuration names.
OrText<std::uint16_t> admin_port_of(const std::string& config_file) {
  QSP_TRY(const auto config, read_config(config_file));
  const std::uint16_t port = config.admin_port.value_or(0);
  if (port == 0) {
    return std::unexpected(config_file + ": field \"admin_port\": is needed for this; name a port and restart the KME");
  }
  return port;
}

/// One call to the admin port that a configuration names: the JSON of a 200 answer.
OrText<boost::json::object> ask(const std::string& config_file, https::Method method, std::string target,
                                std::string body = {}) {
  QSP_TRY(const auto port, admin_port_of(config_file));
  net::Loop loop;
  https::HttpClientOptions to;
  to.url = "http://127.0.0.1:" + std::to_string(port);
  QSP_TRY(auto client, https::Client::make(loop, to));
  OrText<https::Response> answer = std::unexpected("no answer");
  client->call({.method = method,
                .target = std::move(target),
                .body = SecretBytes(std::move(body)),
                .deadline = net::Loop::now() + std::chrono::seconds(5)},
               [&](std::expected<https::Response, https::CallFailure> result) {
                 if (result) {
                   answer = *std::move(result);
                 } else {
                   answer = std::unexpected(result.error().text);
                 }
                 loop.io().stop();
               });
  loop.run();
  if (!answer) return std::unexpected(answer.error() + " (is the KME of " + config_file + " running?)");
  if (answer->status != 200)
    return std::unexpected("the KME refuses: " + text::terminal_escape_lines(answer->body.reveal_text()));
  auto parsed = json::parse(answer->body.reveal_text(), kMaxDepth);
  if (!parsed) return std::unexpected("the KME's answer: " + parsed.error());
  if (!parsed->is_object()) return std::unexpected("the KME's answer is not an object");
  return std::move(parsed->get_object());
}

std::string text_of(const boost::json::object& object, std::string_view name) {
  const boost::json::value* const value = object.if_contains(name);
  if (value == nullptr) return "?";
  if (const auto* const string = value->if_string()) return text::terminal_escape(std::string_view(*string));
  return boost::json::serialize(*value);
}

std::string fault_name(std::string name) {
  for (char& c : name) {
    if (c == '-') c = '_';
  }
  return name;
}

/// Nothing where there is no such number.
std::optional<double> seconds_of(const boost::json::object& object, std::string_view name) {
  const boost::json::value* const value = object.if_contains(name);
  boost::system::error_code failed;
  const double found = value == nullptr || !value->is_number() ? std::nan("") : value->to_number<double>(failed);
  return failed || std::isnan(found) ? std::nullopt : std::optional(found);
}

/// One line on the key store, where something is wrong with it.
std::optional<std::string> store_line(const boost::json::object& root) {
  const boost::json::value* const member = root.if_contains("store");
  const boost::json::object* const store = member == nullptr ? nullptr : member->if_object();
  if (store == nullptr || text_of(*store, "ok") == "true") return std::nullopt;
  return fmt::format("key store: {}", text_of(*store, "problem"));
}

/// One line on the source of a link's keys, where it reports.
std::optional<std::string> feed_line(const boost::json::object& link) {
  const boost::json::value* const member = link.if_contains("feed");
  const boost::json::object* const feed = member == nullptr ? nullptr : member->if_object();
  if (feed == nullptr) return std::nullopt;
  const auto number = [feed](std::string_view name) {
    const boost::json::value* const value = feed->if_contains(name);
    boost::system::error_code failed;
    const double found = value == nullptr ? std::nan("") : value->to_number<double>(failed);
    return failed ? std::nan("") : found;
  };
  const std::string reason = text_of(*feed, "reason");
  const std::string state = fmt::format("feed {}{}{}", text_of(*feed, "state"), reason.empty() ? "" : ": ", reason);
  if (text_of(*feed, "blocks") == "0") {
    return fmt::format("{}, said {:.0f} s ago; no block yet", state, number("report_age"));
  }
  return fmt::format(
      "{}; its last block {:.0f} s ago, said {:.0f} s ago: S {:.3f}, QBER {:.1f} %, {} bit/s; {} blocks, {} keys",
      state, number("age"), number("report_age"), number("s"), 100 * number("qber"),
      text::grouped(static_cast<std::uint64_t>(std::max(number("rate"), 0.0))), text_of(*feed, "blocks"),
      text_of(*feed, "keys"));
}

text::Branch branch_of(const boost::json::object& link) {
  const bool reachable = text_of(link, "peer_reachable") == "true";
  text::Branch branch{.line = fmt::format("link {} to {}: {}{}", text_of(link, "name"), text_of(link, "peer"),
                                          reachable ? "the peer answers" : "the peer does not answer",
                                          text_of(link, "simulated") == "true" ? "; keys are simulated" : "")};
  branch.below.push_back(
      {fmt::format("{} ready, {} not confirmed yet, {} of the peer's, {} waiting for dec_keys; at most {} in the pool",
                   text_of(link, "ready"), text_of(link, "fresh"), text_of(link, "peer_keys"), text_of(link, "granted"),
                   text_of(link, "pool"))});
  if (const auto age = seconds_of(link, "counts_age"); age && *age > kOldNews) {
    branch.below.push_back({fmt::format("these numbers are {:.0f} s old", *age)});
  }
  if (!reachable) branch.below.push_back({text_of(link, "problem")});
  if (auto feed = feed_line(link)) branch.below.push_back({*std::move(feed)});
  return branch;
}

}  // namespace

std::optional<std::string> lacks(const boost::json::object& status) {
  const boost::json::value* const links = status.if_contains("links");
  if (links == nullptr || !links->is_array()) return "the KME's answer has no links";
  for (const boost::json::value& item : links->get_array()) {
    if (!item.is_object()) continue;
    const boost::json::object& link = item.get_object();
    const std::string name = text_of(link, "name");
    if (text_of(link, "peer_reachable") != "true") return fmt::format("link {}: the peer does not answer", name);
    if (text_of(link, "ready") == "0") return fmt::format("link {}: no key is ready", name);
  }
  return std::nullopt;
}

bool has_links(const boost::json::object& status) {
  const boost::json::value* const links = status.if_contains("links");
  return links != nullptr && links->is_array();
}

std::string describe_status(const boost::json::object& status) {
  std::vector<text::Branch> branches{
      {fmt::format("KME {}: {} keys given, {} redeemed since it started", text_of(status, "kme_id"),
                   text_of(status, "keys_given"), text_of(status, "keys_redeemed"))}};
  if (auto store = store_line(status)) branches.push_back({*std::move(store)});
  if (has_links(status)) {
    for (const boost::json::value& link : status.at("links").get_array()) {
      if (link.is_object()) branches.push_back(branch_of(link.get_object()));
    }
    if (status.contains("faults")) {
      branches.push_back({fmt::format("faults (injected): {}", text_of(status, "faults"))});
    }
  }
  return text::tree(branches);
}

OrText<boost::json::object> admin_status(const std::string& config_file, std::chrono::nanoseconds wait) {
  constexpr std::chrono::milliseconds kPause{100};
  // What is wrong in the file does not get better by waiting.
  QSP_TRY(admin_port_of(config_file));
  const Instant until = net::Loop::now() + wait;
  auto status = ask(config_file, https::Method::Get, "/status");
  while (wait.count() != 0 && (!status || lacks(*status)) && net::Loop::now() < until) {
    std::this_thread::sleep_for(kPause);
    status = ask(config_file, https::Method::Get, "/status");
  }
  return status;
}

OrText<boost::json::object> inject_faults(const std::string& config_file, const FaultWishes& wishes) {
  boost::json::object wanted;
  if (wishes.clear) {
    wanted = {{"latency_ms", 0},       {"clock_offset_ms", 0}, {"unavailable", false},
              {"lose_answers", false}, {"wrong_bytes", false}, {"disk_full", false}};
  }
  if (wishes.latency_ms) wanted["latency_ms"] = *wishes.latency_ms;
  if (wishes.clock_offset_ms) wanted["clock_offset_ms"] = *wishes.clock_offset_ms;
  for (const std::string& name : wishes.on) wanted[fault_name(name)] = true;
  for (const std::string& name : wishes.off) wanted[fault_name(name)] = false;
  return ask(config_file, https::Method::Post, "/faults", boost::json::serialize(wanted));
}

}  // namespace qsp::kme
