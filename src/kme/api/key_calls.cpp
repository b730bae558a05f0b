#include "kme/api/key_calls.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "base/try.hpp"

namespace qsp::kme::api {
namespace {

using etsi014::KeyRequest;

/// GET says what it wants in the query and POST in the body; what stands at the other place would be ignored, and
/// other keys would be burned than the SAE thinks. Empty: all is in its place.
std::string_view misplaced(const https::Request& request) {
  if (request.method == https::Method::Get) {
    return request.body.reveal_text().empty() ? "" : "GET takes no body; use POST";
  }
  return request.target.query.empty() ? "" : "POST takes its parameters in the body, and none in the query";
}

std::optional<std::uint64_t> whole_number(std::string_view text) noexcept {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// §5.2: by GET, number and size are parameters; others are not for us.
std::expected<KeyRequest, std::string> from_query(const https::Target& target) {
  KeyRequest request;
  for (const auto& [name, value] : target.query) {
    std::optional<std::uint64_t>* const field = name == "number" ? &request.number
                                                : name == "size" ? &request.size
                                                                 : nullptr;
    if (field == nullptr) continue;
    if (field->has_value()) return std::unexpected(name + " is given twice");
    *field = whole_number(value);
    if (!*field) return std::unexpected(name + " is not a whole number");
  }
  return request;
}

std::expected<std::vector<std::string>, std::string> slaves_of(const KeyRequest& request, const PeerLinkConfig& link,
                                                               const std::string& slave) {
  if (request.additional_slave_sae_ids.size() > kMaxSaeIds) {
    return std::unexpected("additional_slave_SAE_IDs holds more than max_SAE_ID_count");
  }
  std::vector<std::string> slaves{slave};
  for (const std::string& id : request.additional_slave_sae_ids) {
    if (std::ranges::find(link.peer_saes, id) == link.peer_saes.end()) {
      return std::unexpected("additional_slave_SAE_IDs names an SAE that is not reached over the same link");
    }
    if (std::ranges::find(slaves, id) != slaves.end()) return std::unexpected("a slave SAE is named twice");
    slaves.push_back(id);
  }
  return slaves;
}

}  // namespace

std::expected<TakeRequest, std::string> read_enc_keys(const https::Request& request, const Config& config,
                                                      const PeerLinkConfig& link, const std::string& slave) {
  if (!misplaced(request).empty()) return std::unexpected(std::string(misplaced(request)));
  QSP_TRY(auto asked, request.method == https::Method::Get ? from_query(request.target)
                                                           : etsi014::parse_key_request(request.body.reveal_text()));
  if (asked.extension_mandatory) return std::unexpected(std::string(etsi014::kExtensionUnknown));
  const std::uint64_t size = asked.size.value_or(config.key_size);
  const std::uint64_t number = asked.number.value_or(1);
  if (size % 8 != 0) return std::unexpected(std::string(etsi014::kSizeNotMultipleOf8));
  if (size < kMinKeySizeBits || size > kMaxKeySizeBits) {
    return std::unexpected("size is outside min_key_size … max_key_size (see the status call)");
  }
  if (number == 0 || number > config.max_keys_per_request) {
    return std::unexpected("number is outside 1 … max_key_per_request (see the status call)");
  }
  QSP_TRY(auto slaves, slaves_of(asked, link, slave));
  TakeRequest take;
  take.link = link.name;
  take.slaves = std::move(slaves);
  take.size = static_cast<std::uint32_t>(size / 8);
  take.number = static_cast<std::uint32_t>(number);
  return take;
}

std::expected<std::vector<Uuid>, std::string> read_dec_keys(const https::Request& request, const Config& config) {
  if (!misplaced(request).empty()) return std::unexpected(std::string(misplaced(request)));
  std::vector<std::string> texts;
  if (request.method == https::Method::Get) {
    for (const auto& [name, value] : request.target.query) {
      if (name == "key_ID") texts.push_back(value);
    }
    if (texts.size() > 1) return std::unexpected("key_ID is given twice; POST takes several");
  } else {
    QSP_TRY(auto ids, etsi014::parse_key_ids(request.body.reveal_text()));
    texts = std::move(ids.key_ids);
  }
  if (texts.empty()) return std::unexpected("no key_ID is given");
  if (texts.size() > config.max_keys_per_request) return std::unexpected("more key_IDs than max_key_per_request");
  std::vector<Uuid> ids;
  for (const std::string& text : texts) {
    const auto id = parse_uuid(text);
    if (!id) return std::unexpected("a key_ID is not a UUID");
    if (std::ranges::find(ids, *id) != ids.end()) return std::unexpected("a key_ID is given twice");
    ids.push_back(*id);
  }
  return ids;
}

}  // namespace qsp::kme::api
