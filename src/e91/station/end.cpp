#include "e91/station/end.hpp"

#include <spdlog/spdlog.h>

#include "base/try.hpp"

namespace qsp::e91::station {

std::expected<StationEnd, node::Refused> StationEnd::load(const StationIdentity& identity, Role role,
                                                          const std::string& peer) {
  node::EndConfig config;
  config.keys = {identity.key};
  config.passphrase_file = identity.passphrase_file;
  config.ask_passphrase = identity.ask;
  config.peers = identity.peers;
  config.peer = peer;
  config.signatures = {crypto::SignatureId::MlDsa65};
  config.name = identity.name;
  QSP_TRY(auto end, node::LocalEnd::load(config, role));
  for (const std::string& warning : end->warnings()) spdlog::warn("{}", warning);
  auto endpoints = end->endpoints();
  if (!endpoints) return node::refuse(endpoints.error());
  return StationEnd(std::move(end), std::move(*endpoints));
}

}  // namespace qsp::e91::station
