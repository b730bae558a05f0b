#pragma once

#include <openssl/bn.h>

#include "base/owned.hpp"
#include "crypto/hybrid_kem.hpp"
#include "qsp/crypto.hpp"

namespace qsp::crypto::awslc {

using SecretNumber = Owned<BIGNUM, BN_clear_free>;

/// RFC 9180 §7.1.3's DeriveKeyPair for P-256 or P-384: a private key in 1 … order - 1 from keying material. OpenSSL has
/// it built in; the same material makes the same key there. Null where memory ends or, with a probability below 2^-32
/// for each of 256 attempts, no candidate fits.
SecretNumber derive_private_key(Curve curve, Bytes ikm, const BIGNUM* order);

}  // namespace qsp::crypto::awslc
