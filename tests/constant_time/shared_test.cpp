// What every library's provider has in common, over toys in a library's place.

#include <optional>
#include <vector>

#include "constant_time/provider.hpp"
#include "constant_time/watch.hpp"
#include "crypto/hkdf_of.hpp"
#include "crypto/hybrid_kem.hpp"
#include "support/fake_mix.hpp"

namespace qsp::test {
namespace {

using namespace crypto;

/// The fake provider's sponge as a SHA-256: neither branches on data nor looks anything up.
class ToySha256 {
 public:
  bool update(Bytes bytes) noexcept {
    sponge_.absorb(bytes);
    return true;
  }
  bool finish(std::span<std::uint8_t, kHashSize> out) noexcept {
    sponge_.squeeze(out);
    sponge_ = Sponge("toy");
    return true;
  }
  void spoil() noexcept {}
  static std::unexpected<Error> failed() noexcept {
    return fail(ErrorKind::Provider, Reason::InternalError, "toy SHA-256");
  }

 private:
  Sponge sponge_{"toy"};
};

TEST_F(ConstantTime, of_hkdf_over_a_librarys_hash) {
  HkdfOf<ToySha256> hkdf{ToySha256()};
  for (const std::size_t size : {std::size_t{0}, std::size_t{32}, std::size_t{100}, std::size_t{300}}) {
    const std::vector<std::uint8_t> secret(size, 3);
    mark_secret(Bytes(secret));
    const auto prk = hkdf.extract(secret, {as_bytes("length"), secret});
    ASSERT_TRUE(prk);
    EXPECT_EQ(is_secret(prk->reveal()), size > 0);
    std::array<std::uint8_t, 80> out{};
    ASSERT_TRUE(hkdf.expand(prk->reveal(), {as_bytes("label"), secret}, out));
    EXPECT_EQ(is_secret(out), size > 0);
    const auto mac = hkdf.hmac(prk->reveal(), {secret, as_bytes("and more")});
    ASSERT_TRUE(mac);
    EXPECT_EQ(is_secret(*mac), size > 0);
  }
}

/// A KEM and an ECDH that fill what they are asked for: public what is sent, secret what is agreed on.
struct ToyPart {
  using PrivateKey = std::optional<std::uint8_t>;

  static Result<PrivateKey> generate(Rng& rng, MutableBytes share) {
    Secret<32, struct ToySeedTag> seed;
    QSP_TRY(rng.fill(seed.writable()));
    std::ranges::fill(share, std::uint8_t{1});
    return PrivateKey(seed.reveal()[0]);
  }
  static Result<void> encapsulate(Bytes, Rng&, MutableBytes ciphertext, MutableBytes secret) {
    std::ranges::fill(ciphertext, std::uint8_t{2});
    mark_secret(Bytes(secret));
    return {};
  }
  static Result<void> decapsulate(const PrivateKey&, Bytes, MutableBytes secret) {
    mark_secret(Bytes(secret));
    return {};
  }
  static Result<void> agree(const PrivateKey&, Bytes, MutableBytes secret) {
    mark_secret(Bytes(secret));
    return {};
  }
};

TEST_F(ConstantTime, of_hybrid_kems_over_a_librarys_parts) {
  const auto provider = make_secret_provider(6);
  for (const KemInfo& row : kKems) {
    const std::optional<ToyPart> ecdh = composition(row.id).curve ? std::optional(ToyPart()) : std::nullopt;
    const HybridKem<ToyPart, ToyPart> kem(row.id, ToyPart(), ecdh);
    const auto key = kem.generate(provider->rng());
    ASSERT_TRUE(key);
    const auto made = kem.encapsulate((*key)->public_key(), provider->rng());
    ASSERT_TRUE(made);
    const auto secret = (*key)->decapsulate(made->ciphertext);
    ASSERT_TRUE(secret);
    EXPECT_TRUE(is_secret(secret->reveal()) && is_secret(made->secret.reveal())) << row.name;
    EXPECT_FALSE(is_secret(made->ciphertext) || is_secret((*key)->public_key())) << row.name;
  }
}

}  // namespace
}  // namespace qsp::test
