#include "keysource/etsi014/exchange.hpp"

#include <utility>

#include "base/uuid.hpp"
#include "text/escape.hpp"

namespace qsp::keysource {
namespace {

constexpr std::string_view kBase = "/api/v1/keys/";
constexpr std::uint64_t kKeyBits = QkdKey::kCapacity * 8;
constexpr std::size_t kMostQuoted = 200;  ///< bytes of a KME's message

etsi014::KeyRequest one_key() {
  etsi014::KeyRequest request;
  request.number = 1;
  request.size = kKeyBits;
  return request;
}

/// Of an answer that may hold a key, and is not the one that was asked for.
std::unexpected<Refusal> refused(std::string text) {
  return std::unexpected(Refusal{.text = std::move(text), .may_have_cost = true});
}

/// 429: too many calls. 5xx: a KME or a gateway before it that fails for now; 501 and 505 last.
bool is_for_now(unsigned status) noexcept {
  return status == 429 || (status >= 500 && status <= 599 && status != 501 && status != 505);
}

/// "Not there yet", as KMEs say it to dec_keys: in any words, and as 401 where the key is not known to be this SAE's.
bool is_not_yet(unsigned status) noexcept { return status == 400 || status == 401 || status == 404 || status == 409; }

/// "Not enough keys", as KMEs say it to enc_keys, in any words but the standard's for what lasts.
bool is_too_few(unsigned status, const etsi014::Parsed<etsi014::Error>& error) {
  if (error && (error->message == etsi014::kSizeNotMultipleOf8 || error->message == etsi014::kExtensionUnknown ||
                error->message == etsi014::kExtensionUnmet)) {
    return false;
  }
  // A 404 without the standard's Error comes from a server that has no such call.
  return status == 400 || status == 409 || ((status == 404 || status == 422) && error);
}

/// How long the KME wants to be left alone. RFC 6585 §4 and RFC 9110 §15.6.4 give that to these two.
std::chrono::seconds wait_of(const https::Response& response) noexcept {
  const bool counts = response.status == 429 || response.status == 503;
  return std::chrono::seconds(counts ? response.retry_after.value_or(0) : 0);
}

/// What the KME says to an error, and what a person can do.
std::string explain(const https::Response& response, const etsi014::Parsed<etsi014::Error>& error) {
  const unsigned status = response.status;
  std::string text = "answered " + std::to_string(status);
  if (error) text += ": " + error->message.substr(0, kMostQuoted);
  if (const auto wait = wait_of(response); wait.count() > 0) {
    text += " (it asks to wait " + std::to_string(wait.count()) + " s)";
  }
  if (status == 401 || status == 403) text += " (does the KME know this end's certificate and both SAE IDs?)";
  return text;
}

Refusal read_refusal(const Request& request, const https::Response& response) {
  const unsigned status = response.status;
  const auto error = etsi014::parse_error(response.body.reveal_text());
  const bool way_is_refused = status == 405 || status == 415 || status == 501;
  return {.text = explain(response, error),
          .again = is_for_now(status) || (request.key_id ? is_not_yet(status) : is_too_few(status, error)),
          .wait = wait_of(response),
          .may_have_cost = is_for_now(status) && status != 429 && status != 503,
          .wrong_way = way_is_refused || status == 404,
          .way_is_refused = way_is_refused};
}

/// A whole answer of 2xx with no key in it, so that none is gone: KMEs are seen that say "not there yet" so.
std::unexpected<Refusal> no_key() { return std::unexpected(Refusal{.text = "sent no key", .again = true}); }

bool is_blank(std::string_view body) { return body.find_first_not_of(" \t\r\n") == std::string_view::npos; }

}  // namespace

bool fits_in_url(std::string_view sae_id) noexcept {
  return !sae_id.empty() && sae_id.size() <= etsi014::kMaxSaeIdSize && sae_id != "." && sae_id != "..";
}

https::Call key_call(const Request& request, Way way) {
  https::Call call{.method = way == Way::Post ? https::Method::Post : https::Method::Get,
                   .target = std::string(kBase) + text::url_escape(request.sae_id),
                   .body = {},
                   .deadline = request.deadline};
  call.target += request.key_id ? "/dec_keys" : "/enc_keys";
  if (way == Way::Get) {
    call.target +=
        request.key_id ? "?key_ID=" + text::url_escape(*request.key_id) : "?number=1&size=" + std::to_string(kKeyBits);
  } else {
    call.body = request.key_id ? etsi014::to_json(etsi014::KeyIds{{*request.key_id}}) : etsi014::to_json(one_key());
  }
  return call;
}

https::Call status_call(std::string_view sae_id, Instant deadline) {
  return {.method = https::Method::Get,
          .target = std::string(kBase) + text::url_escape(sae_id) + "/status",
          .body = {},
          .deadline = deadline};
}

Result<KeyAnswer, Refusal> read_key_answer(const Request& request, const https::Response& response) {
  if (response.status < 200 || response.status > 299) return std::unexpected(read_refusal(request, response));
  if (is_blank(response.body.reveal_text())) return no_key();
  auto container = etsi014::parse_key_container(response.body.reveal_text());
  if (!container && etsi014::parse_error(response.body.reveal_text())) return no_key();
  if (!container) return refused("sent an answer that is not the standard's: " + container.error());
  if (container->keys.empty()) return no_key();
  if (container->keys.size() != 1) {
    return refused("sent " + std::to_string(container->keys.size()) + " keys where one was asked for");
  }
  etsi014::Key& key = container->keys.front();
  if (key.key.size() != QkdKey::kCapacity) {
    return refused("sent a key of " + std::to_string(key.key.size()) + " bytes where 32 were asked for");
  }
  const auto key_id = parse_uuid(key.key_id);
  if (!key_id) return refused("sent a key_ID that is no UUID");
  if (request.key_id && key_id != parse_uuid(*request.key_id)) {
    return refused("sent another key than the one asked for");
  }
  return KeyAnswer{{request.key_id.value_or(key.key_id), QkdKey::copy_of(key.key.reveal())}, key.simulated};
}

Result<etsi014::Status, std::string> read_status_answer(const https::Response& response) {
  if (response.status < 200 || response.status > 299) {
    return std::unexpected(explain(response, etsi014::parse_error(response.body.reveal_text())));
  }
  auto status = etsi014::parse_status(response.body.reveal_text());
  if (!status) return std::unexpected("sent a status that is not the standard's: " + status.error());
  return std::move(*status);
}

}  // namespace qsp::keysource
