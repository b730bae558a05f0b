#include "identity/key_files.hpp"

#include <unistd.h>

#include <utility>

#include "base/try.hpp"
#include "crypto/pem.hpp"
#include "files/file.hpp"
#include "files/trusted.hpp"
#include "identity/passphrase.hpp"
#include "qsp/bytes.hpp"
#include "qsp/error.hpp"
#include "qsp/suites.hpp"

namespace qsp::identity {
namespace {

using files::OrText;

constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";

/// Of a key in PEM that cannot be read: a copy may have been cut off.
std::string damage_remedy(std::string_view why) {
  return why.contains("damaged PEM") ? "; copy it again from where qsp keygen made it" : "";
}

OrText<void> refuse_existing(const std::string& file) {
  if (::access(file.c_str(), F_OK) == 0) return std::unexpected(files::name_is_taken(file));
  return {};
}

}  // namespace

KeyFileKind kind_of(std::string_view text) noexcept {
  const std::size_t begin = text.find_first_not_of(kWhiteSpace);
  if (begin == std::string_view::npos) return KeyFileKind::Empty;
  if (crypto::stands_in(text, "[[peer")) return KeyFileKind::Peers;
  // "PRIVATE KEY" and "ENCRYPTED PRIVATE KEY" are PKCS#8; one private block is enough to make the file a secret.
  if (crypto::stands_in(text, "PRIVATE KEY-----")) return KeyFileKind::Private;
  if (crypto::stands_in(text, "-----BEGIN PUBLIC KEY-----")) return KeyFileKind::Public;
  return text.substr(begin).starts_with("-----") ? KeyFileKind::Damaged : KeyFileKind::Neither;
}

std::string not_expected(KeyFileKind found, std::string_view expected, std::string_view remedy) {
  const auto text = [&](std::string_view what) {
    return std::string(what).append(" where ").append(expected).append(" belongs; ").append(remedy);
  };
  switch (found) {
    case KeyFileKind::Private:
      return text("holds a private key") + ", and keep this one to yourself";
    case KeyFileKind::Public:
      return text("holds a public key");
    case KeyFileKind::Peers:
      return text("is a peers file");
    case KeyFileKind::Damaged:
      return text("holds the rest of a key in PEM, cut off or damaged,");
    case KeyFileKind::Empty:
      return text("is empty");
    case KeyFileKind::Neither:
      break;
  }
  return std::string("holds no ").append(expected.substr(expected.find(' ') + 1)).append("; ").append(remedy);
}

std::string public_file_of(const std::string& private_file) { return private_file + ".pub"; }

OrText<std::unique_ptr<crypto::Signer>> load_private_key(crypto::Provider& provider, const std::string& file,
                                                         const std::string& passphrase_file) {
  QSP_TRY(const files::Content content, files::read_file(file, kMaxKeyFileSize));
  return parse_private_key(provider, file, content, passphrase_file);
}

OrText<std::unique_ptr<crypto::Signer>> parse_private_key(crypto::Provider& provider, const std::string& file,
                                                          const files::Content& content,
                                                          const std::string& passphrase_file,
                                                          const PassphraseSource& source) {
  const KeyFileKind kind = kind_of(content.text.reveal_text());
  if (kind == KeyFileKind::Public) {
    return std::unexpected(file + ": " +
                           not_expected(kind, "a private key", "give the file that qsp keygen made beside it"));
  }
  if (kind != KeyFileKind::Private) {
    return std::unexpected(file + ": " +
                           not_expected(kind, "a private key in PEM", "make one with: qsp keygen --out FILE"));
  }
  if (!content.is_private) return std::unexpected(content.is_private.error());

  std::string problem;  // of getting the passphrase, which the provider cannot tell
  bool asked = false;
  const auto ask = [&]() -> std::optional<SecretBytes> {
    OrText<SecretBytes> answer = source                    ? source()
                                 : passphrase_file.empty() ? passphrase_from_terminal("passphrase of " + file + ": ")
                                                           : passphrase_from_file(passphrase_file);
    asked = true;
    if (answer) return std::move(*answer);
    problem = std::move(answer.error());
    return std::nullopt;
  };
  Result<std::unique_ptr<crypto::Signer>> signer = provider.load_signer(content.text.reveal_text(), ask);
  if (signer) return std::move(*signer);
  if (!problem.empty()) return std::unexpected(file + ": " + problem);
  std::string text = file + ": " + std::string(signer.error().where) + damage_remedy(signer.error().where);
  if (asked)
    text += passphrase_file.empty() ? "; check the passphrase" : "; check the passphrase in " + passphrase_file;
  return std::unexpected(std::move(text));
}

OrText<crypto::PublicKey> load_public_key(crypto::Provider& provider, const std::string& file) {
  QSP_TRY(const files::Content content, files::read_trusted_file(file, kMaxKeyFileSize));
  return parse_public_key(provider, file, content.text.reveal_text());
}

OrText<crypto::PublicKey> parse_public_key(crypto::Provider& provider, const std::string& where, std::string_view pem) {
  const KeyFileKind kind = kind_of(pem);
  if (kind != KeyFileKind::Public) {
    return std::unexpected(where + ": " +
                           not_expected(kind, "a public key in PEM", "give the .pub file that qsp keygen made"));
  }
  if (pem.size() > kMaxKeyFileSize) return std::unexpected(where + ": too long for a public key");
  Result<crypto::PublicKey> key = provider.load_public_key(pem);
  if (!key) return std::unexpected(where + ": " + std::string(key.error().where) + damage_remedy(key.error().where));
  return std::move(*key);
}

OrText<crypto::PublicKey> write_new_key_pair(crypto::Provider& provider, crypto::SignatureId algorithm,
                                             const std::string& file, const std::optional<SecretBytes>& passphrase) {
  const std::string public_file = public_file_of(file);
  for (const std::string& name : {file, public_file}) {
    QSP_TRY(refuse_existing(name));
  }

  const auto provider_failed = [&](const Error& error) {
    return std::unexpected("cannot make an " + std::string(crypto::info(algorithm).name) +
                           " key: " + std::string(error.where));
  };
  const Result<SecretBytes> pem = provider.generate_private_key(algorithm, passphrase);
  if (!pem) return provider_failed(pem.error());
  // Read back what will be written: a key that cannot be loaded again must not be found out later.
  const auto ask = [&]() -> std::optional<SecretBytes> {
    if (!passphrase) return std::nullopt;
    return passphrase->copy();
  };
  const Result<std::unique_ptr<crypto::Signer>> signer = provider.load_signer(pem->reveal_text(), ask);
  if (!signer) return provider_failed(signer.error());
  const Result<std::string> public_pem = provider.public_key_pem((*signer)->public_key());
  if (!public_pem) return provider_failed(public_pem.error());

  OrText<void> written = files::write_new_file(file, pem->reveal(), files::kOwnerOnly);
  if (!written) return std::unexpected(written.error());
  written = files::write_new_file(public_file, as_bytes(*public_pem), files::kReadableByAll);
  if (!written) {
    ::unlink(file.c_str());
    return std::unexpected(written.error());
  }
  return (*signer)->public_key();
}

}  // namespace qsp::identity
