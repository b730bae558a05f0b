#include "crypto/openssl/ecdh.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>

#include "base/try.hpp"
#include "crypto/openssl/pkey.hpp"

namespace qsp::crypto::openssl {
namespace {

struct SeedTag;
using Seed = Secret<48, SeedTag>;

constexpr std::uint8_t kUncompressed = 0x04;  // SEC 1 §2.3.3

std::unexpected<Error> fail_share(std::string_view where) noexcept {
  return fail_clean(ErrorKind::InvalidMessage, Reason::HandshakeFailed, where);
}

bool all_zero(Bytes secret) noexcept {
  constexpr std::array<std::uint8_t, Seed::kCapacity> kZeros{};
  return constant_time_equal(secret, Bytes(kZeros).first(secret.size()));
}

}  // namespace

const Ecdh::Row& Ecdh::row(Curve curve) noexcept {
  static constexpr std::array<Row, 3> kRows{{
      {Curve::X25519, "X25519", "X25519", nullptr},
      {Curve::P256, "EC", "ECDH", "P-256"},
      {Curve::P384, "EC", "ECDH", "P-384"},
  }};
  const auto* const found = std::ranges::find(kRows, curve, &Row::curve);
  return found == kRows.end() ? kRows.front() : *found;
}

Fetched<Ecdh> Ecdh::make(const Library& library, Curve curve) {
  const Row& found = row(curve);
  const KeyManagement keys(EVP_KEYMGMT_fetch(Library::context(), found.key_type, library.query()));
  const KeyExchangeMethod exchange(EVP_KEYEXCH_fetch(Library::context(), found.exchange, library.query()));
  if (!keys || !exchange) return std::unexpected<std::string_view>(found.exchange);
  return Ecdh(library, found);
}

Result<Pkey> Ecdh::generate(Rng& rng, MutableBytes share) const {
  Seed seed(info(curve_->curve).seed_size);
  QSP_TRY(rng.fill(seed.writable()));
  Result<Pkey> key;
  if (curve_->group == nullptr) {
    key = Pkey(EVP_PKEY_new_raw_private_key_ex(Library::context(), curve_->key_type, library_->query(),
                                               seed.reveal().data(), seed.size()));
  } else {
    const std::array params{
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(curve_->group), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_DHKEM_IKM, seed.writable().data(), seed.size()),
        OSSL_PARAM_construct_end()};
    key = generate_key(*library_, curve_->key_type, params.data());
    if (!key) return key;
  }
  if (!*key || !encoded_public_key(key->get(), share)) return fail_provider("ECDH: no key pair");
  return key;
}

Result<void> Ecdh::agree(const Pkey& own, Bytes peer_share, MutableBytes secret) const {
  if (peer_share.size() != info(curve_->curve).share_size) return fail_share("ECDH: a share of the wrong length");
  // The import checks that a point is on its curve, but would also take SEC 1's hybrid form, which is as long.
  if (curve_->group != nullptr && peer_share.front() != kUncompressed) {
    return fail_share("ECDH: a share that is no uncompressed point");
  }
  const Pkey peer = import_public_key(*library_, curve_->key_type, curve_->group, peer_share);
  if (!peer) return fail_share("ECDH: a share off its curve");
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(Library::context(), own.get(), library_->query()));
  if (!context || EVP_PKEY_derive_init(context.get()) != 1) return fail_provider("ECDH: no agreement");
  // No second validation: these curves have cofactor 1 or need none (X25519), so a point on the curve is a valid one.
  std::size_t size = secret.size();
  if (EVP_PKEY_derive_set_peer_ex(context.get(), peer.get(), 0) != 1 ||
      EVP_PKEY_derive(context.get(), secret.data(), &size) != 1 || size != secret.size() || all_zero(secret)) {
    wipe(secret);
    return fail_share("ECDH: a share that yields no secret");
  }
  return {};
}

}  // namespace qsp::crypto::openssl
