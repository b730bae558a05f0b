// The provider itself: what it says that it has, its randomness and its keystream.
#include <algorithm>
#include <array>
#include <set>

#include "crypto/conformance.hpp"

namespace qsp::crypto::test::conformance {
namespace {

template <class T, class Id>
void expect_lacks(Trial& trial, const Result<T>& result, Id id) {
  const std::string_view name = info(id).name;
  trial.expect_refused(result, ErrorKind::Provider, Reason::InternalError, "what it lacks", name);
  trial.expect(result.has_value() || result.error().where == lacks(id).error().where, "what it lacks is not named",
               name);
}

void it_has_what_it_says_and_nothing_else(Trial& trial) {
  Provider& provider = trial.provider();
  const Capabilities has = provider.capabilities();
  trial.expect(!provider.description().empty(), "no description");
  trial.expect(!has.kems.empty() && !has.signatures.empty() && !has.aeads.empty(), "nothing at all");
  Capabilities in_order;
  for (const KemInfo& row : kKems) {
    if (!has.has(row.id)) {
      expect_lacks(trial, provider.kem(row.id), row.id);
      continue;
    }
    in_order.kems.push_back(row.id);
    const Kem* const kem = trial.need(provider.kem(row.id), "a KEM that it says it has", row.name);
    trial.expect(kem->id() == row.id, "another KEM", row.name);
    trial.expect(trial.need(provider.kem(row.id), "the KEM again", row.name) == kem, "a KEM anew", row.name);
  }
  for (const SignatureInfo& row : kSignatures) {
    const PublicKey key{row.id, Buffer(row.public_key_size)};
    if (!has.has(row.id)) {
      expect_lacks(trial, provider.verifier(key), row.id);
      expect_lacks(trial, provider.generate_private_key(row.id, std::nullopt), row.id);
      continue;
    }
    in_order.signatures.push_back(row.id);
    const auto pem =
        trial.need(provider.generate_private_key(row.id, std::nullopt), "a key that it can make", row.name);
    trial.need(provider.load_signer(pem.reveal_text(), {}), "a key that it made", row.name);
  }
  for (const AeadInfo& row : kAeads) {
    if (!has.has(row.id)) {
      expect_lacks(trial, provider.aead(row.id), row.id);
      continue;
    }
    in_order.aeads.push_back(row.id);
    const auto one = trial.need(provider.aead(row.id), "an AEAD that it says it has", row.name);
    trial.expect(one != trial.need(provider.aead(row.id), "the AEAD again", row.name), "one AEAD twice", row.name);
  }
  trial.expect(has.kems == in_order.kems && has.signatures == in_order.signatures && has.aeads == in_order.aeads,
               "not in the order of the suite table");
}

void its_random_bytes_fill_everything_and_differ(Trial& trial) {
  Rng& rng = trial.provider().rng();
  std::set<Buffer> seen;
  for (int i = 0; i < 100; ++i) {
    Buffer bytes(32);
    trial.need(rng.fill(bytes), "random bytes");
    trial.expect(seen.insert(bytes).second, "random bytes twice");
  }
  for (const std::size_t size : Sizes{0, 1, 33, 255, 256, 257, 4096, 65'536, 100'000, 1'000'003}) {
    Buffer bytes(size);
    trial.need(rng.fill(bytes), "random bytes of a size");
    // 32 zeros in a row have probability 2^-256.
    for (std::size_t end = size; end >= 32; end -= std::min<std::size_t>(end, 32)) {
      const Bytes part = Bytes(bytes).subspan(end - 32, 32);
      trial.expect(std::ranges::any_of(part, [](std::uint8_t byte) { return byte != 0; }),
                   "bytes that were not filled");
    }
  }
}

void its_keystream_is_what_aes_256_gcm_makes_of_zeros(Trial& trial) {
  constexpr std::size_t kMost = std::size_t{1} << 20U;
  Provider& provider = trial.provider();
  if (!provider.capabilities().keystream) {
    trial.expect_refused(provider.keystream(TrafficKey(32)), ErrorKind::Provider, Reason::InternalError,
                         "a keystream that it lacks");
    return;
  }
  const auto stream = trial.need(provider.keystream(TrafficKey::copy_of(filled(32))), "the keystream");
  const auto gcm = trial.need(trial.reference().aead(AeadId::Aes256Gcm), "AES-256-GCM");
  trial.need(gcm->set_key(TrafficKey::copy_of(filled(32))), "a key");
  for (const std::size_t size : Sizes{0, 1, 16, 1000, 65'537, kMost}) {
    for (const std::uint8_t first : {std::uint8_t{1}, std::uint8_t{2}}) {
      const Nonce nonce{first};
      Buffer out(size, 0xee);
      Buffer zeros(size);
      std::array<std::uint8_t, kTagSize> tag{};
      trial.need(stream->read(nonce, out), "reading the keystream");
      trial.need(gcm->seal(nonce, {}, zeros, tag), "sealing zeros");
      trial.expect_equal(out, zeros, "another keystream of " + std::to_string(size) + " bytes");
    }
  }
}

}  // namespace

std::vector<Check> provider_checks() {
  return {
      {"provider_has_what_it_says_and_nothing_else", it_has_what_it_says_and_nothing_else},
      {"provider_random_bytes_fill_everything_and_differ", its_random_bytes_fill_everything_and_differ},
      {"provider_keystream_is_what_aes_256_gcm_makes_of_zeros", its_keystream_is_what_aes_256_gcm_makes_of_zeros},
  };
}

}  // namespace qsp::crypto::test::conformance
