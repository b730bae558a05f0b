// What tools/setup-awslc asks of an AWS-LC that it has built: ML-DSA-65 signatures by a given key and hedge, which
// verify.
#include <string.h>

#include "aws-lc/ml_dsa.h"

static const uint8_t kMessage[] = "probe";
static const uint8_t kPrefix[] = {0, 1, 'c'};  // FIPS 204, algorithm 2: 0, the context's length, the context

static int sign(const uint8_t* key, uint8_t hedge, uint8_t* signature) {
  const uint8_t bytes[MLDSA65_SIGNATURE_SEED_BYTES] = {hedge};
  size_t size = MLDSA65_SIGNATURE_BYTES;
  return ml_dsa_65_sign_internal(key, signature, &size, kMessage, sizeof kMessage, kPrefix, sizeof kPrefix, bytes) &&
         size == MLDSA65_SIGNATURE_BYTES;
}

static int verifies(const uint8_t* key, const uint8_t* signature) {
  return ml_dsa_65_verify(key, signature, MLDSA65_SIGNATURE_BYTES, kMessage, sizeof kMessage, kPrefix + 2, 1);
}

int main(void) {
  const uint8_t seed[MLDSA65_KEYGEN_SEED_BYTES] = {1};
  uint8_t public_key[MLDSA65_PUBLIC_KEY_BYTES];
  uint8_t private_key[MLDSA65_PRIVATE_KEY_BYTES];
  uint8_t first[MLDSA65_SIGNATURE_BYTES];
  uint8_t again[MLDSA65_SIGNATURE_BYTES];
  if (!ml_dsa_65_keypair_internal(public_key, private_key, seed)) return 1;
  if (!sign(private_key, 2, first) || !sign(private_key, 2, again)) return 2;
  if (memcmp(first, again, sizeof first) != 0) return 3;
  if (!sign(private_key, 3, again) || memcmp(first, again, sizeof first) == 0) return 4;
  if (!verifies(public_key, first) || !verifies(public_key, again)) return 5;
  first[0] ^= 1;
  return verifies(public_key, first) ? 6 : 0;
}
