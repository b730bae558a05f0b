#include "kme/admin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "https/metrics_text.hpp"
#include "json/json.hpp"
#include "kme/link/respond.hpp"

namespace qsp::kme {
namespace {

namespace bj = boost::json;

https::Response plain(unsigned status, std::string text) {
  https::Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = SecretBytes(std::move(text));
  return response;
}

bj::object to_json(const Faults::Setting& faults) {
  return {{"latency_ms", faults.latency.count()}, {"unavailable", faults.unavailable},
          {"lose_answers", faults.lose_answers},  {"wrong_bytes", faults.wrong_bytes},
          {"disk_full", faults.disk_full},        {"clock_offset_ms", faults.clock_offset.count()}};
}

/// The members that a request names, over what was set before. Nothing for one that is unknown or out of bounds.
std::optional<Faults::Setting> changed(Faults::Setting setting, const bj::object& wanted) {
  constexpr std::int64_t kMost = std::int64_t{366} * 86'400'000;
  for (const auto& [name, value] : wanted) {
    if (name == "latency_ms" || name == "clock_offset_ms") {
      const std::int64_t* const number = value.if_int64();
      const bool latency = name == "latency_ms";
      if (number == nullptr || *number < (latency ? 0 : -kMost) || *number > (latency ? 60'000 : kMost)) return {};
      (latency ? setting.latency : setting.clock_offset) = std::chrono::milliseconds(*number);
      continue;
    }
    bool* const flag = name == "unavailable"    ? &setting.unavailable
                       : name == "lose_answers" ? &setting.lose_answers
                       : name == "wrong_bytes"  ? &setting.wrong_bytes
                       : name == "disk_full"    ? &setting.disk_full
                                                : nullptr;
    if (flag == nullptr || !value.is_bool()) return {};
    *flag = value.get_bool();
  }
  return setting;
}

/// The last report of a link's feeder; ages in seconds, "age" that of the news in it.
bj::object feed_of(const link::LinkState& state, const link::FeedReport& feed) {
  const Instant now = net::Loop::now();
  bj::object aborted;
  for (const auto& [reason, count] : feed.aborted) aborted[reason] = count;
  return {{"state", name(feed.state)},
          {"reason", feed.reason},
          {"s", feed.s ? bj::value(*feed.s) : bj::value(nullptr)},
          {"qber", feed.qber ? bj::value(*feed.qber) : bj::value(nullptr)},
          {"rate", feed.rate},
          {"blocks", feed.blocks},
          {"keys", feed.keys},
          {"aborted", std::move(aborted)},
          {"simulated", feed.simulated},
          {"block_seen", feed.block_age.has_value()},
          {"age", state.news_age(now)},
          {"report_age", state.report_age(now)}};
}

/// Nothing before the first round.
bj::value age_of_counts(const link::LinkState& state) {
  if (state.counts_at == Instant::min()) return nullptr;
  return std::chrono::duration<double>(net::Loop::now() - state.counts_at).count();
}

bj::object to_json(const StoreHealth& health) {
  return {{"ok", !health.failing}, {"full", health.full}, {"problem", health.problem}};
}

}  // namespace

void Admin::handle(https::Request request, https::Respond respond) {
  const std::string what = request.target.path.size() == 1 ? request.target.path.front() : std::string();
  if (what == "faults") return respond(faults(request));
  if (request.method != https::Method::Get) return respond(plain(405, "GET is needed\n"));
  if (what == "healthz") return respond(health());
  if (what == "metrics") return respond(metrics());
  if (what == "status") return respond(status());
  respond(plain(404, "/healthz, /metrics, /status or /faults\n"));
}

/// Healthy: the store works and every link's peer answers. What is wrong is said, a line each.
https::Response Admin::health() const {
  std::string text;
  if (const StoreHealth store = queue_.health(); store.failing) text += fmt::format("key store: {}\n", store.problem);
  for (const auto& link : links_) {
    const link::LinkState& state = link->state();
    if (!state.peer_reachable) text += fmt::format("link {}: {}\n", link->config().name, state.problem);
  }
  return text.empty() ? plain(200, "ok\n") : plain(503, std::move(text));
}

https::Response Admin::metrics() const {
  using https::label;
  https::MetricsText text;
  text.family("qsp_kme_answers_total", "counter", "Answers to SAEs by call and HTTP status.");
  for (std::size_t call = 0; call < api::kCallNames.size(); ++call) {
    for (std::size_t i = 0; i <= api::kCountedStatuses.size(); ++i) {
      const std::string status = i < api::kCountedStatuses.size() ? std::to_string(api::kCountedStatuses[i]) : "other";
      text.sample(counters_.answers[call][i].load(),
                  label("call", api::kCallNames[call]) + ',' + label("status", status));
    }
  }
  const auto counter = [&text](std::string_view name, std::string_view help, std::uint64_t value) {
    text.family(name, "counter", help);
    text.sample(value);
  };
  counter("qsp_kme_keys_given_total", "Keys handed out by enc_keys.", counters_.keys_given);
  counter("qsp_kme_keys_redeemed_total", "Keys handed out by dec_keys.", counters_.keys_redeemed);
  counter("qsp_kme_store_errors_total", "Transactions that the key store refused.", counters_.store_errors);
  const StoreHealth store = queue_.health();
  text.family("qsp_kme_store_failing", "gauge", "Whether the key store refuses to write.");
  text.sample(store.failing ? 1 : 0);
  text.family("qsp_kme_store_full", "gauge", "Whether it does so because there is no room left.");
  text.sample(store.full ? 1 : 0);
  counter("qsp_kme_rate_limited_total", "Calls refused because their SAE made too many.", counters_.rate_limited);
  const https::ServerCounts server = server_.counts();
  counter("qsp_kme_connections_total", "TLS connections taken.", server.connections);
  counter("qsp_kme_connections_refused_total", "Connections closed for want of room.", server.refused);
  counter("qsp_kme_connections_displaced_total",
          "Connections closed, not authenticated or between two requests, because newcomers needed their place.",
          server.displaced);
  counter("qsp_kme_tls_failures_total", "TLS handshakes that failed.", server.tls_failures);

  const auto by_link = [this, &text](std::string_view name, std::string_view type, std::string_view help, auto value) {
    text.family(name, type, help);
    for (const auto& link : links_) text.sample(value(link->state()), label("link", link->config().name));
  };
  using State = const link::LinkState&;
  by_link("qsp_kme_peer_reachable", "gauge", "Whether the KME at the other end answers.",
          [](State state) { return state.peer_reachable ? 1 : 0; });
  by_link("qsp_kme_keys_ready", "gauge", "Keys that enc_keys can hand out here.",
          [](State state) { return state.counts.here_ready; });
  by_link("qsp_kme_keys_fresh", "gauge", "Keys that the peer is not known to have yet.",
          [](State state) { return state.counts.here_fresh; });
  by_link("qsp_kme_keys_peer", "gauge", "Keys that the peer may hand out first.",
          [](State state) { return state.counts.there; });
  by_link("qsp_kme_keys_granted", "gauge", "Keys that wait for dec_keys here.",
          [](State state) { return state.counts.granted; });
  by_link("qsp_kme_grants_unannounced", "gauge", "Keys handed out of which the peer was not told yet.",
          [](State state) { return state.counts.unannounced; });
  by_link("qsp_kme_keys_produced_total", "counter", "Keys drawn by this side's producer.",
          [](State state) { return state.produced; });
  by_link("qsp_kme_keys_received_total", "counter", "Keys that came from the peer or a feeder.",
          [](State state) { return state.received; });
  by_link("qsp_kme_keys_expired_total", "counter", "Keys that ended unused.",
          [](State state) { return state.expired; });
  feeds(text);
  return text.response();
}

/// Of links that a feeder reported on.
void Admin::feeds(https::MetricsText& text) const {
  using https::label;
  const auto family = [this, &text](std::string_view name, std::string_view type, std::string_view help, auto value) {
    text.family(name, type, help);
    for (const auto& link : links_) {
      if (!link->state().feed) continue;
      const std::optional<double> number = value(link->state());
      if (number) text.sample(*number, label("link", link->config().name));
    }
  };
  using State = const link::LinkState&;
  using Number = std::optional<double>;
  family("qsp_kme_feed_running", "gauge", "Whether the feeder's last block gave keys.",
         [](State state) { return Number(state.feed->state == link::FeedState::Running ? 1 : 0); });
  family("qsp_kme_feed_chsh_s", "gauge", "CHSH value of the feeder's last block; -2.83 at best.",
         [](State state) { return state.feed->s; });
  family("qsp_kme_feed_qber", "gauge", "Share of errors in its last block.",
         [](State state) { return state.feed->qber; });
  family("qsp_kme_feed_rate_bits", "gauge", "Secret bits of its last block for each second of its light.",
         [](State state) { return Number(state.feed->rate); });
  family("qsp_kme_feed_report_age_seconds", "gauge", "Since the feeder's last report.",
         [](State state) { return Number(state.report_age(net::Loop::now())); });
  family("qsp_kme_feed_block_age_seconds", "gauge", "Since the end of the feeder's last block.",
         [](State state) { return state.feed->block_age ? Number(state.news_age(net::Loop::now())) : Number(); });
  family("qsp_kme_feed_blocks_total", "counter", "Blocks of the feeder since it started.",
         [](State state) { return Number(static_cast<double>(state.feed->blocks)); });
  family("qsp_kme_feed_keys_total", "counter", "Keys that it brought since it started.",
         [](State state) { return Number(static_cast<double>(state.feed->keys)); });
  text.family("qsp_kme_feed_aborted_total", "counter", "Blocks that it gave up since it started, by reason.");
  for (const auto& link : links_) {
    const auto& feed = link->state().feed;
    if (!feed) continue;
    for (const auto& [reason, count] : feed->aborted) {
      text.sample(count, label("link", link->config().name) + ',' + label("reason", reason));
    }
  }
}

https::Response Admin::status() const {
  bj::array links;
  for (const auto& link : links_) {
    const link::LinkState& state = link->state();
    links.push_back(bj::object{{"name", link->config().name},
                               {"peer", link->config().peer_kme_id},
                               {"peer_reachable", state.peer_reachable},
                               {"leading", state.leading},
                               {"simulated", state.simulated},
                               {"ready", state.counts.here_ready},
                               {"fresh", state.counts.here_fresh},
                               {"peer_keys", state.counts.there},
                               {"granted", state.counts.granted},
                               {"unannounced", state.counts.unannounced},
                               {"counts_age", age_of_counts(state)},
                               {"pool", link->config().pool},
                               {"problem", state.problem}});
    if (state.feed) links.back().get_object()["feed"] = feed_of(state, *state.feed);
  }
  bj::object root{{"kme_id", config_.kme_id},
                  {"keys_given", counters_.keys_given.load()},
                  {"keys_redeemed", counters_.keys_redeemed.load()},
                  {"store", to_json(queue_.health())},
                  {"links", std::move(links)}};
  if (faults_ != nullptr) root["faults"] = to_json(faults_->setting());
  return answer(json::serialize(root));
}

https::Response Admin::faults(const https::Request& request) const {
  if (faults_ == nullptr) return plain(403, "this KME was not started with --allow-fault-injection\n");
  if (request.method == https::Method::Post) {
    const auto wanted = json::parse(request.body.reveal_text(), 4);
    const auto setting =
        wanted && wanted->is_object() ? changed(faults_->setting(), wanted->get_object()) : std::nullopt;
    if (!setting)
      return plain(400,
                   "not an object of latency_ms, unavailable, lose_answers, wrong_bytes, disk_full, clock_offset_ms\n");
    faults_->set(*setting);
  }
  return answer(json::serialize(to_json(faults_->setting())));
}

}  // namespace qsp::kme
