#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/refused.hpp"
#include "cli/session/profile.hpp"
#include "node/end_config.hpp"

/// What serve and connect are told of this end of their sessions.
namespace qsp::cli {

class Command;

struct SessionOptions {
  ProfileChoice profile;
  node::EndConfig end;            ///< what follows is not in it yet
  std::string qkd = "none";       ///< server: of the listener
  std::vector<std::string> pads;  ///< "SAE-ID=FILE"
  std::vector<std::string> kems{"X25519MLKEM768"};
  std::vector<std::string> aeads{"AES-256-GCM", "ChaCha20-Poly1305"};
  std::vector<std::string> signatures;             ///< server: of clients; empty: all that are quantum-safe
  double rekey_interval = 120, rekey_timer = 180;  ///< seconds
  std::optional<double> qkd_rekey_max;             ///< seconds; nothing: as long as an epoch's hard life allows
};

/// Adds --profile and what belongs to it.
void add_session_options(Command& verb, Role role, SessionOptions& options);

/// What help says of the budget of QKD fetches (SPEC §5.7).
inline constexpr std::string_view kBudgetHelp =
    "With QKD, each end may fetch 10 keys for a peer at once, and then one every 10 s. A handshake takes one, and "
    "so\ndoes a rekey.";

/// The files that they name.
std::vector<files::InputFile> files_of(const SessionOptions& options);

/// What the options say, in a node's terms. Warns on stderr of a profile without security.
std::expected<node::EndConfig, Refused> end_config(const SessionOptions& options, Role role);

/// Asks on the controlling terminal.
std::expected<SecretBytes, std::string> ask_passphrase(const std::string& file);

}  // namespace qsp::cli
