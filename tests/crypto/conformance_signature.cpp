// Signatures: sizes, refusals, the hedge, the composite's two halves, and what Ed25519 must not take.
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <thread>

#include "crypto/conformance.hpp"

namespace qsp::crypto::test::conformance {
namespace {

constexpr std::size_t kEd25519Key = 32;
constexpr std::size_t kEd25519Signature = 64;
const Bytes kText = as_bytes("QSP/1.0 server auth: a transcript hash stands here");

std::size_t hedge_size(SignatureId id) {
  if (id == SignatureId::Ed25519) return 0;
  return id == SignatureId::SlhDsaSha2_128s ? 16 : 32;
}

/// A key in a file, with the signer that the provider and the reference make of it.
struct Pair {
  std::unique_ptr<Signer> signer;
  std::unique_ptr<Signer> right;
  std::unique_ptr<Verifier> verifier;
  Buffer signature;  ///< of kText, by the provider
};

Pair pair(Trial& trial, SignatureId id) {
  const std::string_view name = info(id).name;
  const SecretBytes pem = trial.need(trial.provider().generate_private_key(id, std::nullopt), "a new key", name);
  Pair made;
  made.signer = trial.need(trial.provider().load_signer(pem.reveal_text(), {}), "loading a key", name);
  made.right = trial.need(trial.reference().load_signer(pem.reveal_text(), {}), "loading by the reference", name);
  made.verifier = trial.need(trial.provider().verifier(made.signer->public_key()), "the verifier", name);
  Stream rng(30);
  made.signature = trial.need(made.signer->sign(kText, rng), "signing", name);
  return made;
}

void expect_refused(Trial& trial, const Verifier& verifier, Bytes message, Bytes signature, std::string_view what,
                    std::string_view name) {
  trial.expect_refused(verifier.verify(message, signature), ErrorKind::PeerMisbehaved, Reason::HandshakeFailed, what,
                       name);
}

void both_providers_verify_what_either_signed(Trial& trial) {
  for (const SignatureId id : trial.signatures()) {
    const SignatureInfo& row = info(id);
    const Pair own = pair(trial, id);
    trial.expect(own.signer->public_key().algorithm == id, "another algorithm", row.name);
    trial.expect(own.signer->public_key().bytes.size() == row.public_key_size, "size of the key", row.name);
    trial.expect(own.signer->public_key() == own.right->public_key(), "another public key of one file", row.name);
    const auto right = trial.need(trial.reference().verifier(own.right->public_key()), "a verifier", row.name);
    const bool slow = id == SignatureId::SlhDsaSha2_128s;
    for (const std::size_t size : Sizes{0, 1, 64, 1000, 100'000}) {
      if (slow && size > 0) continue;
      const Buffer text = filled(size);
      Stream rng(31);
      const Buffer one = trial.need(own.signer->sign(text, rng), "signing", row.name);
      const Buffer other = trial.need(own.right->sign(text, rng), "signing by the reference", row.name);
      trial.expect(one.size() == row.signature_size, "size of the signature", row.name);
      for (const Buffer& each : {one, other}) {
        trial.need(own.verifier->verify(text, each), "verifying", row.name);
        trial.need(right->verify(text, each), "verifying by the reference", row.name);
      }
    }
  }
}

void the_hedge_is_the_callers_in_the_stated_amount(Trial& trial) {
  for (const SignatureId id : trial.signatures()) {
    const std::string_view name = info(id).name;
    const Pair own = pair(trial, id);
    Stream same(30);
    const Buffer expected = trial.need(own.right->sign(kText, same), "signing by the reference", name);
    trial.expect_equal(own.signature, expected, "another signature from the same bytes", name);
    Stream counted(32);
    const Buffer other = trial.need(own.signer->sign(kText, counted), "signing", name);
    trial.expect(counted.drawn() == hedge_size(id), "bytes drawn by a signature", name);
    trial.expect((other == own.signature) == (hedge_size(id) == 0), "the hedge is not used", name);
  }
}

void a_generator_that_fails_fails_the_signature(Trial& trial) {
  for (const SignatureId id : trial.signatures()) {
    if (hedge_size(id) == 0) continue;
    const Pair own = pair(trial, id);
    for (const std::size_t size : {std::size_t{0}, hedge_size(id) - 1}) {
      Stream failing(33, size);
      trial.expect_refused(own.signer->sign(kText, failing), ErrorKind::Provider, Reason::InternalError,
                           "a signature from too few random bytes", info(id).name);
    }
  }
}

void what_was_altered_is_refused(Trial& trial) {
  for (const SignatureId id : trial.signatures()) {
    const std::string_view name = info(id).name;
    const Pair own = pair(trial, id);
    const std::size_t size = own.signature.size();
    // Every bit of a small one, and of the ends of the parts; elsewhere one bit of every 41st byte.
    const std::size_t stride = size > 100 ? 41 : 1;
    for (std::size_t at = 0; at < size; at += at + 90 < size && at >= kEd25519Signature ? stride : 1) {
      for (const unsigned mask : {0x01U, 0x10U, 0x80U}) {
        if (mask != 0x01 && size > 100 && at + 8 < size) continue;
        expect_refused(trial, *own.verifier, kText, flipped(own.signature, at, static_cast<std::uint8_t>(mask)),
                       "a bit of the signature", name);
      }
    }
    for (std::size_t at = 0; at < kText.size(); at += size > 4000 ? 17 : 1) {
      expect_refused(trial, *own.verifier, flipped(kText, at, 0x80), own.signature, "a bit of the message", name);
    }
    expect_refused(trial, *own.verifier, kText.first(kText.size() - 1), own.signature, "a shorter message", name);
    expect_refused(trial, *own.verifier, {}, own.signature, "no message", name);
    const Pair stranger = pair(trial, id);
    expect_refused(trial, *stranger.verifier, kText, own.signature, "under another key", name);
    trial.need(own.verifier->verify(kText, own.signature), "verifying the good one after the others", name);
  }
}

void signatures_of_other_lengths_are_refused(Trial& trial) {
  for (const SignatureId id : trial.signatures()) {
    const std::string_view name = info(id).name;
    const Pair own = pair(trial, id);
    const Bytes good(own.signature);
    expect_refused(trial, *own.verifier, kText, {}, "no signature", name);
    for (const std::size_t cut : Sizes{1, 2, 32, 63}) {
      expect_refused(trial, *own.verifier, kText, good.first(good.size() - cut), "a shorter signature", name);
    }
    expect_refused(trial, *own.verifier, kText, joined({good, Buffer(1)}), "a zero behind the signature", name);
    expect_refused(trial, *own.verifier, kText, joined({good, good}), "the signature twice", name);
    for (const SignatureInfo& row : kSignatures) {
      if (row.signature_size != good.size())
        expect_refused(trial, *own.verifier, kText, filled(row.signature_size), "another algorithm's length", name);
    }
  }
}

void public_keys_of_other_lengths_are_refused(Trial& trial) {
  for (const SignatureId id : trial.signatures()) {
    const SignatureInfo& row = info(id);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{31}, std::size_t{33},
                                   row.public_key_size - 1, row.public_key_size + 1, 2 * row.public_key_size}) {
      const PublicKey key{id, filled(size)};
      trial.expect_refused(trial.provider().verifier(key), ErrorKind::ApiMisuse, Reason::InternalError,
                           "a verifier of " + std::to_string(size) + " bytes", row.name);
      trial.expect_refused(trial.provider().public_key_pem(key), ErrorKind::ApiMisuse, Reason::InternalError,
                           "a file of " + std::to_string(size) + " bytes", row.name);
    }
  }
}

/// SPEC §3: Ed25519(64) ‖ ML-DSA-65(3309), and both must verify.
void the_composite_needs_both_halves_in_order(Trial& trial) {
  constexpr SignatureId kId = SignatureId::Ed25519MlDsa65;
  const std::string_view name = info(kId).name;
  if (std::ranges::count(trial.signatures(), kId) == 0) return;
  const Pair own = pair(trial, kId);
  const Pair other = pair(trial, kId);
  const auto halves = [](Bytes whole, std::size_t at) { return std::pair{whole.first(at), whole.subspan(at)}; };
  const auto [ed25519, ml_dsa] = halves(own.signature, kEd25519Signature);
  const auto [other_ed25519, other_ml_dsa] = halves(other.signature, kEd25519Signature);
  expect_refused(trial, *own.verifier, kText, joined({other_ed25519, ml_dsa}), "another Ed25519 signature", name);
  expect_refused(trial, *own.verifier, kText, joined({ed25519, other_ml_dsa}), "another ML-DSA signature", name);
  expect_refused(trial, *own.verifier, kText, joined({ml_dsa, ed25519}), "the halves exchanged", name);
  expect_refused(trial, *own.verifier, kText, ed25519, "half of it", name);
  expect_refused(trial, *own.verifier, kText, ml_dsa, "half of it", name);
  const auto [ed25519_key, ml_dsa_key] = halves(own.signer->public_key().bytes, kEd25519Key);
  const auto verifies = [&](SignatureId id, Bytes key, Bytes signature) {
    const auto verifier = trial.need(trial.reference().verifier({id, copy(key)}), "the verifier of a half", name);
    trial.need(verifier->verify(kText, signature), "half of it, by the reference", name);
  };
  verifies(SignatureId::Ed25519, ed25519_key, ed25519);
  verifies(SignatureId::MlDsa65, ml_dsa_key, ml_dsa);
}

/// L, the order of the base point (RFC 8032 §5.1), little-endian.
constexpr std::array<std::uint8_t, 32> kL{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                          0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                          0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

/// RFC 8032 §5.1.7: S is below L, else another signature would verify as well.
void ed25519_takes_no_second_form_of_s(Trial& trial) {
  constexpr SignatureId kId = SignatureId::Ed25519;
  if (std::ranges::count(trial.signatures(), kId) == 0) return;
  const Pair own = pair(trial, kId);
  Buffer altered = own.signature;
  for (int times = 1; times < 8; ++times) {
    unsigned carry = 0;
    for (std::size_t i = 0; i < kL.size(); ++i) {
      carry += altered[32 + i] + unsigned{kL.at(i)};
      altered[32 + i] = static_cast<std::uint8_t>(carry);
      carry >>= 8U;
    }
    expect_refused(trial, *own.verifier, kText, altered, "S + " + std::to_string(times) + " L", "Ed25519");
  }
  expect_refused(trial, *own.verifier, kText, joined({Bytes(own.signature).first(32), kL}), "S = L", "Ed25519");
}

/// Encodings of points of small order (the first ones, p and p + 1 among them), of points that are not reduced, and of
/// no point; then all of them with the highest bit.
constexpr std::size_t kSmallOrder = 7;
std::vector<Buffer> odd_points() {
  std::vector<Buffer> all;
  for (const std::string_view y : {"0000000000000000000000000000000000000000000000000000000000000000",
                                   "0100000000000000000000000000000000000000000000000000000000000000",
                                   "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                                   "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                                   "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    all.push_back(unhex(y));
  }
  for (std::uint8_t y = 0xed; y != 0; ++y) {  // p, …, 2^255 - 1
    Buffer beyond(32, 0xff);
    beyond.front() = y;
    beyond.back() = 0x7f;
    all.push_back(std::move(beyond));
  }
  for (std::uint8_t y = 2; y < 8; ++y) {
    Buffer low(32);
    low.front() = y;
    all.push_back(std::move(low));
  }
  for (std::size_t i = 0, count = all.size(); i < count; ++i) all.push_back(flipped(all[i], 31, 0x80));
  return all;
}

/// RFC 8032 §5.1.3: a key whose y is not below the prime, or that has a sign where x is zero, is no point.
void ed25519_keys_that_are_not_reduced_are_refused(Trial& trial) {
  constexpr SignatureId kId = SignatureId::Ed25519;
  if (std::ranges::count(trial.signatures(), kId) == 0) return;
  const auto refused = [&](const Buffer& key) {
    trial.expect_refused(trial.provider().verifier({kId, key}), ErrorKind::ApiMisuse, Reason::InternalError,
                         "A = " + to_hex(key), "Ed25519");
  };
  for (std::uint8_t y = 0xed; y != 0; ++y) {
    Buffer key(32, 0xff);
    key.front() = y;
    refused(key);
    key.back() = 0x7f;
    refused(key);
  }
  Buffer one(32);
  one.front() = 1;
  Buffer minus_one(32, 0xff);
  minus_one.front() = 0xec;
  minus_one.back() = 0x7f;
  for (const Buffer& key : {one, minus_one}) {
    trial.need(trial.provider().verifier({kId, key}), "a verifier of a point of small order", "Ed25519");
    refused(flipped(key, 31, 0x80));
  }
}

/// No standard settles the rest, so that all that counts is that two ends with two providers come to the same verdict.
void ed25519_judges_odd_points_as_the_reference_does(Trial& trial) {
  constexpr SignatureId kId = SignatureId::Ed25519;
  if (std::ranges::count(trial.signatures(), kId) == 0) return;
  const auto verdict = [](Provider& provider, const Buffer& key, Bytes message, Bytes signature) {
    const auto verifier = provider.verifier({kId, key});
    return verifier && (*verifier)->verify(message, signature);
  };
  const std::vector<Buffer> points = odd_points();
  std::vector<Buffer> small;  // with S = 0, R can be no other
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i % (points.size() / 2) < kSmallOrder) small.push_back(points[i]);
  }
  for (const Buffer& key : points) {
    for (const Buffer& point : small) {
      for (const std::string_view text : {"", "1", "12", "123"}) {
        const Buffer signature = joined({point, Buffer(32)});  // S = 0
        trial.expect(verdict(trial.provider(), key, as_bytes(text), signature) ==
                         verdict(trial.reference(), key, as_bytes(text), signature),
                     "A = " + to_hex(key) + ", R = " + to_hex(point), "Ed25519");
      }
    }
  }
}

void a_signer_may_be_used_by_any_thread(Trial& trial) {
  for (const SignatureId id : trial.signatures()) {
    const std::string_view name = info(id).name;
    const Pair own = pair(trial, id);
    const int rounds = id == SignatureId::SlhDsaSha2_128s ? 1 : 20;
    std::array<std::vector<Result<Buffer>>, 2> signatures;
    const auto sign = [&](std::vector<Result<Buffer>>& into) {
      Stream rng(34);
      for (int i = 0; i < rounds; ++i) into.push_back(own.signer->sign(kText, rng));
    };
    std::thread other(sign, std::ref(signatures[0]));
    sign(signatures[1]);
    other.join();
    for (std::vector<Result<Buffer>>& each : signatures) {
      for (Result<Buffer>& signature : each) {
        trial.need(own.verifier->verify(kText, trial.need(std::move(signature), "signing on a thread", name)),
                   "verifying what a thread signed", name);
      }
    }
  }
}

}  // namespace

