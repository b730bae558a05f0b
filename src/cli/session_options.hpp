#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/profile.hpp"
#include "cli/refused.hpp"
#include "node/end_config.hpp"

/// What serve and connect are told of this end of their sessions.
namespace qsp::cli {

class Command;

struct SessionOptions {
  ProfileChoice profile;
  std::vector<std::string> keys;  ///< private key files, best first; a client has one
  std::string passphrase_file;
  std::string peers;  ///< file
  std::string peer;   ///< client: the name of the one that is dialled
  std::string sae_id;
  std::string qkd = "none";       ///< server: of the listener
  std::vector<std::string> pads;  ///< "SAE-ID=FILE"
  node::KmeAccess kme;
  std::vector<std::string> kems{"X25519MLKEM768"};
  std::vector<std::string> aeads{"AES-256-GCM", "ChaCha20-Poly1305"};
  std::vector<std::string> signatures;  ///< server: of clients; empty: all that are quantum-safe
  double rekey_interval = 120;          ///< seconds
  std::uint64_t rekey_bytes = std::uint64_t{1} << 36;
  double rekey_timer = 180;
  std::optional<double> qkd_rekey_max;  ///< seconds; nothing: as long as an epoch's hard life allows
  std::optional<std::uint64_t> qkd_low_supply;
  bool light = false;
  bool dangerous_short_timers = false;
};

/// Adds --profile and what belongs to it.
void add_session_options(Command& verb, Role role, SessionOptions& options);

/// What help says of the budget of QKD fetches (SPEC §5.7).
inline constexpr std::string_view kBudgetHelp =
    "With QKD each end fetches at most 10 keys for a peer at once, and one more every 10 s: a handshake takes one, a\n"
    "rekey takes one.";

/// What the options say, in a node's terms. Warns on stderr of a profile without security.
std::expected<node::EndConfig, Refused> end_config(const SessionOptions& options, Role role);

/// Asks on the controlling terminal.
std::expected<SecretBytes, std::string> ask_passphrase(const std::string& file);

}  // namespace qsp::cli
