#include "identity/found_keys.hpp"

#include <utility>

#include "base/try.hpp"
#include "identity/key_files.hpp"
#include "identity/peers.hpp"

namespace qsp::identity {
namespace {

files::OrText<std::vector<FoundKey>> one_key(crypto::PublicKey key, FoundKey found, crypto::Provider& provider) {
  Result<PinnedKey> pinned = pin(std::move(key), provider.hkdf());
  if (!pinned) return std::unexpected(found.file + ": " + std::string(pinned.error().where));
  found.key = std::move(*pinned);
  std::vector<FoundKey> all;
  all.push_back(std::move(found));
  return all;
}

}  // namespace

files::OrText<std::vector<FoundKey>> find_keys(crypto::Provider& provider, const std::string& file,
                                               const std::string& passphrase_file) {
  QSP_TRY(const auto content, files::read_file(file, kMaxPeersFileSize));
  const std::string_view text = content.text.reveal_text();
  const KeyFileKind kind = kind_of(text);
  switch (kind) {
    case KeyFileKind::Private: {
      QSP_TRY(const auto signer, parse_private_key(provider, file, content, passphrase_file));
      return one_key(signer->public_key(), {.file = file, .kind = "private", .peer = {}, .key = {}}, provider);
    }
    case KeyFileKind::Public: {
      QSP_TRY(auto key, parse_public_key(provider, file, text));
      return one_key(std::move(key), {.file = file, .kind = "public", .peer = {}, .key = {}}, provider);
    }
    case KeyFileKind::Damaged:
    case KeyFileKind::Empty:
      return std::unexpected(file + ": " + not_expected(kind, "a key in PEM or a peers file", "copy it here again"));
    case KeyFileKind::Peers:
    case KeyFileKind::Neither:
      break;
  }
  QSP_TRY(const auto peers, PinnedPeers::parse(provider, file, text));
  std::vector<FoundKey> all;
  for (const Peer& peer : peers.all()) {
    for (const PinnedKey& key : peer.keys) all.push_back({file, "peer", peer.name, key});
  }
  return all;
}

}  // namespace qsp::identity
