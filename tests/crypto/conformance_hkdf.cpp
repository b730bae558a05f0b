// SHA-256, HMAC and HKDF: the reference's values for all sorts of lengths, and the limits of RFC 5869.
#include "crypto/conformance.hpp"

namespace qsp::crypto::test::conformance {
namespace {

constexpr std::size_t kMost = std::size_t{255} * kHashSize;  // RFC 5869 §2.3

Buffer expanded(Trial& trial, Hkdf& hkdf, Bytes prk, Parts info, std::size_t size) {
  Buffer out(size, 0xee);
  trial.need(hkdf.expand(prk, info, out), "expanding");
  return out;
}

void values_are_the_references(Trial& trial) {
  Hkdf& hkdf = trial.provider().hkdf();
  Hkdf& right = trial.reference().hkdf();
  for (const std::size_t size :
       Sizes{0, 1, 31, 32, 55, 56, 63, 64, 65, 127, 128, 129, 192, 255, 256, 257, 1000, 70'000}) {
    const Buffer text = filled(size);
    trial.expect(trial.need(hkdf.hash({text}), "hashing") == trial.need(right.hash({text}), "hashing"), "another hash");
    for (const std::size_t key_size : Sizes{0, 1, 31, 32, 63, 64}) {
      const Buffer key = filled(key_size, 2);
      trial.expect(trial.need(hkdf.hmac(key, {text}), "HMAC") == trial.need(right.hmac(key, {text}), "HMAC"),
                   "another HMAC");
      const ScheduleSecret prk = trial.need(hkdf.extract(key, {text}), "extracting");
      trial.expect(prk.size() == kHashSize, "a pseudorandom key of another size");
      trial.expect_equal(prk.reveal(), trial.need(right.extract(key, {text}), "extracting").reveal(),
                         "another pseudorandom key");
    }
  }
  for (const std::size_t size : Sizes{1, 12, 31, 32, 33, 64, 65, 1000, kMost - 1, kMost}) {
    for (const std::size_t prk_size : Sizes{32, 48, 64, 65, 200}) {
      const Buffer prk = filled(prk_size, 3);
      const Buffer info = filled(size % 300, 4);
      trial.expect_equal(expanded(trial, hkdf, prk, {info}, size), expanded(trial, right, prk, {info}, size),
                         "another expansion to " + std::to_string(size) + " bytes");
    }
  }
}

void parts_are_hashed_as_if_joined(Trial& trial) {
  Hkdf& hkdf = trial.provider().hkdf();
  const Buffer key = filled(32, 2);
  for (const std::size_t size : Sizes{0, 1, 63, 64, 65, 192, 256, 257, 700}) {
    const Buffer text = filled(size);
    const Bytes all(text);
    const Digest digest = trial.need(hkdf.hash({all}), "hashing");
    const Digest mac = trial.need(hkdf.hmac(key, {all}), "HMAC");
    const ScheduleSecret prk = trial.need(hkdf.extract(key, {all}), "extracting");
    const Buffer out = expanded(trial, hkdf, key, {all}, 70);
    for (std::size_t cut = 0; cut <= size; cut += cut < 66 ? 1 : 31) {
      const Bytes head = all.first(cut);
      const Bytes tail = all.subspan(cut);
      trial.expect(trial.need(hkdf.hash({head, {}, tail}), "hashing parts") == digest, "another hash in parts");
      trial.expect(trial.need(hkdf.hmac(key, {head, tail, {}}), "HMAC of parts") == mac, "another HMAC in parts");
      trial.expect_equal(trial.need(hkdf.extract(key, {{}, head, tail}), "extracting parts").reveal(), prk.reveal(),
                         "another pseudorandom key in parts");
      trial.expect_equal(expanded(trial, hkdf, key, {head, tail}, 70), out, "another expansion in parts");
    }
  }
}

/// RFC 5869 §2.2.
void an_empty_salt_is_32_zero_bytes(Trial& trial) {
  Hkdf& hkdf = trial.provider().hkdf();
  const Buffer ikm = filled(50);
  const ScheduleSecret empty = trial.need(hkdf.extract({}, {ikm}), "extracting without a salt");
  const ScheduleSecret zeros = trial.need(hkdf.extract(Buffer(kHashSize), {ikm}), "extracting with zeros");
  trial.expect_equal(empty.reveal(), zeros.reveal(), "an empty salt is not zeros");
}

void limits_are_kept_and_a_refusal_leaves_zeros(Trial& trial) {
  Hkdf& hkdf = trial.provider().hkdf();
  const Buffer prk = filled(32);
  const auto expect_refused = [&](Bytes key, std::size_t size, std::string_view what) {
    Buffer out(size, 0xee);
    trial.expect_refused(hkdf.expand(key, {as_bytes("info")}, out), ErrorKind::ApiMisuse, Reason::InternalError, what);
    trial.expect(out == Buffer(size), std::string("no zeros: ").append(what));
  };
  for (const std::size_t size : Sizes{0, 1, 16, 31}) expect_refused(Bytes(prk).first(size), 40, "a short key");
  expect_refused(prk, kMost + 1, "256 blocks");
  expect_refused(prk, kMost + kHashSize, "256 whole blocks");
  expect_refused(prk, 70'000, "thousands of blocks");
  trial.need(hkdf.expand(prk, {}, {}), "expanding to nothing");
  expanded(trial, hkdf, prk, {}, kMost);
}

}  // namespace

std::vector<Check> hkdf_checks() {
  return {
      {"hkdf_values_are_the_references", values_are_the_references},
      {"hkdf_parts_are_hashed_as_if_joined", parts_are_hashed_as_if_joined},
      {"hkdf_an_empty_salt_is_32_zero_bytes", an_empty_salt_is_32_zero_bytes},
      {"hkdf_limits_are_kept_and_a_refusal_leaves_zeros", limits_are_kept_and_a_refusal_leaves_zeros},
  };
}

}  // namespace qsp::crypto::test::conformance
