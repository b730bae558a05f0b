#include "crypto/awslc/ecdh.hpp"

#include <openssl/curve25519.h>
#include <openssl/ec.h>
#include <openssl/ecdh.h>

#include <utility>

#include "base/try.hpp"
#include "crypto/awslc/dhkem.hpp"
#include "crypto/awslc/library.hpp"

namespace qsp::crypto::awslc {
namespace {

using Point = Owned<EC_POINT, EC_POINT_free>;
using Seed = Secret<48, struct CurveSeedTag>;

constexpr std::uint8_t kUncompressed = 0x04;  // SEC 1 §2.3.3

std::unexpected<Error> fail_share(std::string_view where) noexcept {
  return fail_clean(ErrorKind::InvalidMessage, Reason::HandshakeFailed, where);
}

}  // namespace

const EC_GROUP* Ecdh::group() const noexcept { return curve_ == Curve::P256 ? EC_group_p256() : EC_group_p384(); }

Result<Ecdh::PrivateKey> Ecdh::generate(Rng& rng, MutableBytes share) const {
  PrivateKey key;
  if (curve_ == Curve::X25519) {
    QSP_TRY(rng.fill(key.x25519.writable()));
    X25519_public_from_private(share.data(), key.x25519.reveal().data());
    return key;
  }
  Seed seed(info(curve_).seed_size);
  QSP_TRY(rng.fill(seed.writable()));
  const EC_GROUP* const curve = group();
  const SecretNumber number = derive_private_key(curve_, seed.reveal(), EC_GROUP_get0_order(curve));
  const Point point(EC_POINT_new(curve));
  key.ec.reset(EC_KEY_new());
  if (!number || !point || !key.ec || EC_POINT_mul(curve, point.get(), number.get(), nullptr, nullptr, nullptr) != 1 ||
      EC_POINT_point2oct(curve, point.get(), POINT_CONVERSION_UNCOMPRESSED, share.data(), share.size(), nullptr) !=
          share.size() ||
      EC_KEY_set_group(key.ec.get(), curve) != 1 || EC_KEY_set_private_key(key.ec.get(), number.get()) != 1) {
    return fail_provider("ECDH: no key pair");
  }
  return key;
}

Result<void> Ecdh::agree(const PrivateKey& own, Bytes peer_share, MutableBytes secret) const {
  if (peer_share.size() != info(curve_).share_size) return fail_share("ECDH: a share of the wrong length");
  if (curve_ != Curve::X25519) return agree_on_curve(own.ec.get(), peer_share, secret);
  if (X25519(secret.data(), own.x25519.reveal().data(), peer_share.data()) == 1) return {};
  wipe(secret);
  return fail_share("ECDH: a share that yields no secret");
}

Result<void> Ecdh::agree_on_curve(const EC_KEY* own, Bytes peer_share, MutableBytes secret) const {
  if (peer_share.front() != kUncompressed) return fail_share("ECDH: a share that is no uncompressed point");
  const Point peer(EC_POINT_new(group()));
  if (!peer) return fail_provider("ECDH: no agreement");
  if (EC_POINT_oct2point(group(), peer.get(), peer_share.data(), peer_share.size(), nullptr) != 1) {
    return fail_share("ECDH: a share off its curve");
  }
  if (std::cmp_equal(ECDH_compute_key(secret.data(), secret.size(), peer.get(), own, nullptr), secret.size()))
    return {};
  wipe(secret);
  return fail_share("ECDH: a share that yields no secret");
}

}  // namespace qsp::crypto::awslc
