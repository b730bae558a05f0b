#include "cli/session/setting_names.hpp"

namespace qsp::cli {

std::string_view option_name(node::Setting setting) noexcept {
  switch (setting) {
    case node::Setting::Profile:
      return "--profile";
    case node::Setting::Keys:
      return "--key";
    case node::Setting::PassphraseFile:
      return "--passphrase-file";
    case node::Setting::Peers:
      return "--peers";
    case node::Setting::Peer:
      return "--peer";
    case node::Setting::SaeId:
      return "--sae-id";
    case node::Setting::Qkd:
      return "--qkd";
    case node::Setting::Pads:
      return "--pad";
    case node::Setting::KmeUrls:
      return "--kme";
    case node::Setting::KmeCertificate:
      return "--kme-cert";
    case node::Setting::KmeKey:
      return "--kme-key";
    case node::Setting::KmeAuthorities:
      return "--kme-ca";
    case node::Setting::KmeRevoked:
      return "--kme-crl";
    case node::Setting::KmeName:
      return "--kme-name";
    case node::Setting::KmeTls12:
      return "--kme-tls12";
    case node::Setting::KmeUncleanEnd:
      return "--kme-unclean-end";
    case node::Setting::Kems:
      return "--kem";
    case node::Setting::Aeads:
      return "--aead";
    case node::Setting::Signatures:
      return "--accept-signature";
    case node::Setting::RekeyInterval:
      return "--rekey-interval";
    case node::Setting::RekeyTimer:
      return "--rekey-timer";
    case node::Setting::ShortTimers:
      return "--dangerous-short-timers";
    case node::Setting::QkdRekeyMax:
      return "--qkd-rekey-max";
    case node::Setting::QkdLowSupply:
      return "--qkd-low-supply";
    case node::Setting::RunCommand:
      return "--exec";
    case node::Setting::ForwardTo:
      return "--forward";
    case node::Setting::RetryFor:
      return "--retry-for";
    case node::Setting::MetricsPort:
      return "--metrics-port";
  }
  return "";
}

}  // namespace qsp::cli
