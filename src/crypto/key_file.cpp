#include "crypto/key_file.hpp"

#include <utility>

#include "crypto/joined_signature.hpp"
#include "crypto/pem.hpp"
#include "crypto/spki.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto {
namespace {

constexpr std::size_t kMaxBlocks = 2;
constexpr std::size_t kMaxPassphraseSize = 1024;
// RFC 7468 §10, §11, §13.
constexpr std::string_view kPrivateLabel = "PRIVATE KEY";
constexpr std::string_view kEncryptedLabel = "ENCRYPTED PRIVATE KEY";
constexpr std::string_view kPublicLabel = "PUBLIC KEY";

struct DerBlock {
  std::string_view label;
  SecretBytes der;
};

struct Blocks {
  std::vector<DerBlock> all;
  bool text_of_private_key;  ///< stands beside them
};

/// All blocks of a key file, whose text outside them is skipped. No block is: each is part of the key, or refused.
Result<Blocks> read_blocks(std::string_view pem) {
  if (pem.size() > kMaxPemSize) return fail_key("more than 64 KiB of PEM");
  Blocks blocks{};
  PemReader reader(pem);
  for (;;) {
    const auto next = reader.next();
    if (!next) return fail_key(next.error());
    if (!*next) break;
    if (blocks.all.size() == kMaxBlocks) return fail_key("more PEM blocks than a key has");
    auto der = decode(**next);
    if (!der) return fail_key(der.error());
    blocks.all.push_back({(*next)->label, *std::move(der)});
  }
  if (blocks.all.empty()) return fail_key("no PEM block");
  blocks.text_of_private_key = reader.skipped_private_key();
  return blocks;
}

}  // namespace

Result<std::vector<PrivateKeyBlock>> read_private_key_blocks(std::string_view pem) {
  QSP_TRY(Blocks blocks, read_blocks(pem));
  std::vector<PrivateKeyBlock> keys;
  for (DerBlock& block : blocks.all) {
    if (block.label == kPublicLabel) return fail_key("a public key where a private key belongs");
    const bool encrypted = block.label == kEncryptedLabel;
    if (!encrypted && block.label != kPrivateLabel) return fail_key("a PEM block that is not a PKCS#8 private key");
    keys.push_back({encrypted, std::move(block.der)});
  }
  return keys;
}

Result<SecretBytes> ask_passphrase(const AskPassphrase& ask) {
  if (!ask) return fail_key("the private key is encrypted, and there is nobody to ask for its passphrase");
  std::optional<SecretBytes> given = ask();
  if (!given) return fail_key("the private key is encrypted, and no passphrase was given");
  if (given->size() > kMaxPassphraseSize) return fail_key("a passphrase of more than 1,024 bytes");
  return *std::move(given);
}

Result<void> check_new_passphrase(const std::optional<SecretBytes>& passphrase) {
  if (passphrase && (passphrase->empty() || passphrase->size() > kMaxPassphraseSize)) {
    return fail_key("a passphrase that is empty or longer than 1,024 bytes");
  }
  return {};
}

SecretBytes private_key_text(const std::vector<PrivateKeyBlock>& blocks) {
  SecretBytes text;
  for (const PrivateKeyBlock& block : blocks) {
    append_pem(text, block.encrypted ? kEncryptedLabel : kPrivateLabel, block.der.reveal());
  }
  return text;
}

Result<PublicKey> read_public_key(std::string_view pem) {
  QSP_TRY(const Blocks blocks, read_blocks(pem));
  if (blocks.text_of_private_key) return fail_key("a private key, printed as text, where a public key belongs");
  std::vector<PublicKey> keys;
  for (const DerBlock& block : blocks.all) {
    if (block.label == kPrivateLabel || block.label == kEncryptedLabel) {
      return fail_key("a private key where a public key belongs");
    }
    if (block.label != kPublicLabel) return fail_key("a PEM block that is not a public key");
    std::optional<PublicKey> key = public_key_from_spki(block.der.reveal());
    if (!key) return fail_key("a public key of a type that QSP does not verify with, or a damaged one");
    keys.push_back(*std::move(key));
  }
  std::optional<PublicKey> whole = join(keys);
  if (!whole) return fail_key("two public keys that are not Ed25519's and, behind it, ML-DSA-65's");
  return *std::move(whole);
}

Result<std::string> write_public_key(const PublicKey& key) {
  if (key.bytes.size() != info(key.algorithm).public_key_size) return fail_key("a public key of the wrong length");
  SecretBytes text;
  Bytes rest(key.bytes);
  for (const SignatureId part : parts_of(key.algorithm)) {
    const std::size_t size = info(part).public_key_size;
    append_pem(text, kPublicLabel, spki_der(part, rest.first(size)));
    rest = rest.subspan(size);
  }
  return std::string(text.reveal_text());
}

}  // namespace qsp::crypto
