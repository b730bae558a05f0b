// What a caller may ask a session about, and the keys it may take from it (SPEC §6 "Exports").
#include "base/try.hpp"
#include "channel/session.hpp"

namespace qsp::channel {
namespace {

constexpr std::size_t kMaxLabel = 200;
/// Of exports that QSP makes for itself.
constexpr std::string_view kReservedLabels = "qsp1 ";
constexpr std::size_t kMaxExport = 255 * crypto::kHashSize;

}  // namespace

ChannelStatus Session::status() const {
  if (last_status_ != nullptr && live_ == nullptr) return *last_status_;
  ChannelStatus status;
  status.secure = true;
  if (live_ == nullptr) return status;
  const handshake::Agreement& agreement = live_->agreement;
  status.kem = agreement.kem;
  status.aead = agreement.aead;
  status.local_signature = agreement.local_signature;
  status.peer_signature = agreement.peer_signature;
  status.peer = agreement.peer;
  status.application = agreement.application;
  status.qkd_mixed = agreement.qkd;
  status.without_qkd = agreement.policy == QkdPolicy::Preferred && !live_->current.key_id;
  status.rekey_pending = live_->requested || live_->due || !std::holds_alternative<NoRekey>(live_->rekey);
  status.current = live_->current;
  status.previous = live_->previous;
  const auto library_of = [this](const crypto::Algorithm& algorithm) {
    return std::string(provider_.library_of(algorithm));
  };
  status.libraries = {.kem = library_of(agreement.kem),
                      .local_signature = library_of(agreement.local_signature),
                      .peer_signature = library_of(agreement.peer_signature),
                      .aead = library_of(agreement.aead)};
  return status;
}

std::optional<Presented> Session::presented() const {
  return presented_ != nullptr ? std::optional(*presented_) : std::nullopt;
}

Result<Exported> Session::export_key(std::string_view label, Bytes context, std::size_t size,
                                     std::optional<std::uint32_t> epoch) {
  const auto misuse = [](std::string_view where) { return fail(ErrorKind::ApiMisuse, Reason::InternalError, where); };
  if (live_ == nullptr) return misuse("no session is established");
  if (label.size() > kMaxLabel) return misuse("export label");
  // §6: "Labels that begin with "qsp1 " are QSP's own": no application may ask for what another part keeps secret.
  if (label.starts_with(kReservedLabels)) return misuse("export label: \"qsp1 \" begins QSP's own");
  if (size == 0 || size > kMaxExport) return misuse("export size");
  const std::uint32_t wanted = epoch.value_or(live_->exporter_epoch);
  const schedule::Exporter* exporter = nullptr;
  if (wanted == live_->exporter_epoch) exporter = &live_->exporter;
  const auto& previous = live_->previous_exporter;
  if (previous && wanted + 1 == live_->exporter_epoch) exporter = &*previous;
  if (exporter == nullptr) return misuse("export epoch");
  Exported exported{.epoch = wanted, .key = SecretBytes(size)};
  QSP_TRY(exporter->derive(schedule(), label, context, exported.key.writable()));
  return exported;
}

}  // namespace qsp::channel
