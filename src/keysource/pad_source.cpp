#include "keysource/pad_source.hpp"

#include <utility>

namespace qsp::keysource {
namespace {

std::unexpected<Failed> unavailable(std::string text) {
  return std::unexpected(Failed{QkdFailure::Unavailable, std::move(text)});
}

}  // namespace

bool PadSource::add(std::string sae_id, Pad&& pad) {
  const std::lock_guard lock(mutex_);
  return pads_.try_emplace(std::move(sae_id), std::move(pad)).second;
}

Ticket PadSource::fetch(Request request, Done done) {
  done(draw(request));
  return 0;
}

Answer PadSource::draw(const Request& request) {
  const std::lock_guard lock(mutex_);
  const auto entry = pads_.find(request.sae_id);
  if (entry == pads_.end()) return unavailable("no pad is configured for this SAE ID");
  Pad& pad = entry->second;
  if (!request.key_id) {
    files::OrText<DeliveredKey> taken = pad.take_next();
    if (!taken) return unavailable(std::move(taken.error()));
    return std::move(*taken);
  }
  const std::optional<Uuid> key_id = parse_uuid(*request.key_id);
  if (!key_id) return unavailable("the key ID is not a UUID");
  files::OrText<QkdKey> key = pad.take(*key_id);
  if (!key) return unavailable(std::move(key.error()));
  return DeliveredKey{*request.key_id, std::move(*key)};
}

std::optional<SourceStatus> PadSource::status(std::string_view sae_id) const {
  const std::lock_guard lock(mutex_);
  const auto entry = pads_.find(sae_id);
  if (entry == pads_.end()) return std::nullopt;
  const PadStatus pad = entry->second.status();
  return SourceStatus{"pad file " + entry->second.file(), pad.simulated, pad.own.left};
}

}  // namespace qsp::keysource
