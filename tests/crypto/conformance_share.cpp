// What a peer may send in place of a good share: points in other forms, off their curve, out of range or of small
// order, and ML-KEM keys that are not reduced.
#include <algorithm>
#include <array>
#include <memory>

#include "crypto/conformance.hpp"

namespace qsp::crypto::test::conformance {
namespace {

/// A key pair, a good ciphertext for it, and the same with their parts exchanged.
class Victim {
 public:
  Victim(Trial& trial, const Layout& layout)
      : trial_(&trial), layout_(&layout), kem_(trial.need(trial.provider().kem(layout.id), "the KEM", name())) {
    Stream rng(20);
    key_ = trial.need(kem_->generate(rng), "generating", name());
    ciphertext_ = trial.need(kem_->encapsulate(key_->public_key(), rng), "encapsulating", name()).ciphertext;
  }

  [[nodiscard]] std::string_view name() const { return info(layout_->id).name; }
  [[nodiscard]] Bytes point() const { return key_->public_key().subspan(at(key_->public_key()), layout_->ecdh_share); }
  [[nodiscard]] Bytes ml_kem_key() const { return layout_->ml_kem_part(key_->public_key()); }

  /// Both ends with this point in place of the peer's.
  Result<Encapsulation> encapsulate_to(Bytes point) const {
    Stream rng(21);
    return kem_->encapsulate(with(key_->public_key(), point), rng);
  }
  Result<SharedSecret> decapsulate_from(Bytes point) const { return key_->decapsulate(with(ciphertext_, point)); }
  Result<Encapsulation> encapsulate_to_ml_kem(Bytes key) const {
    Buffer share = copy(key_->public_key());
    std::ranges::copy(key, share.begin() + static_cast<std::ptrdiff_t>(layout_->ml_kem_at()));
    Stream rng(21);
    return kem_->encapsulate(share, rng);
  }

  void expect_point_refused(Bytes point, std::string_view what) const {
    trial_->expect_refused(encapsulate_to(point), ErrorKind::InvalidMessage, Reason::HandshakeFailed,
                           std::string("a share with ").append(what), name());
    trial_->expect_refused(decapsulate_from(point), ErrorKind::InvalidMessage, Reason::HandshakeFailed,
                           std::string("a ciphertext with ").append(what), name());
  }

 private:
  [[nodiscard]] std::size_t at(Bytes whole) const { return layout_->ecdh_at(whole.size()); }
  [[nodiscard]] Buffer with(Bytes whole, Bytes point) const {
    Buffer altered = copy(whole);
    std::ranges::copy(point, altered.begin() + static_cast<std::ptrdiff_t>(at(whole)));
    return altered;
  }

