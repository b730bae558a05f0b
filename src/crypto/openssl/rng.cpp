#include "crypto/openssl/rng.hpp"

#include <openssl/rand.h>

#include "crypto/openssl/library.hpp"

namespace qsp::crypto::openssl {

Result<void> OpenSslRng::fill(MutableBytes out) {
  // The strength that SPEC §3's 256-bit keys ask of the generator, in bits.
  constexpr unsigned int kStrength = 256;
  if (out.empty()) return {};
  if (RAND_priv_bytes_ex(Library::context(), out.data(), out.size(), kStrength) == 1) return {};
  wipe(out);
  return fail_provider("the random generator failed");
}

}  // namespace qsp::crypto::openssl
