#pragma once

#include <memory>
#include <vector>

#include "qsp/crypto.hpp"
#include "qsp/secret_bytes.hpp"

namespace qsp::crypto::awslc {

/// A key pair of one algorithm: ML-DSA or Ed25519.
struct KeyPair {
  PublicKey public_key;
  SecretBytes private_key;  ///< as AWS-LC signs with: ML-DSA's expanded key, or Ed25519's seed and public key
  SecretBytes seed;         ///< as a file holds it: ξ (FIPS 204 §5.1), or Ed25519's; empty where the file had none
};

/// Whether AWS-LC has the algorithm, or both parts of the composite.
bool has(SignatureId id) noexcept;
/// New key pairs: one, or Ed25519's and ML-DSA-65's for the composite. Error: lacks(id).
Result<std::vector<KeyPair>> generate_key_pairs(SignatureId id);
/// The key pair of a seed of 32 bytes. Error: Provider/INTERNAL_ERROR.
Result<KeyPair> key_pair_of_seed(SignatureId id, SecretBytes&& seed);

/// Error: ApiMisuse where the keys are not those of an algorithm.
Result<std::unique_ptr<Signer>> make_signer(std::vector<KeyPair> keys);
/// Errors: lacks(id); ApiMisuse for a public key of the wrong length.
Result<std::unique_ptr<Verifier>> make_verifier(const PublicKey& key);

}  // namespace qsp::crypto::awslc
