#include "identity/peers.hpp"

#include <string>
#include <utility>
#include <vector>

#include "base/try.hpp"
#include "config/document.hpp"
#include "config/toml.hpp"
#include "files/trusted.hpp"
#include "identity/identity.hpp"
#include "identity/key_files.hpp"

namespace qsp::identity {
namespace {

using config::Table;
using files::OrText;

constexpr config::FileKind kPeersFile{.most = kMaxPeersFileSize, .page = "docs/peers.md"};

std::string in_quotes(std::string_view text) { return '"' + std::string(text) + '"'; }

/// A [[peer]] table as it is written; whether it makes sense is another question.
struct Pin {
  Peer peer;
  std::vector<std::string> keys, key_files;
};

OrText<Pin> read_pin(Table& table) {
  Pin pin;
  Peer& peer = pin.peer;
  table.text("name", peer.name,
             {.need = {.needed = true, .why = "every peer needs one"},
              .is = is_name,
              .takes = "1 to 64 letters, digits and . _ - @"});
  static_assert(kMaxNameSize == 64);
  if (!peer.name.empty()) table.set_name("peer " + in_quotes(peer.name));
  table.flag("connect", peer.may_connect);
  table.flag("serve", peer.may_serve);
  table.flag("rekey_demands_kem", peer.rekey_demands_kem);
  table.choice("qkd", peer.qkd,
               {{"none", QkdPolicy::None}, {"preferred", QkdPolicy::Preferred}, {"required", QkdPolicy::Required}});
  table.text("sae_id", peer.sae_id, {.most = kMaxSaeIdSize});
  table.texts("key", pin.keys,
              {.most = kMaxKeysPerPeer,
               .or_one = true,
               .each = {.is = [](std::string_view) noexcept { return true; }, .takes = "a public key in PEM"}});
  table.texts("key_file", pin.key_files, {.most = kMaxKeysPerPeer, .or_one = true});
  QSP_TRY(table.finish());
  return pin;
}

/// Whether the peer may do something, and has what that needs.
OrText<void> check_rights(const Table& table, const Peer& peer) {
  if (!peer.may_connect && !peer.may_serve) {
    return table.problem("connect", "without it or serve the peer may do nothing; set one to true, or remove the peer");
  }
  if (peer.qkd == QkdPolicy::None || !peer.sae_id.empty()) return {};
  return table.problem("sae_id", "is missing; qkd needs the SAE ID that the peer's KME knows it by");
}

}  // namespace

bool is_name(std::string_view text) noexcept {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@";
  return !text.empty() && text.size() <= kMaxNameSize && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

class PinnedPeers::Loader {
 public:
  Loader(crypto::Provider& provider, const std::string& file) : provider_(provider) { loaded_.file_ = file; }

  OrText<PinnedPeers> run(const config::Document& document) {
    Table root = document.root("a peers file");
    if (!root.has("peer") && document.members().empty()) {
      return std::unexpected(loaded_.file_ +
                             ": holds no peer; add a [[peer]] table, or write peer = [] where nobody is to be trusted");
    }
    std::vector<Table> tables = root.tables("peer", kMaxPeers, "a peer");
    QSP_TRY(root.finish());
    loaded_.peers_.reserve(tables.size());
    for (Table& table : tables) {
      QSP_TRY(add(table));
    }
    return std::move(loaded_);
  }

 private:
  OrText<void> add(Table& table) {
    QSP_TRY(Pin pin, read_pin(table));
    Peer& peer = pin.peer;
    if (const auto same = loaded_.by_name_.find(peer.name); same != loaded_.by_name_.end()) {
      return table.problem("name", "is taken by the peer of line " +
                                       std::to_string(loaded_.places_[same->second].line) + "; give each its own");
    }
    QSP_TRY(check_rights(table, peer));
    QSP_TRY(note_sae_id(table, peer));
    QSP_TRY(read_keys(table, pin));

    loaded_.by_name_.emplace(peer.name, loaded_.peers_.size());
    loaded_.places_.push_back(table.place());
    loaded_.peers_.push_back(std::move(peer));
    return {};
  }

  /// SPEC §4: "No two pinned peers may share a key, or an SAE ID: QKD keys are requested by SAE ID, so one peer would
  /// burn the keys of another's link."
  OrText<void> note_sae_id(const Table& table, const Peer& peer) {
    if (peer.sae_id.empty()) return {};
    const auto [owner, fresh] = loaded_.by_sae_id_.emplace(peer.sae_id, loaded_.peers_.size());
    if (fresh) return {};
    return table.problem("sae_id", "is pinned to peer " + in_quotes(loaded_.peers_[owner->second].name) + " of line " +
                                       std::to_string(loaded_.places_[owner->second].line) +
                                       " already; each peer has its own at its KME");
  }

  OrText<void> read_keys(const Table& table, Pin& pin) {
    const bool inline_keys = table.has("key");
    if (inline_keys == table.has("key_file")) {
      return table.problem("key", inline_keys ? "stands beside key_file; keep one of the two"
                                              : "is missing; give the peer's public key as key or key_file");
    }
    const std::string_view field = inline_keys ? "key" : "key_file";
    for (const std::string& value : inline_keys ? pin.keys : pin.key_files) {
      const std::string file = inline_keys ? std::string() : config::beside(loaded_.file_, value);
      if (!inline_keys) loaded_.key_files_.push_back(file);
      OrText<crypto::PublicKey> key =
          inline_keys ? parse_public_key(provider_, "the text", value) : load_public_key(provider_, file);
      if (!key) return table.problem(field, key.error());
      Result<PinnedKey> pinned = qsp::pin(std::move(*key), provider_.hkdf());
      if (!pinned) return table.problem(field, pinned.error().where);
      const auto [owner, fresh] = loaded_.by_identity_.emplace(pinned->identity, loaded_.peers_.size());
      if (!fresh) {
        const std::string other = owner->second == loaded_.peers_.size()
                                      ? "this peer"
                                      : "peer " + in_quotes(loaded_.peers_[owner->second].name);
        return table.problem(field, fingerprint(pinned->identity) + " is pinned to " + other +
                                        " already; a key belongs to one peer, once");
      }
      pin.peer.keys.push_back(std::move(*pinned));
    }
    return {};
  }

  crypto::Provider& provider_;
  PinnedPeers loaded_;
};

OrText<PinnedPeers> PinnedPeers::load(crypto::Provider& provider, const std::string& file) {
  QSP_TRY(const files::Content content, files::read_trusted_file(file, kMaxPeersFileSize));
  return parse(provider, file, content.text.reveal_text());
}

OrText<PinnedPeers> PinnedPeers::parse(crypto::Provider& provider, const std::string& file, std::string_view text) {
  const OrText<config::Document> document = config::Document::parse(file, text, kPeersFile);
  if (document) return Loader(provider, file).run(*document);
  const KeyFileKind kind = text.size() > kMaxPeersFileSize ? KeyFileKind::Neither : kind_of(text);
  if (kind != KeyFileKind::Peers && kind != KeyFileKind::Neither) {
    return std::unexpected(file + ": " +
                           not_expected(kind, "a peers file", "give one with a [[peer]] table for each peer"));
  }
  return std::unexpected(document.error());
}

const Peer* PinnedPeers::find(const Identity& identity) const {
  const auto found = by_identity_.find(identity);
  return found == by_identity_.end() ? nullptr : &peers_[found->second];
}

const Peer* PinnedPeers::find_by_name(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &peers_[found->second];
}

OrText<void> PinnedPeers::refuse_own(std::span<const Identity> own, std::string_view sae_id) const {
  const auto about = [this](std::size_t peer) {
    return config::at(file_, places_[peer]) + ": peer " + in_quotes(peers_[peer].name);
  };
  for (const Identity& identity : own) {
    const auto found = by_identity_.find(identity);
    if (found == by_identity_.end()) continue;
    return std::unexpected(about(found->second) + " has this end's own key, " + fingerprint(identity) +
                           "; pin the peer's key instead");
  }
  if (const auto found = by_sae_id_.find(sae_id); found != by_sae_id_.end()) {
    return std::unexpected(about(found->second) +
                           ", field \"sae_id\": is this end's own SAE ID (--sae-id); pin the one that the peer's KME "
                           "knows it by");
  }
  return {};
}

}  // namespace qsp::identity
