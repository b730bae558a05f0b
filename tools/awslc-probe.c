// What tools/setup-awslc asks of an AWS-LC that it has built, by functions that src/crypto/awslc uses and that no
// public header of it promises: ML-DSA-65 signatures by a given key and hedge, and an ML-KEM-768 secret that both ends
// get.
#include <string.h>

#include "aws-lc/ml_dsa.h"
#include "aws-lc/ml_kem.h"

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

static int signs(void) {
  const uint8_t seed[MLDSA65_KEYGEN_SEED_BYTES] = {1};
  uint8_t public_key[MLDSA65_PUBLIC_KEY_BYTES];
  uint8_t private_key[MLDSA65_PRIVATE_KEY_BYTES];
  uint8_t first[MLDSA65_SIGNATURE_BYTES];
  uint8_t again[MLDSA65_SIGNATURE_BYTES];
  if (!ml_dsa_65_keypair_internal(public_key, private_key, seed)) return 0;
  if (!sign(private_key, 2, first) || !sign(private_key, 2, again)) return 0;
  if (memcmp(first, again, sizeof first) != 0) return 0;
  if (!sign(private_key, 3, again) || memcmp(first, again, sizeof first) == 0) return 0;
  if (!verifies(public_key, first) || !verifies(public_key, again)) return 0;
  first[0] ^= 1;
  return !verifies(public_key, first);
}

static int agrees(void) {
  const uint8_t seed[MLKEM768_KEYGEN_SEED_LEN] = {1};
  const uint8_t coins[MLKEM768_ENCAPS_SEED_LEN] = {2};
  uint8_t public_key[MLKEM768_PUBLIC_KEY_BYTES];
  uint8_t private_key[MLKEM768_SECRET_KEY_BYTES];
  uint8_t ciphertext[MLKEM768_CIPHERTEXT_BYTES];
  uint8_t ours[MLKEM768_SHARED_SECRET_LEN];
  uint8_t theirs[MLKEM768_SHARED_SECRET_LEN];
  size_t public_size = sizeof public_key;
  size_t private_size = sizeof private_key;
  size_t ciphertext_size = sizeof ciphertext;
  size_t ours_size = sizeof ours;
  size_t theirs_size = sizeof theirs;
  // These return 0 where they succeed; those of ML-DSA return 1.
  return ml_kem_768_keypair_deterministic(public_key, &public_size, private_key, &private_size, seed) == 0 &&
         ml_kem_768_check_pk(public_key, public_size) == 0 &&
         ml_kem_768_encapsulate_deterministic(ciphertext, &ciphertext_size, ours, &ours_size, public_key, coins) == 0 &&
         ml_kem_768_decapsulate(theirs, &theirs_size, ciphertext, private_key) == 0 &&
         memcmp(ours, theirs, sizeof ours) == 0;
}

int main(void) { return signs() && agrees() ? 0 : 1; }
