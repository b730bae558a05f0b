#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "identity/peers.hpp"
#include "node/end_config.hpp"
#include "qsp/channel.hpp"
#include "qsp/crypto.hpp"

namespace qsp::node {

/// The files that say who this end is and whom it trusts.
struct TrustFiles {
  std::vector<std::string> keys;  ///< private key files, best first
  std::string passphrase_file;    ///< empty: `ask`
  PassphrasePrompt ask;           ///< null: nobody can be asked
  std::string peers;
  std::string sae_id;  ///< this end's own, which no pin may have; empty: none
  NameSetting name = field_name;
};

/// This end's private keys and the pinned peers, as their files had them at one moment. Nothing changes after reading,
/// so threads share it; a later reading is another object.
class Trust {
 public:
  /// Reads all of it, or fails with one line that names the file and the remedy. `before`: an earlier reading, whose
  /// passphrase serves again; then nobody is asked, since that would hold up a server's sessions.
  static std::expected<std::shared_ptr<const Trust>, std::string> read(crypto::Provider& provider,
                                                                       const TrustFiles& files,
                                                                       const Trust* before = nullptr);

  [[nodiscard]] const identity::PinnedPeers& peers() const noexcept { return peers_; }
  /// Identities of this end's keys, best first.
  [[nodiscard]] std::span<const Identity> own() const noexcept { return own_; }
  /// The private keys, for one thread. Error: one line.
  [[nodiscard]] std::expected<std::vector<std::unique_ptr<crypto::Signer>>, std::string> signers(
      crypto::Provider& provider) const;

  /// Why a session that was made under `before` may not go on under this; nothing where it may. What the session does
  /// not tell of itself, which of its peer's keys it is say, counts as the worst that it can be.
  [[nodiscard]] std::optional<std::string> objection(const Trust& before, const ChannelStatus& session) const;

 private:
  explicit Trust(identity::PinnedPeers peers) : peers_(std::move(peers)) {}
  /// Loads a key, and asks for a passphrase where it needs one and there is none yet.
  std::expected<void, std::string> add_key(crypto::Provider& provider, const std::string& file, const TrustFiles& files,
                                           const Trust* before);

  identity::PinnedPeers peers_;
  std::vector<std::pair<std::string, SecretBytes>> keys_;  ///< file and PEM
  std::vector<Identity> own_;
  std::optional<SecretBytes> passphrase_;
};

/// What a second reading changed, for a log: "2 peers (added: carol; removed: bob), own keys unchanged".
std::string describe_change(const Trust& before, const Trust& after);

}  // namespace qsp::node
