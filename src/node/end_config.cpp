#include "node/end_config.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace qsp::node {
namespace {

std::expected<void, Refused> check(const KmeAccess& kme, NameSetting name) {
  const std::array<std::pair<Setting, const std::string*>, 3> needed{{{Setting::KmeCertificate, &kme.certificate},
                                                                      {Setting::KmeKey, &kme.key},
                                                                      {Setting::KmeAuthorities, &kme.authorities}}};
  for (const auto& [setting, file] : needed) {
    if (kme.urls.empty() && !file->empty()) {
      return refuse_config(
          fmt::format("{} says how to reach a KME: give {} URL too", name(setting), name(Setting::KmeUrls)));
    }
    if (!kme.urls.empty() && file->empty()) {
      return refuse_config(fmt::format(
          "{} needs {} FILE: {} and {} are this end's certificate and key, {} whom to trust", name(Setting::KmeUrls),
          name(setting), name(Setting::KmeCertificate), name(Setting::KmeKey), name(Setting::KmeAuthorities)));
    }
  }
  if (kme.urls.empty() && (!kme.revoked.empty() || !kme.name.empty() || kme.tls12 || kme.unclean_end)) {
    return refuse_config(fmt::format("{}, {}, {} and {} say how to reach a KME: give {} URL too",
                                     name(Setting::KmeRevoked), name(Setting::KmeName), name(Setting::KmeTls12),
                                     name(Setting::KmeUncleanEnd), name(Setting::KmeUrls)));
  }
  return {};
}

}  // namespace

std::vector<files::InputFile> files_of(const EndConfig& config) {
  std::vector<files::InputFile> files;
  for (const std::string& key : config.keys) {
    files.push_back({"this end's private key", key});
    files.push_back({"this end's public key", key + ".pub"});
  }
  files.push_back({"the passphrase file", config.passphrase_file});
  files.push_back({"the peers file", config.peers});
  for (const PadFile& pad : config.pads) files.push_back({"a pad", pad.file});
  files.push_back({"the certificate for the KME", config.kme.certificate});
  files.push_back({"the key for the KME", config.kme.key});
  files.push_back({"the authorities of the KME", config.kme.authorities});
  files.push_back({"the revocation list of the KME", config.kme.revoked});
  return files;
}

std::expected<void, Refused> check(const EndConfig& config, Role role) {
  if (config.profile == ProfileId::DangerousRc155) return {};
  const NameSetting name = config.name;
  if (config.keys.empty()) {
    return refuse_config(
        fmt::format("{} FILE is needed: this end's private key (make one with: qsp keygen)", name(Setting::Keys)));
  }
  if (config.peers.empty()) {
    return refuse_config(fmt::format("{} FILE is needed: who is pinned (see docs/peers.md)", name(Setting::Peers)));
  }
  if (role == Role::Client && config.keys.size() > 1) {
    return refuse_config(fmt::format("{}: a client has one key", name(Setting::Keys)));
  }
  if (role == Role::Client && config.peer.empty()) {
    return refuse_config(
        fmt::format("{} NAME is needed: whom of {} to dial", name(Setting::Peer), name(Setting::Peers)));
  }
  return check(config.kme, name);
}

}  // namespace qsp::node
