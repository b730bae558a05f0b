#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "qsp/crypto.hpp"
#include "qsp/export.hpp"
#include "qsp/failure.hpp"
#include "qsp/peer.hpp"
#include "qsp/secret_bytes.hpp"

/// Who an end is and whom it knows, in files: keys as PEM and pins as TOML (docs/peers.md). The component "identity".
/// They are the files of the program `qsp`. The reason of a Failure here is INTERNAL_ERROR throughout.
namespace qsp {

/// An identity for people: "qsp1:" and 64 lower-case hex digits.
QSP_EXPORT std::string fingerprint(const Identity& identity);

/// The identity behind a fingerprint, in either case of letters; nothing for any other text.
QSP_EXPORT std::optional<Identity> parse_fingerprint(std::string_view text);

/// Reads this end's private key from a file of at most 64 KiB that its owner alone can read. An encrypted one is opened
/// with what `ask` returns, which is called once, and for no other. Errors: Environment for a file that cannot be read,
/// is not private or holds no such key; also where the passphrase is missing or wrong.
QSP_EXPORT Result<std::unique_ptr<crypto::Signer>, Failure> load_signer(crypto::Provider& provider,
                                                                        const std::string& file,
                                                                        const crypto::AskPassphrase& ask = {});

/// Reads a public key to trust, from a file that nobody else can change. Error: Environment.
QSP_EXPORT Result<crypto::PublicKey, Failure> load_public_key(crypto::Provider& provider, const std::string& file);

/// Reads a public key to trust and makes a peer's pin of it. Errors: as load_public_key and pin.
QSP_EXPORT Result<PinnedKey, Failure> load_pin(crypto::Provider& provider, const std::string& file);

/// Makes a key pair: `file` for the owner alone, encrypted where there is a passphrase, and FILE.pub for everyone.
/// Neither may exist; both are on disk on return, or neither is. Errors: Environment, also where the provider lacks the
/// algorithm.
QSP_EXPORT Result<crypto::PublicKey, Failure> make_key_pair(
    crypto::Provider& provider, crypto::SignatureId algorithm, const std::string& file,
    const std::optional<SecretBytes>& passphrase = std::nullopt);

/// The peers of a peers file. Nothing of them changes after loading, so threads may share them.
class QSP_EXPORT Pins final : public PeerDirectory {
 public:
  /// Reads a peers file that nobody else can change. It is strict: what it does not know, or what cannot work, is an
  /// error that names file, line, peer, field and remedy. Error: Environment.
  static Result<Pins, Failure> load(crypto::Provider& provider, const std::string& file);
  /// The same from a text; `file` names it in errors, and key files are relative to its folder.
  static Result<Pins, Failure> parse(crypto::Provider& provider, const std::string& file, std::string_view text);

  Pins(Pins&&) noexcept;
  Pins& operator=(Pins&&) noexcept;
  Pins(const Pins&) = delete;
  Pins& operator=(const Pins&) = delete;
  ~Pins() override;

  /// Pointers and views live as long as this object, wherever it is moved to.
  [[nodiscard]] const Peer* find(const Identity& identity) const override;
  [[nodiscard]] const Peer* find_by_name(std::string_view name) const;
  [[nodiscard]] std::span<const Peer> all() const noexcept;

 private:
  class QSP_HIDDEN Loaded;
  explicit Pins(std::unique_ptr<const Loaded> loaded);

  std::unique_ptr<const Loaded> loaded_;
};

}  // namespace qsp
