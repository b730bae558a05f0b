#include <utility>

#include "base/try.hpp"
#include "files/file.hpp"
#include "identity/identity.hpp"
#include "identity/key_files.hpp"
#include "identity/peers.hpp"
#include "qsp/identity.hpp"

namespace qsp {
namespace {

std::unexpected<Failure> failed(std::string text) {
  return std::unexpected(
      Failure{{ErrorKind::Environment, Reason::InternalError, "a file of keys or peers"}, std::move(text)});
}

}  // namespace

std::string fingerprint(const Identity& identity) { return identity::fingerprint(identity); }

std::optional<Identity> parse_fingerprint(std::string_view text) { return identity::parse_fingerprint(text); }

Result<std::unique_ptr<crypto::Signer>, Failure> load_signer(crypto::Provider& provider, const std::string& file,
                                                             const crypto::AskPassphrase& ask) {
  const auto content = files::read_file(file, identity::kMaxKeyFileSize);
  if (!content) return failed(content.error());
  const auto source = [&ask]() -> files::OrText<SecretBytes> {
    std::optional<SecretBytes> given = ask ? ask() : std::nullopt;
    if (!given) return std::unexpected(std::string("it is encrypted, and there is no passphrase for it"));
    return *std::move(given);
  };
  auto signer = identity::parse_private_key(provider, file, *content, "", source);
  if (!signer) return failed(std::move(signer.error()));
  return *std::move(signer);
}

Result<crypto::PublicKey, Failure> load_public_key(crypto::Provider& provider, const std::string& file) {
  auto key = identity::load_public_key(provider, file);
  if (!key) return failed(std::move(key.error()));
  return *std::move(key);
}

Result<PinnedKey, Failure> load_pin(crypto::Provider& provider, const std::string& file) {
  QSP_TRY(auto key, load_public_key(provider, file));
  auto pinned = pin(std::move(key), provider.hkdf());
  if (!pinned) return std::unexpected(Failure{pinned.error(), file + ": " + std::string(pinned.error().where)});
  return *std::move(pinned);
}

Result<crypto::PublicKey, Failure> make_key_pair(crypto::Provider& provider, crypto::SignatureId algorithm,
                                                 const std::string& file,
                                                 const std::optional<SecretBytes>& passphrase) {
  auto key = identity::write_new_key_pair(provider, algorithm, file, passphrase);
  if (!key) return failed(std::move(key.error()));
  return *std::move(key);
}

class Pins::Loaded {
 public:
  explicit Loaded(identity::PinnedPeers&& peers) : peers_(std::move(peers)) {}
  [[nodiscard]] const identity::PinnedPeers& peers() const noexcept { return peers_; }

 private:
  identity::PinnedPeers peers_;
};

Pins::Pins(std::unique_ptr<const Loaded> loaded) : loaded_(std::move(loaded)) {}
Pins::Pins(Pins&&) noexcept = default;
Pins& Pins::operator=(Pins&&) noexcept = default;
Pins::~Pins() = default;

Result<Pins, Failure> Pins::load(crypto::Provider& provider, const std::string& file) {
  auto peers = identity::PinnedPeers::load(provider, file);
  if (!peers) return failed(std::move(peers.error()));
  return Pins(std::make_unique<const Loaded>(*std::move(peers)));
}

Result<Pins, Failure> Pins::parse(crypto::Provider& provider, const std::string& file, std::string_view text) {
  auto peers = identity::PinnedPeers::parse(provider, file, text);
  if (!peers) return failed(std::move(peers.error()));
  return Pins(std::make_unique<const Loaded>(*std::move(peers)));
}

const Peer* Pins::find(const Identity& identity) const { return loaded_->peers().find(identity); }
const Peer* Pins::find_by_name(std::string_view name) const { return loaded_->peers().find_by_name(name); }
std::span<const Peer> Pins::all() const noexcept { return loaded_->peers().all(); }

}  // namespace qsp
