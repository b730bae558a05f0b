#include "node/trust.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/try.hpp"
#include "files/file.hpp"
#include "identity/identity.hpp"
#include "identity/key_files.hpp"
#include "identity/passphrase.hpp"

namespace qsp::node {
namespace {

constexpr std::size_t kMostNames = 8;  ///< of peers in one line of a log

bool same_pin(const Peer& one, const Peer& other) {
  return std::ranges::equal(one.keys, other.keys, {}, &PinnedKey::identity, &PinnedKey::identity) &&
         one.may_connect == other.may_connect && one.may_serve == other.may_serve && one.qkd == other.qkd &&
         one.sae_id == other.sae_id && one.rekey_demands_kem == other.rekey_demands_kem;
}

/// "; added: a, b and 3 more", or nothing where there are none.
std::string list_of(std::string_view what, const std::vector<std::string_view>& names) {
  if (names.empty()) return "";
  const std::size_t told = std::min(names.size(), kMostNames);
  std::string text =
      fmt::format("; {}: {}", what, fmt::join(names.begin(), names.begin() + static_cast<long>(told), ", "));
  if (told < names.size()) text += fmt::format(" and {} more", names.size() - told);
  return text;
}

}  // namespace

std::expected<std::shared_ptr<const Trust>, std::string> Trust::read(crypto::Provider& provider,
                                                                     const TrustFiles& files, const Trust* before) {
  QSP_TRY(auto peers, identity::PinnedPeers::load(provider, files.peers));
  const std::shared_ptr<Trust> trust(new Trust(std::move(peers)));
  if (!files.passphrase_file.empty()) {
    QSP_TRY(auto passphrase, identity::passphrase_from_file(files.passphrase_file));
    trust->passphrase_ = std::move(passphrase);
  }
  for (const std::string& file : files.keys) {
    QSP_TRY(trust->add_key(provider, file, files, before));
  }
  QSP_TRY(trust->peers_.refuse_own(trust->own_, files.sae_id));
  return trust;
}

std::expected<void, std::string> Trust::add_key(crypto::Provider& provider, const std::string& file,
                                                const TrustFiles& files, const Trust* before) {
  QSP_TRY(auto content, files::read_file(file, identity::kMaxKeyFileSize));
  const auto ask = [&]() -> std::expected<SecretBytes, std::string> {
    if (!passphrase_ && before != nullptr && before->passphrase_) passphrase_ = before->passphrase_->copy();
    if (!passphrase_ && before != nullptr) {
      return std::unexpected(fmt::format("is encrypted now, and a running server asks nobody; give {}",
                                         files.name(Setting::PassphraseFile)));
    }
    if (!passphrase_ && !files.ask) {
      return std::unexpected(fmt::format("is encrypted; give {}", files.name(Setting::PassphraseFile)));
    }
    if (!passphrase_) {
      auto typed = files.ask(file);
      if (!typed) return typed;
      passphrase_ = std::move(*typed);
    }
    return passphrase_->copy();
  };
  QSP_TRY(const auto signer, identity::parse_private_key(provider, file, content, files.passphrase_file, ask));
  const auto identity = identity_of(signer->public_key(), provider.hkdf());
  if (!identity) return std::unexpected(fmt::format("{}: {}", file, identity.error().where));
  own_.push_back(*identity);
  keys_.emplace_back(file, std::move(content.text));
  return {};
}

std::expected<std::vector<std::unique_ptr<crypto::Signer>>, std::string> Trust::signers(
    crypto::Provider& provider) const {
  std::vector<std::unique_ptr<crypto::Signer>> signers;
  for (const auto& [file, pem] : keys_) {
    auto signer = provider.load_signer(pem.reveal_text(), [this]() -> std::optional<SecretBytes> {
      if (!passphrase_) return std::nullopt;
      return passphrase_->copy();
    });
    if (!signer) return std::unexpected(fmt::format("{}: {}", file, signer.error().where));
    signers.push_back(std::move(*signer));
  }
  return signers;
}

std::optional<std::string> Trust::objection(const Trust& before, const ChannelStatus& session) const {
  const Peer* const old = before.peers_.find_by_name(session.peer);
  if (old == nullptr) return "this peer is not known";
  for (const PinnedKey& key : old->keys) {
    if (key.key.algorithm != session.peer_signature) continue;
    const Peer* const peer = peers_.find(key.identity);
    if (peer != nullptr && peer->name == session.peer) continue;
    if (peer != nullptr) return "this key is pinned to another peer now";
    return peers_.find_by_name(session.peer) == nullptr ? "this peer is not pinned any more"
                                                        : "this peer is pinned with another key now";
  }
  const Peer* const peer = peers_.find_by_name(session.peer);
  if (peer == nullptr) return "this peer is not pinned any more";
  if (!peer->may_connect) return "this peer may not connect any more";
  if (peer->qkd == QkdPolicy::Required && !session.qkd_mixed) return "QKD is required for this peer now";
  if (peer->qkd != QkdPolicy::None && session.qkd_mixed && peer->sae_id != old->sae_id) {
    return "this peer has another SAE ID now";
  }
  if (peer->rekey_demands_kem && !old->rekey_demands_kem) return "rekeys with this peer demand a KEM key now";
  return std::nullopt;
}

std::string describe_change(const Trust& before, const Trust& after) {
  std::vector<std::string_view> added;
  std::vector<std::string_view> changed;
  std::vector<std::string_view> removed;
  for (const Peer& peer : after.peers().all()) {
    const Peer* const old = before.peers().find_by_name(peer.name);
    if (old == nullptr) {
      added.emplace_back(peer.name);
    } else if (!same_pin(*old, peer)) {
      changed.emplace_back(peer.name);
    }
  }
  for (const Peer& peer : before.peers().all()) {
    if (after.peers().find_by_name(peer.name) == nullptr) removed.emplace_back(peer.name);
  }
  std::string text = fmt::format("{} peer{}", after.peers().all().size(), after.peers().all().size() == 1 ? "" : "s");
  text += list_of("added", added) + list_of("changed", changed) + list_of("removed", removed);
  if (added.empty() && changed.empty() && removed.empty()) text += " as before";
  if (std::ranges::equal(before.own(), after.own())) return text + "; own keys as before";
  text += "; own keys now:";
  for (const Identity& identity : after.own()) text += ' ' + identity::fingerprint(identity);
  return text;
}

}  // namespace qsp::node