std::vector<Check> signature_checks() {
  return {
      {"signature_both_providers_verify_what_either_signed", both_providers_verify_what_either_signed},
      {"signature_the_hedge_is_the_callers_in_the_stated_amount", the_hedge_is_the_callers_in_the_stated_amount},
      {"signature_a_generator_that_fails_fails_the_signature", a_generator_that_fails_fails_the_signature},
      {"signature_what_was_altered_is_refused", what_was_altered_is_refused},
      {"signature_of_another_length_is_refused", signatures_of_other_lengths_are_refused},
      {"signature_public_keys_of_other_lengths_are_refused", public_keys_of_other_lengths_are_refused},
      {"signature_the_composite_needs_both_halves_in_order", the_composite_needs_both_halves_in_order},
      {"signature_ed25519_takes_no_second_form_of_s", ed25519_takes_no_second_form_of_s},
      {"signature_ed25519_keys_that_are_not_reduced_are_refused", ed25519_keys_that_are_not_reduced_are_refused},
      {"signature_ed25519_judges_odd_points_as_the_reference_does", ed25519_judges_odd_points_as_the_reference_does},
      {"signature_a_signer_may_be_used_by_any_thread", a_signer_may_be_used_by_any_thread},
  };
}

}  // namespace qsp::crypto::test::conformance
