#include "keysource/etsi014/exchange.hpp"

#include <utility>

#include "keysource/uuid.hpp"

namespace qsp::keysource {
namespace {

constexpr std::string_view kBase = "/api/v1/keys/";
constexpr std::uint64_t kKeyBits = QkdKey::kCapacity * 8;

etsi014::KeyRequest one_key() {
  etsi014::KeyRequest request;
  request.number = 1;
  request.size = kKeyBits;
  return request;
}

std::unexpected<Refusal> refused(std::string text) { return std::unexpected(Refusal{.text = std::move(text)}); }

/// What the KME says to an error, and what a person can do.
std::string explain(unsigned status, const etsi014::Parsed<etsi014::Error>& error) {
  std::string text = "answered " + std::to_string(status);
  if (error) text += ": " + escaped_for_log(error->message);
  if (status == 401 || status == 403) text += " (does the KME know this end's certificate and both SAE IDs?)";
  return text;
}

Refusal read_refusal(const Request& request, const https::Response& response) {
  const auto error = etsi014::parse_error(response.body.reveal());
  const bool no_such_key =
      response.status == 404 || (response.status == 400 && error && error->message == etsi014::kKeyNotFound);
  return {.text = explain(response.status, error),
          .again = response.status == 503 || (request.key_id && no_such_key),
          .wrong_way = response.status == 404 || response.status == 405};
}

}  // namespace

std::string escaped_for_log(std::string_view text) {
  constexpr std::size_t kMost = 200;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string escaped;
  for (const char character : text) {
    const auto code = static_cast<unsigned char>(character);
    std::string piece(1, character);
    if (character == '\\') piece = "\\\\";
    if (code < 0x20 || code > 0x7e) piece = {'\\', 'x', kDigits[code >> 4], kDigits[code & 15]};
    if (escaped.size() + piece.size() > kMost) break;
    escaped += piece;
  }
  return escaped;
}

bool fits_in_url(std::string_view sae_id) noexcept {
  return !sae_id.empty() && sae_id.size() <= etsi014::kMaxSaeIdSize && sae_id != "." && sae_id != "..";
}

https::Call key_call(const Request& request, Way way) {
  https::Call call{.method = way == Way::Post ? https::Method::Post : https::Method::Get,
                   .target = std::string(kBase) + https::escape(request.sae_id),
                   .body = {},
                   .deadline = request.deadline};
  call.target += request.key_id ? "/dec_keys" : "/enc_keys";
  if (way == Way::Get) {
    call.target +=
        request.key_id ? "?key_ID=" + https::escape(*request.key_id) : "?number=1&size=" + std::to_string(kKeyBits);
  } else {
    call.body = request.key_id ? etsi014::to_json(etsi014::KeyIds{{*request.key_id}}) : etsi014::to_json(one_key());
  }
  return call;
}

https::Call status_call(std::string_view sae_id, Instant deadline) {
  return {.method = https::Method::Get,
          .target = std::string(kBase) + https::escape(sae_id) + "/status",
          .body = {},
          .deadline = deadline};
}

std::expected<KeyAnswer, Refusal> read_key_answer(const Request& request, const https::Response& response) {
  if (response.status < 200 || response.status > 299) return std::unexpected(read_refusal(request, response));
  auto container = etsi014::parse_key_container(response.body.reveal());
  if (!container) return refused("sent an answer that is not the standard's: " + container.error());
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

std::expected<etsi014::Status, std::string> read_status_answer(const https::Response& response) {
  if (response.status < 200 || response.status > 299) {
    return std::unexpected(explain(response.status, etsi014::parse_error(response.body.reveal())));
  }
  auto status = etsi014::parse_status(response.body.reveal());
  if (!status) return std::unexpected("sent a status that is not the standard's: " + status.error());
  return std::move(*status);
}

}  // namespace qsp::keysource
