#pragma once

#include <string>

#include "node/end_config.hpp"

/// How to reach a KME, as options.
namespace qsp::cli {

class Command;

void add_kme_options(Command& verb, node::KmeAccess& access);
/// --kme-crl, --kme-name and --kme-tls12, which every verb that talks to a KME has.
void add_kme_trust(Command& verb, std::string& revoked, std::string& name, bool& tls12);

}  // namespace qsp::cli
