#include "cli/qkd_delivery.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "cli/text.hpp"

namespace qsp::cli {

std::expected<std::unique_ptr<QkdKeys>, std::string> QkdKeys::open(const std::vector<std::string>& pads) {
  auto keys = std::make_unique<QkdKeys>();
  for (const std::string& text : pads) {
    const std::size_t at = text.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == text.size()) {
      return std::unexpected(
          fmt::format("--pad {}: give the peer's SAE ID and the pad file, as SAE-ID=FILE", escape(text)));
    }
    auto pad = keysource::Pad::open(text.substr(at + 1));
    if (!pad) return std::unexpected(pad.error());
    if (!keys->pads_.add(text.substr(0, at), std::move(*pad))) {
      return std::unexpected(fmt::format("--pad {}: there is a pad for this SAE ID already", escape(text)));
    }
  }
  return keys;
}

std::optional<Instant> QkdKeys::spend(const std::string& sae_id, Instant now) {
  const std::lock_guard lock(mutex_);
  if (budget_.take(sae_id, now)) return std::nullopt;
  return budget_.next(sae_id, now);
}

void QkdDelivery::fetch(net::Connection& connection, const QkdKeyNeeded& needed) {
  const Instant now = net::Loop::now();
  const std::optional<Instant> free = keys_.spend(needed.sae_id, now);
  if (!free) return ask(connection, needed);
  spdlog::warn("session {:016x}: the QKD budget for SAE {} is spent", connection.endpoint().session_id(),
               escape(needed.sae_id));
  // SPEC §7.3: only a client's rekey waits for the refill here; a server tries again by itself, a handshake ends.
  const bool waits = connection.established() && needed.key_id && *free < needed.deadline;
  if (!waits) return connection.deliver(std::unexpected(QkdFailure::Budget));
  auto timer = std::make_shared<net::Timer>(connection.loop().executor());
  timer->expires_at(net::Loop::time_point(*free));
  timer->async_wait([this, timer, needed, self = net::ConnectionPtr(&connection)](const net::error_code& cancelled) {
    if (!cancelled) fetch(*self, needed);
  });
}

void QkdDelivery::ask(net::Connection& connection, const QkdKeyNeeded& needed) {
  // A pad answers before fetch returns; a source that answers later keeps the connection by its pointer.
  keys_.source().fetch(needed, [self = net::ConnectionPtr(&connection), sae = needed.sae_id](keysource::Answer answer) {
    if (!answer) {
      spdlog::warn("session {:016x}: no QKD key for SAE {}: {}", self->endpoint().session_id(), escape(sae),
                   escape(answer.error().text));
      return self->deliver(std::unexpected(answer.error().why));
    }
    spdlog::debug("session {:016x}: QKD key {} fetched", self->endpoint().session_id(), answer->key_id);
    self->deliver(net::FetchedKey{std::move(answer->key_id), std::move(answer->key)});
  });
}

}  // namespace qsp::cli
