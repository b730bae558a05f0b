#include "crypto/awslc/signature.hpp"

// AWS-LC gives the caller's hedge to ML-DSA only below its public interface.
#include <aws-lc/ml_dsa.h>
#include <openssl/curve25519.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/try.hpp"
#include "crypto/awslc/library.hpp"
#include "crypto/joined_signature.hpp"
#include "crypto/key_file.hpp"
#include "qsp/suites.hpp"

namespace qsp::crypto::awslc {
namespace {

constexpr std::size_t kSeedSize = 32;  // of a key pair, whatever the algorithm here

using Hedge = Secret<32, struct HedgeTag>;  // rnd, FIPS 204 §3.4

/// AWS-LC's functions of one parameter set of ML-DSA.
struct MlDsa {
  SignatureId id;
  std::size_t private_key_size;
  decltype(&ml_dsa_65_keypair_internal) generate;
  decltype(&ml_dsa_65_sign_internal) sign;
  decltype(&ml_dsa_65_verify) verify;
};

constexpr std::array<MlDsa, 3> kMlDsa{{
    {SignatureId::MlDsa44, MLDSA44_PRIVATE_KEY_BYTES, ml_dsa_44_keypair_internal, ml_dsa_44_sign_internal,
     ml_dsa_44_verify},
    {SignatureId::MlDsa65, MLDSA65_PRIVATE_KEY_BYTES, ml_dsa_65_keypair_internal, ml_dsa_65_sign_internal,
     ml_dsa_65_verify},
    {SignatureId::MlDsa87, MLDSA87_PRIVATE_KEY_BYTES, ml_dsa_87_keypair_internal, ml_dsa_87_sign_internal,
     ml_dsa_87_verify},
}};

/// Null for Ed25519.
const MlDsa* ml_dsa(SignatureId id) noexcept {
  const auto* const found = std::ranges::find(kMlDsa, id, &MlDsa::id);
  return found == kMlDsa.end() ? nullptr : found;
}

class PrivatePart {
 public:
  PrivatePart(SignatureId id, SecretBytes key) noexcept : id_(id), key_(std::move(key)) {}

  [[nodiscard]] std::size_t signature_size() const noexcept { return info(id_).signature_size; }

  Result<void> sign(Bytes message, Rng& rng, MutableBytes out) const {
    const MlDsa* const functions = ml_dsa(id_);
    if (functions == nullptr) {
      if (ED25519_sign(out.data(), message.data(), message.size(), key_.reveal().data()) == 1) return {};
      return fail_provider("signature: signing failed");
    }
    Hedge hedge;
    QSP_TRY(rng.fill(hedge.writable()));
    // FIPS 204 §5.2, algorithm 2: the message's prefix says "pure" and that the context is empty.
    static constexpr std::array<std::uint8_t, 2> kPure{0, 0};
    std::size_t size = out.size();
    if (functions->sign(key_.reveal().data(), out.data(), &size, message.data(), message.size(), kPure.data(),
                        kPure.size(), hedge.reveal().data()) != 1 ||
        size != out.size()) {
      return fail_provider("signature: signing failed");
    }
    return {};
  }

 private:
  SignatureId id_;
  SecretBytes key_;
};

class PublicPart {
 public:
  explicit PublicPart(PublicKey key) noexcept : key_(std::move(key)) {}

  [[nodiscard]] std::size_t signature_size() const noexcept { return info(key_.algorithm).signature_size; }

  [[nodiscard]] Result<void> verify(Bytes message, Bytes signature) const {
    const MlDsa* const functions = ml_dsa(key_.algorithm);
    const bool good = functions == nullptr
                          ? ED25519_verify(message.data(), message.size(), signature.data(), key_.bytes.data()) == 1
                          : functions->verify(key_.bytes.data(), signature.data(), signature.size(), message.data(),
                                              message.size(), nullptr, 0) == 1;
    if (good) return {};
    ERR_clear_error();
    return fail_signature();
  }

 private:
  PublicKey key_;
};

}  // namespace

bool has(SignatureId id) noexcept {
  return ml_dsa(id) != nullptr || id == SignatureId::Ed25519 || id == SignatureId::Ed25519MlDsa65;
}

Result<KeyPair> key_pair_of_seed(SignatureId id, SecretBytes&& seed) {
  if (seed.size() != kSeedSize) return fail_provider("a key pair cannot be made of its seed");
  KeyPair pair{{id, std::vector<std::uint8_t>(info(id).public_key_size)}, SecretBytes(), std::move(seed)};
  if (const MlDsa* const functions = ml_dsa(id); functions != nullptr) {
    pair.private_key.resize(functions->private_key_size);
    if (functions->generate(pair.public_key.bytes.data(), pair.private_key.writable().data(),
                            pair.seed.reveal().data()) != 1) {
      return fail_provider("a key pair cannot be generated");
    }
    return pair;
  }
  pair.private_key.resize(ED25519_PRIVATE_KEY_LEN);
  ED25519_keypair_from_seed(pair.public_key.bytes.data(), pair.private_key.writable().data(),
                            pair.seed.reveal().data());
  return pair;
}

Result<std::vector<KeyPair>> generate_key_pairs(SignatureId id) {
  if (!has(id)) return lacks(id);
  std::vector<KeyPair> pairs;
  for (const SignatureId part : parts_of(id)) {
    SecretBytes seed(kSeedSize);
    if (RAND_bytes(seed.writable().data(), seed.size()) != 1) return fail_provider("the random generator failed");
    QSP_TRY(KeyPair pair, key_pair_of_seed(part, std::move(seed)));
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

Result<std::unique_ptr<Signer>> make_signer(std::vector<KeyPair> keys) {
  std::vector<PublicKey> public_keys;
  std::vector<PrivatePart> parts;
  for (KeyPair& pair : keys) {
    parts.emplace_back(pair.public_key.algorithm, std::move(pair.private_key));
    public_keys.push_back(std::move(pair.public_key));
  }
  std::optional<PublicKey> whole = join(public_keys);
  if (!whole) return fail_key("two private keys that are not Ed25519's and, behind it, ML-DSA-65's");
  return std::make_unique<JoinedSigner<PrivatePart>>(*std::move(whole), std::move(parts));
}

Result<std::unique_ptr<Verifier>> make_verifier(const PublicKey& key) {
  if (!has(key.algorithm)) return lacks(key.algorithm);
  if (key.bytes.size() != info(key.algorithm).public_key_size) return fail_key("a public key of the wrong length");
  std::vector<PublicPart> parts;
  Bytes rest(key.bytes);
  for (const SignatureId id : parts_of(key.algorithm)) {
    const Bytes part = rest.first(info(id).public_key_size);
    if (id == SignatureId::Ed25519 && !is_canonical_ed25519(part)) {
      return fail_key("an Ed25519 public key that is not reduced");
    }
    parts.emplace_back(PublicKey{id, {part.begin(), part.end()}});
    rest = rest.subspan(part.size());
  }
  return std::make_unique<JoinedVerifier<PublicPart>>(key.algorithm, std::move(parts));
}

}  // namespace qsp::crypto::awslc
