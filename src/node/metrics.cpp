#include "node/metrics.hpp"

#include <utility>

#include "https/metrics_text.hpp"

namespace qsp::node {

void Metrics::established(const ChannelStatus* status) {
  ++established_;
  if (status != nullptr) epoch(*status);
}

void Metrics::epoch(const ChannelStatus& status) {
  ++(status.current.key_id ? epochs_with_qkd_ : epochs_without_);
  if (status.without_qkd) ++epochs_degraded_;
}

void Metrics::closed(Reason reason, bool was_established, std::uint64_t received, std::uint64_t sent) {
  if (!was_established) {
    ++handshakes_failed_;
  } else {
    ++(reason == Reason::Normal ? closed_normal_ : closed_failed_);
  }
  if (reason == Reason::QkdUnavailable) ++qkd_unavailable_;
  received_bytes_ += received;
  sent_bytes_ += sent;
}

void Metrics::handle(https::Request request, https::Respond respond) {
  const bool one = request.target.path.size() == 1 && request.method == https::Method::Get;
  if (one && request.target.path.front() == "metrics") return respond(metrics());
  https::Response response;
  response.content_type = "text/plain; charset=utf-8";
  const bool health = one && request.target.path.front() == "healthz";
  response.status = health ? 200 : 404;
  response.body = SecretBytes::copy_of(health ? "ok\n" : "GET /metrics or /healthz\n");
  respond(std::move(response));
}

SessionCounts Metrics::counts() const noexcept {
  // What has ended is read first: no session that is open counts as less than none.
  const std::uint64_t well = closed_normal_;
  const std::uint64_t badly = closed_failed_;
  const std::uint64_t established = established_;
  return {.established = established,
          .open = established - well - badly,
          .closed_well = well,
          .closed_badly = badly,
          .never_established = handshakes_failed_,
          .refused = refused_,
          .displaced = displaced_};
}

https::Response Metrics::metrics() const {
  using https::label;
  https::MetricsText text;
  text.family("qsp_sessions_established_total", "counter", "Sessions whose handshake was completed.");
  const SessionCounts now = counts();
  text.sample(now.established);
  text.family("qsp_sessions_open", "gauge", "Established sessions that have not ended.");
  text.sample(now.open);
  text.family("qsp_sessions_closed_total", "counter", "Established sessions that ended.");
  text.sample(now.closed_well, label("reason", "NORMAL"));
  text.sample(now.closed_badly, label("reason", "other"));
  text.family("qsp_handshakes_failed_total", "counter", "Connections that were never established.");
  text.sample(now.never_established);
  text.family("qsp_connections_refused_total", "counter", "Connections refused for want of room.");
  text.sample(now.refused);
  text.family("qsp_connections_displaced_total", "counter",
              "Connections closed, having sent nothing whole, because newcomers needed their place.");
  text.sample(now.displaced);
  text.family("qsp_epochs_total", "counter", "Epochs begun, by whether a QKD key is in their keys.");
  text.sample(epochs_with_qkd_.load(), label("qkd", "mixed"));
  text.sample(epochs_without_.load(), label("qkd", "none"));
  text.family("qsp_epochs_degraded_total", "counter", "Epochs without a QKD key where one was preferred.");
  text.sample(epochs_degraded_.load());
  text.family("qsp_qkd_unavailable_total", "counter", "Sessions and handshakes that ended for want of a QKD key.");
  text.sample(qkd_unavailable_.load());
  const SupplyCounts supply = end_.supply_counts();
  text.family("qsp_qkd_slowed_peers", "gauge",
              "Peers whose rekeys were put off at the last look: the KME is low on keys.");
  text.sample(supply.slowed_peers);
  text.family("qsp_qkd_supply_failures_total", "counter", "Questions to the KME for its supply that got no answer.");
  text.sample(supply.failed_questions);
  text.family("qsp_received_bytes_total", "counter", "Application bytes of ended sessions, from peers.");
  text.sample(received_bytes_.load());
  text.family("qsp_sent_bytes_total", "counter", "Application bytes of ended sessions, to peers.");
  text.sample(sent_bytes_.load());
  return text.response();
}

}  // namespace qsp::node
