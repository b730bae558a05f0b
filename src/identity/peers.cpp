#include "identity/peers.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "files/trusted.hpp"
#include "identity/identity.hpp"
#include "identity/key_files.hpp"

// Errors as values: nothing of a configuration is worth an exception.
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace qsp::identity {
namespace {

using files::OrText;

constexpr std::array<std::string_view, 8> kFields{"name",  "key", "key_file", "connect",
                                                  "serve", "qkd", "sae_id",   "rekey_demands_kem"};

std::string in_quotes(std::string_view text) { return '"' + std::string(text) + '"'; }

unsigned line_of(const toml::node& node) noexcept { return static_cast<unsigned>(node.source().begin.line); }

bool has_control_character(std::string_view text) noexcept {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::optional<QkdPolicy> policy_by_name(std::string_view name) noexcept {
  if (name == "none") return QkdPolicy::None;
  if (name == "preferred") return QkdPolicy::Preferred;
  if (name == "required") return QkdPolicy::Required;
  return std::nullopt;
}

/// One [[peer]] table on its way to a Peer: reads fields by name and knows how to complain about them.
class PeerTable {
 public:
  PeerTable(const std::string& file, const toml::table& table) : file_(file), table_(table), peer_("a peer") {}

  void set_name(const std::string& name) { peer_ = "peer " + in_quotes(name); }

  /// "FILE:LINE: peer "NAME", field "FIELD": TEXT"; the line of the field where it is there, else of the table.
  [[nodiscard]] std::unexpected<std::string> problem(std::string_view field, std::string_view text) const {
    const toml::node* const node = table_.get(field);
    std::string message = file_ + ':' + std::to_string(line_of(node == nullptr ? table_ : *node)) + ": " + peer_;
    message.append(", field ").append(in_quotes(field)).append(": ").append(text);
    return std::unexpected(std::move(message));
  }

  [[nodiscard]] const toml::node* get(std::string_view field) const { return table_.get(field); }

  [[nodiscard]] OrText<std::optional<std::string>> text(std::string_view field) const {
    const toml::node* const node = table_.get(field);
    if (node == nullptr) return std::nullopt;
    const auto* const value = node->as_string();
    if (value == nullptr) return problem(field, "takes a text in quotes");
    return value->get();
  }

  [[nodiscard]] OrText<bool> flag(std::string_view field) const {
    const toml::node* const node = table_.get(field);
    if (node == nullptr) return false;
    const auto* const value = node->as_boolean();
    if (value == nullptr) return problem(field, "takes true or false");
    return value->get();
  }

  /// One text, or an array of them; empty where the field is not there.
  [[nodiscard]] OrText<std::vector<std::string>> texts(std::string_view field) const {
    const toml::node* const node = table_.get(field);
    std::vector<std::string> found;
    if (node == nullptr) return found;
    if (const auto* const value = node->as_string()) {
      found.push_back(value->get());
      return found;
    }
    const toml::array* const array = node->as_array();
    if (array == nullptr || array->empty()) return problem(field, "takes a text in quotes, or an array of them");
    if (array->size() > kMaxKeysPerPeer) {
      return problem(field,
                     "takes at most " + std::to_string(kMaxKeysPerPeer) + " keys; remove those that are retired");
    }
    for (const toml::node& item : *array) {
      const auto* const value = item.as_string();
      if (value == nullptr) return problem(field, "takes a text in quotes, or an array of them");
      found.push_back(value->get());
    }
    return found;
  }

  [[nodiscard]] OrText<void> refuse_unknown_fields() const {
    for (const auto& [key, value] : table_) {
      if (std::ranges::find(kFields, key.str()) != kFields.end()) continue;
      return problem(key.str(),
                     "is unknown; it takes name, key or key_file, connect, serve, qkd, sae_id, rekey_demands_kem");
    }
    return {};
  }

 private:
  const std::string& file_;
  const toml::table& table_;
  std::string peer_;
};

OrText<std::string> read_name(PeerTable& table) {
  auto text = table.text("name");
  if (!text) return std::unexpected(std::move(text.error()));
  std::optional<std::string> name = std::move(*text);
  if (!name) return table.problem("name", "is missing; every peer needs one");
  if (!is_name(*name)) {
    return table.problem("name", "takes 1 to " + std::to_string(kMaxNameSize) + " letters, digits and . _ - @");
  }
  table.set_name(*name);
  return *std::move(name);
}

OrText<void> read_rights(const PeerTable& table, Peer& peer) {
  for (const auto& [field, right] : {std::pair<std::string_view, bool Peer::*>{"connect", &Peer::may_connect},
                                     {"serve", &Peer::may_serve},
                                     {"rekey_demands_kem", &Peer::rekey_demands_kem}}) {
    const OrText<bool> value = table.flag(field);
    if (!value) return std::unexpected(value.error());
    peer.*right = *value;
  }
  if (peer.may_connect || peer.may_serve) return {};
  return table.problem("connect", "without it or serve the peer may do nothing; set one to true, or remove the peer");
}

OrText<void> read_qkd(const PeerTable& table, Peer& peer) {
  const auto policy_name = table.text("qkd");
  if (!policy_name) return std::unexpected(policy_name.error());
  const auto policy = policy_by_name(policy_name->value_or("none"));
  if (!policy) return table.problem("qkd", R"(takes "none", "preferred" or "required")");
  peer.qkd = *policy;

  auto text = table.text("sae_id");
  if (!text) return std::unexpected(std::move(text.error()));
  std::optional<std::string> sae_id = std::move(*text);
  if (!sae_id) {
    if (peer.qkd == QkdPolicy::None) return {};
    return table.problem("sae_id", "is missing; qkd needs the SAE ID that the peer's KME knows it by");
  }
  if (sae_id->empty() || sae_id->size() > kMaxSaeIdSize || has_control_character(*sae_id)) {
    return table.problem("sae_id", "takes 1 to " + std::to_string(kMaxSaeIdSize) + " bytes without control characters");
  }
  peer.sae_id = *std::move(sae_id);
  return {};
}

}  // namespace

bool is_name(std::string_view text) noexcept {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@";
  return !text.empty() && text.size() <= kMaxNameSize && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

class PinnedPeers::Loader {
 public:
  Loader(crypto::Provider& provider, const std::string& file) : provider_(provider) { loaded_.file_ = file; }

  OrText<PinnedPeers> run(const toml::table& root) {
    for (const auto& [key, value] : root) {
      if (key.str() == "peer") continue;
      return at(line_of(value),
                "field " + in_quotes(key.str()) + " is unknown; a peers file holds [[peer]] tables only");
    }
    const toml::node* const node = root.get("peer");
    if (node == nullptr)
      return std::unexpected(loaded_.file_ +
                             ": holds no peer; add a [[peer]] table, or write peer = [] where nobody is to be trusted");
    const toml::array* const tables = node->as_array();
    if (tables == nullptr || (!tables->empty() && !tables->is_homogeneous<toml::table>())) {
      return at(line_of(*node), "a peer is a [[peer]] table, with two brackets on each side");
    }
    if (tables->size() > kMaxPeers) {
      return std::unexpected(loaded_.file_ + ": holds more than " + std::to_string(kMaxPeers) + " peers; remove some");
    }
    loaded_.peers_.reserve(tables->size());
    for (const toml::node& table : *tables) {
      if (OrText<void> added = add(*table.as_table()); !added) return std::unexpected(added.error());
    }
    return std::move(loaded_);
  }

 private:
  [[nodiscard]] std::unexpected<std::string> at(unsigned line, std::string_view text) const {
    return std::unexpected(loaded_.file_ + ':' + std::to_string(line) + ": " + std::string(text));
  }

  OrText<void> add(const toml::table& toml_table) {
    PeerTable table(loaded_.file_, toml_table);
    Peer peer;
    OrText<std::string> name = read_name(table);
    if (!name) return std::unexpected(std::move(name.error()));
    peer.name = std::move(*name);
    if (const auto same = loaded_.by_name_.find(peer.name); same != loaded_.by_name_.end()) {
      return table.problem("name", "is taken by the peer of line " + std::to_string(loaded_.lines_[same->second]) +
                                       "; give each its own");
    }
    if (OrText<void> known = table.refuse_unknown_fields(); !known) return known;
    if (OrText<void> read = read_rights(table, peer); !read) return read;
    if (OrText<void> read = read_qkd(table, peer); !read) return read;
    if (OrText<void> fresh = note_sae_id(table, peer); !fresh) return fresh;
    if (OrText<void> read = read_keys(table, peer); !read) return read;

    loaded_.by_name_.emplace(peer.name, loaded_.peers_.size());
    loaded_.lines_.push_back(line_of(toml_table));
    loaded_.peers_.push_back(std::move(peer));
    return {};
  }

  /// SPEC §4: "No two pinned peers may share a key or an SAE ID". Keys of a QKD link are asked for under the SAE ID, so
  /// one peer would burn the other's.
  OrText<void> note_sae_id(const PeerTable& table, const Peer& peer) {
    if (peer.sae_id.empty()) return {};
    const auto [owner, fresh] = loaded_.by_sae_id_.emplace(peer.sae_id, loaded_.peers_.size());
    if (fresh) return {};
    return table.problem("sae_id", "is pinned to peer " + in_quotes(loaded_.peers_[owner->second].name) + " of line " +
                                       std::to_string(loaded_.lines_[owner->second]) +
                                       " already; each peer has its own at its KME");
  }

  OrText<void> read_keys(const PeerTable& table, Peer& peer) {
    const bool inline_keys = table.get("key") != nullptr;
    if (inline_keys == (table.get("key_file") != nullptr)) {
      return table.problem("key", inline_keys ? "stands beside key_file; keep one of the two"
                                              : "is missing; give the peer's public key as key or key_file");
    }
    const std::string_view field = inline_keys ? "key" : "key_file";
    const OrText<std::vector<std::string>> values = table.texts(field);
    if (!values) return std::unexpected(values.error());
    for (const std::string& value : *values) {
      if (!inline_keys) loaded_.key_files_.push_back(beside_peers_file(value));
      OrText<crypto::PublicKey> key = inline_keys ? parse_public_key(provider_, "the text", value)
                                                  : load_public_key(provider_, beside_peers_file(value));
      if (!key) return table.problem(field, key.error());
      Result<PinnedKey> pinned = pin(std::move(*key), provider_.hkdf());
      if (!pinned) return table.problem(field, pinned.error().where);
      const auto [owner, fresh] = loaded_.by_identity_.emplace(pinned->identity, loaded_.peers_.size());
      if (!fresh) {
        const std::string other = owner->second == loaded_.peers_.size()
                                      ? "this peer"
                                      : "peer " + in_quotes(loaded_.peers_[owner->second].name);
        return table.problem(field, fingerprint(pinned->identity) + " is pinned to " + other +
                                        " already; a key belongs to one peer, once");
      }
      peer.keys.push_back(std::move(*pinned));
    }
    return {};
  }

  [[nodiscard]] std::string beside_peers_file(const std::string& name) const {
    return (std::filesystem::path(loaded_.file_).parent_path() / name).string();
  }

  crypto::Provider& provider_;
  PinnedPeers loaded_;
};

OrText<PinnedPeers> PinnedPeers::load(crypto::Provider& provider, const std::string& file) {
  const OrText<files::Content> content = files::read_trusted_file(file, kMaxPeersFileSize);
  if (!content) return std::unexpected(content.error());
  return parse(provider, file, content->text.reveal());
}

OrText<PinnedPeers> PinnedPeers::parse(crypto::Provider& provider, const std::string& file, std::string_view text) {
  if (text.size() > kMaxPeersFileSize) {
    return std::unexpected(file + ": larger than " + std::to_string(kMaxPeersFileSize) +
                           " bytes; use key_file for keys");
  }
  const toml::parse_result parsed = toml::parse(text);
  if (const KeyFileKind kind = kind_of(text); !parsed && kind != KeyFileKind::Peers && kind != KeyFileKind::Neither) {
    return std::unexpected(file + ": " +
                           not_expected(kind, "a peers file", "give one with a [[peer]] table for each peer"));
  }
  if (!parsed) {
    return std::unexpected(file + ':' + std::to_string(parsed.error().source().begin.line) +
                           ": not TOML: " + std::string(parsed.error().description()));
  }
  return Loader(provider, file).run(parsed.table());
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
    return file_ + ':' + std::to_string(lines_[peer]) + ": peer " + in_quotes(peers_[peer].name);
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
