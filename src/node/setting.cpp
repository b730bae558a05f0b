#include "node/setting.hpp"

namespace qsp::node {

std::string_view field_name(Setting setting) noexcept {
  switch (setting) {
    case Setting::Profile:
      return "profile";
    case Setting::Keys:
      return "keys";
    case Setting::PassphraseFile:
      return "passphrase_file";
    case Setting::Peers:
      return "peers";
    case Setting::Peer:
      return "peer";
    case Setting::SaeId:
      return "sae_id";
    case Setting::Qkd:
      return "qkd";
    case Setting::Pads:
      return "pads";
    case Setting::KmeUrls:
      return "kme.urls";
    case Setting::KmeCertificate:
      return "kme.certificate";
    case Setting::KmeKey:
      return "kme.key";
    case Setting::KmeAuthorities:
      return "kme.authorities";
    case Setting::KmeRevoked:
      return "kme.revoked";
    case Setting::KmeName:
      return "kme.name";
    case Setting::KmeTls12:
      return "kme.tls12";
    case Setting::KmeUncleanEnd:
      return "kme.unclean_end";
    case Setting::Kems:
      return "kems";
    case Setting::Aeads:
      return "aeads";
    case Setting::Signatures:
      return "signatures";
    case Setting::RekeyInterval:
      return "rekey_interval";
    case Setting::RekeyTimer:
      return "rekey_timer";
    case Setting::ShortTimers:
      return "dangerous_short_timers";
    case Setting::QkdRekeyMax:
      return "qkd_rekey_max";
    case Setting::QkdLowSupply:
      return "qkd_low_supply";
    case Setting::RunCommand:
      return "RunCommand";
    case Setting::ForwardTo:
      return "ForwardTo";
    case Setting::RetryFor:
      return "retry_for";
    case Setting::MetricsPort:
      return "metrics_port";
  }
  return "";
}

}  // namespace qsp::node
