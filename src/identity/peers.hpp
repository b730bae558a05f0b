#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/value.hpp"
#include "files/file.hpp"
#include "qsp/crypto.hpp"
#include "qsp/peer.hpp"

/// The peers file: who is pinned, in TOML (docs/peers.md).
namespace qsp::identity {

inline constexpr std::size_t kMaxPeersFileSize = 1'048'576;
inline constexpr std::size_t kMaxPeers = 10'000;
inline constexpr std::size_t kMaxKeysPerPeer = 8;  ///< as many as sig_offers can name (SPEC §5)
inline constexpr std::size_t kMaxNameSize = 64;
inline constexpr std::size_t kMaxSaeIdSize = 255;

/// True for 1…kMaxNameSize letters, digits and ". _ - @": safe in a log, a label and a command line.
bool is_name(std::string_view text) noexcept;

/// The pinned peers of a configuration; nothing of them changes after loading, so threads may share it.
class PinnedPeers : public PeerDirectory {
 public:
  /// Reads a peers file. Strict: an unknown field, a repeated name, a key or SAE ID pinned twice, a policy that cannot
  /// work are each an error that names file, line, column, peer, field and remedy; nothing is half loaded.
  static files::OrText<PinnedPeers> load(crypto::Provider& provider, const std::string& file);

  /// The same from a text; `file` names it in errors, and key files are relative to its folder.
  static files::OrText<PinnedPeers> parse(crypto::Provider& provider, const std::string& file, std::string_view text);

  [[nodiscard]] const Peer* find(const Identity& identity) const override;
  [[nodiscard]] const Peer* find_by_name(std::string_view name) const;
  [[nodiscard]] std::span<const Peer> all() const noexcept { return peers_; }

  /// The key files that it names, relative to the working folder as `file` is.
  [[nodiscard]] std::span<const std::string> key_files() const noexcept { return key_files_; }

  /// Fails if a pinned key, or a pinned SAE ID, is one of this end's: an end refuses itself as a peer (SPEC §4).
  /// `sae_id`: this end's own, or empty.
  [[nodiscard]] files::OrText<void> refuse_own(std::span<const Identity> own, std::string_view sae_id) const;

 private:
  /// An identity is a hash already: its first bytes spread as well as any.
  struct IdentityHash {
    std::size_t operator()(const Identity& identity) const noexcept {
      std::size_t hash = 0;
      std::memcpy(&hash, identity.data(), sizeof hash);
      return hash;
    }
  };

  std::string file_;
  std::vector<Peer> peers_;
  std::vector<std::string> key_files_;
  std::vector<config::Place> places_;  ///< of each peer, in the file
  std::unordered_map<Identity, std::size_t, IdentityHash> by_identity_;
  std::map<std::string, std::size_t, std::less<>> by_name_, by_sae_id_;

  class Loader;
};

}  // namespace qsp::identity