  Trial* trial_;
  const Layout* layout_;
  const Kem* kem_;
  std::unique_ptr<KemPrivateKey> key_;
  Buffer ciphertext_;
};

/// SEC 1 §2.3.3: compressed 02 and 03, hybrid 06 and 07, infinity 00; a hybrid form of the right parity is as long as
/// 04 and names the same point.
void points_in_other_forms_are_refused(Trial& trial) {
  for (const Layout& layout : trial.kems()) {
    if (!layout.is_p_curve()) continue;
    const Victim victim(trial, layout);
    for (const int form : {0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x08, 0x40, 0x84, 0xff}) {
      Buffer point = copy(victim.point());
      point.front() = static_cast<std::uint8_t>(form);
      victim.expect_point_refused(point, "first byte " + std::to_string(form));
      std::fill(point.begin() + static_cast<std::ptrdiff_t>(1 + layout.ecdh_share / 2), point.end(), std::uint8_t{0});
      victim.expect_point_refused(point, "first byte " + std::to_string(form) + " and x alone");
    }
    victim.expect_point_refused(Buffer(layout.ecdh_share), "zeros, as the point at infinity is written");
    Buffer infinity(layout.ecdh_share);
    infinity.front() = 0x04;
    victim.expect_point_refused(infinity, "coordinates of zeros");
  }
}

void points_off_their_curve_are_refused(Trial& trial) {
  for (const Layout& layout : trial.kems()) {
    if (!layout.is_p_curve()) continue;
    const Victim victim(trial, layout);
    const Bytes good = victim.point();
    const std::size_t half = layout.ecdh_share / 2;
    for (std::size_t at = 1; at < good.size(); at += 7)
      victim.expect_point_refused(flipped(good, at), "a byte altered");
    victim.expect_point_refused(flipped(good, good.size() - 1), "the last byte altered");
    victim.expect_point_refused(joined({good.first(1), good.last(half), good.subspan(1, half)}), "x and y exchanged");
    victim.expect_point_refused(joined({good.first(1 + half), good.subspan(1, half)}), "x twice");
  }
}

/// Points of the curve with a coordinate so small that the prime can be added to it within the same bytes.
struct Small {
  KemId id;
  std::string_view x, y;                ///< on the curve
  std::string_view beyond_x, beyond_y;  ///< the same, one of them plus the prime
};
constexpr std::array<Small, 4> kSmall{{
    {KemId::SecP256r1MlKem768, "0000000000000000000000000000000000000000000000000000000000000000",
     "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4",
     "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
     "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4"},
    {KemId::SecP256r1MlKem768, "d7325d7646cd60d80a92738ceb345f844cffaf35841022cab176f692de8de1d7",
     "0000000000000000000000000000000000000000000000000000000000000005",
     "d7325d7646cd60d80a92738ceb345f844cffaf35841022cab176f692de8de1d7",
     "ffffffff00000001000000000000000000000001000000000000000000000004"},
    {KemId::SecP384r1MlKem1024,
     "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
     "c306610fb0ae5a159cf45c06069f22a6c5eb3641c602d42dea2c4b4f75550793406d80d2b91ad54f9048bd487af1ade1",
     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
     "c306610fb0ae5a159cf45c06069f22a6c5eb3641c602d42dea2c4b4f75550793406d80d2b91ad54f9048bd487af1ade1"},
    {KemId::SecP384r1MlKem1024,
     "2261b2bf605c22f2f3aef6338719b2c486388ad5240719a5257315969ef01ba27f0a104c89704773a81fdabee6ab5c78",
     "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
     "2261b2bf605c22f2f3aef6338719b2c486388ad5240719a5257315969ef01ba27f0a104c89704773a81fdabee6ab5c78",
     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff000000000000000100000000"},
}};

void coordinates_at_or_above_the_prime_are_refused(Trial& trial) {
  for (const Layout& layout : trial.kems()) {
    if (!layout.is_p_curve()) continue;
    const Victim victim(trial, layout);
    Buffer ones(layout.ecdh_share, 0xff);
    ones.front() = 0x04;
    victim.expect_point_refused(ones, "coordinates of ones");
    for (const Small& small : kSmall) {
      if (small.id != layout.id) continue;
      const Buffer form{0x04};
      const Buffer good = joined({form, unhex(small.x), unhex(small.y)});
      trial.need(victim.encapsulate_to(good), "a point with a small coordinate", victim.name());
      trial.need(victim.decapsulate_from(good), "a point with a small coordinate", victim.name());
      victim.expect_point_refused(joined({form, unhex(small.beyond_x), unhex(small.beyond_y)}),
                                  "a coordinate plus the prime");
    }
  }
}

/// All u-coordinates of small order, in all of their encodings (RFC 7748 §5 masks the highest bit): 0, 1, both of order
/// 8, p - 1, and p and p + 1, which are not reduced.
constexpr std::array<std::string_view, 7> kSmallOrder{{
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}};

void x25519_shares_of_small_order_are_refused(Trial& trial) {
  for (const Layout& layout : trial.kems()) {
    if (layout.id != KemId::X25519MlKem768) continue;
    const Victim victim(trial, layout);
    for (const std::string_view point : kSmallOrder) {
      victim.expect_point_refused(unhex(point), std::string("u = ").append(point));
      victim.expect_point_refused(flipped(unhex(point), 31, 0x80),
                                  std::string("the highest bit and u = ").append(point));
    }
  }
}

/// RFC 7748 §5: "Implementations MUST accept non-canonical values and process them as if they had been reduced modulo
/// the field prime", and mask the highest bit.
void x25519_shares_that_are_not_reduced_are_taken_as_if_they_were(Trial& trial) {
  for (const Layout& layout : trial.kems()) {
    if (layout.id != KemId::X25519MlKem768) continue;
    const Victim victim(trial, layout);
    const auto expect_same = [&](Bytes one, Bytes other, std::string_view what) {
      const Encapsulation made = trial.need(victim.encapsulate_to(one), what, victim.name());
      const Encapsulation same = trial.need(victim.encapsulate_to(other), what, victim.name());
      trial.expect_equal(made.secret.reveal(), same.secret.reveal(), what, victim.name());
      const SharedSecret opened = trial.need(victim.decapsulate_from(one), what, victim.name());
      const SharedSecret as_well = trial.need(victim.decapsulate_from(other), what, victim.name());
      trial.expect_equal(opened.reveal(), as_well.reveal(), what, victim.name());
    };
    for (std::uint8_t u = 2; u < 19; ++u) {  // p is 2^255 - 19, so these and no others have a second encoding
      Buffer canonical(32);
      canonical.front() = u;
      Buffer beyond(32, 0xff);
      beyond.front() = static_cast<std::uint8_t>(0xed + u);
      beyond.back() = 0x7f;
      expect_same(canonical, beyond, "u plus the prime");
    }
    expect_same(victim.point(), flipped(victim.point(), 31, 0x80), "the highest bit");
  }
}

/// One coefficient of an encoded vector (FIPS 203 §4.2.1: 12 bits each, little-endian).
void set_coefficient(MutableBytes key, std::size_t index, unsigned value) {
  const std::size_t at = index / 2 * 3;
  if (index % 2 == 0) {
    key[at] = static_cast<std::uint8_t>(value);
    key[at + 1] = static_cast<std::uint8_t>((key[at + 1] & 0xf0U) | (value >> 8U));
  } else {
    key[at + 1] = static_cast<std::uint8_t>((key[at + 1] & 0x0fU) | (value << 4U));
    key[at + 2] = static_cast<std::uint8_t>(value >> 4U);
  }
}

/// FIPS 203 §7.2, the modulus check.
void ml_kem_keys_that_are_not_reduced_are_refused(Trial& trial) {
  constexpr unsigned kQ = 3329;
  for (const Layout& layout : trial.kems()) {
    const Victim victim(trial, layout);
    const std::size_t count = (victim.ml_kem_key().size() - 32) / 3 * 2;
    for (const std::size_t index : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{255}, std::size_t{256},
                                    count / 2 + 1, count - 2, count - 1}) {
      Buffer key = copy(victim.ml_kem_key());
      set_coefficient(key, index, kQ - 1);
      trial.need(victim.encapsulate_to_ml_kem(key), "a coefficient of q - 1", victim.name());
      for (const unsigned value : {kQ, kQ + 1, 4095U}) {
        set_coefficient(key, index, value);
        trial.expect_refused(victim.encapsulate_to_ml_kem(key), ErrorKind::InvalidMessage, Reason::HandshakeFailed,
                             "coefficient " + std::to_string(index) + " is " + std::to_string(value), victim.name());
      }
    }
    trial.expect_refused(victim.encapsulate_to_ml_kem(Buffer(victim.ml_kem_key().size(), 0xff)),
                         ErrorKind::InvalidMessage, Reason::HandshakeFailed, "a key of ones", victim.name());
  }
}

}  // namespace

std::vector<Check> share_checks() {
  return {
      {"share_points_in_other_forms_are_refused", points_in_other_forms_are_refused},
      {"share_points_off_their_curve_are_refused", points_off_their_curve_are_refused},
      {"share_coordinates_at_or_above_the_prime_are_refused", coordinates_at_or_above_the_prime_are_refused},
      {"share_x25519_of_small_order_is_refused", x25519_shares_of_small_order_are_refused},
      {"share_x25519_that_is_not_reduced_is_taken_as_if_it_were",
       x25519_shares_that_are_not_reduced_are_taken_as_if_they_were},
      {"share_ml_kem_keys_that_are_not_reduced_are_refused", ml_kem_keys_that_are_not_reduced_are_refused},
  };
}

}  // namespace qsp::crypto::test::conformance
