#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "files/replacement.hpp"
#include "node/profile.hpp"
#include "node/refused.hpp"
#include "node/setting.hpp"
#include "qsp/channel.hpp"

namespace qsp::node {

/// How to reach the site's KME (ETSI GS QKD 014).
struct KmeAccess {
  std::vector<std::string> urls;                       ///< of its servers, in the order of their use; none: no KME
  std::string certificate, key, authorities, revoked;  ///< PEM files; `revoked` may be empty
  std::string name;                                    ///< in the KME's certificate; empty: the URL's host
  bool tls12 = false;
  bool unclean_end = false;  ///< whole JSON counts where TLS ended without close_notify
};

/// The QKD keys shared with one peer, as a file (docs/pad.md).
struct PadFile {
  std::string sae_id;  ///< the peer's
  std::string file;
};

/// Asks a person for the passphrase of this key file. The error is one line.
using PassphrasePrompt = std::function<std::expected<SecretBytes, std::string>(const std::string& file)>;

/// What one end of sessions is made from: who it is, whom it trusts, its sources of QKD keys, its policies.
struct EndConfig {
  ProfileId profile = ProfileId::Qsp10;  ///< the insecure one uses nothing of what follows
  std::vector<std::string> keys;         ///< private key files, best first; a client has one
  std::string passphrase_file;           ///< of encrypted keys; empty: `ask_passphrase`
  PassphrasePrompt ask_passphrase;       ///< null: nobody can be asked. Only ever called while an end is made
  std::string peers;                     ///< file of the pinned peers (docs/peers.md)
  std::string peer;                      ///< client: the name of the one that is dialled
  std::string sae_id;                    ///< this end's, where QKD keys are used
  QkdPolicy qkd = QkdPolicy::None;       ///< server: of the listener, before it knows who calls
  std::vector<PadFile> pads;
  KmeAccess kme;  ///< for all peers without a pad
  std::vector<crypto::KemId> kems = ClientOptions{}.kems;
  std::vector<crypto::AeadId> aeads = ClientOptions{}.aeads;
  std::vector<crypto::SignatureId> signatures;  ///< server: of clients; empty: all that are quantum-safe but SLH-DSA
  std::chrono::nanoseconds rekey_interval = RekeyPolicy{}.interval;
  std::uint64_t rekey_bytes = RekeyPolicy{}.bytes;
  std::chrono::nanoseconds rekey_timer = RekeyPolicy{}.timer;
  /// With a KME: time between rekeys at most, while it is low on keys; nothing: as long as an epoch's hard life allows.
  std::optional<std::chrono::nanoseconds> qkd_rekey_max;
  /// With a KME: keys that it has left below which rekeys slow down; nothing: a tenth of its capacity.
  std::optional<std::uint64_t> qkd_low_supply;
  bool light = false;  ///< server: rekey without a fresh KEM key
  bool dangerous_short_timers = false;
  NameSetting name = field_name;  ///< what messages call the fields
};

/// The files that an end is made from, by what they are to it.
std::vector<files::InputFile> files_of(const EndConfig& config);

/// Whether it is complete and its fields fit together, as far as that can be said without reading any file.
std::expected<void, Refused> check(const EndConfig& config, Role role);

}  // namespace qsp::node
