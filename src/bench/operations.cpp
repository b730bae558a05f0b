#include "bench/operations.hpp"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <utility>

#include "base/try.hpp"
#include "qsp/suites.hpp"
#include "text/units.hpp"
#include "wire/cursor.hpp"

namespace qsp::bench {
namespace {

using crypto::Provider;

/// A contender out of what does the operation once.
template <class Once>
Contender repeat(Once once) {
  return [once = std::move(once)](std::uint64_t times) -> Outcome<void> {
    for (std::uint64_t i = 0; i < times; ++i) {
      QSP_TRY(outcome(once()));
    }
    return {};
  };
}

/// A value that copies of a contender share.
template <class T>
std::shared_ptr<T> shared(std::unique_ptr<T> value) {
  return std::shared_ptr<T>(std::move(value));
}

Result<void> dropped(const auto& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

void add_kem(std::vector<Operation>& all, const crypto::KemInfo& row) {
  const auto id = row.id;
  const auto add = [&](std::string_view what, auto prepare) {
    all.push_back({.name = fmt::format("{} {}", row.name, what), .algorithm = id, .prepare = std::move(prepare)});
  };
  add("generate", [id](Provider& provider) -> Outcome<Contender> {
    QSP_TRY(const crypto::Kem* const kem, outcome(provider.kem(id)));
    return repeat([kem, &provider] { return dropped(kem->generate(provider.rng())); });
  });
  add("encapsulate", [id](Provider& provider) -> Outcome<Contender> {
    QSP_TRY(const crypto::Kem* const kem, outcome(provider.kem(id)));
    QSP_TRY(auto key, outcome(kem->generate(provider.rng())));
    return repeat([kem, &provider, key = shared(std::move(key))] {
      return dropped(kem->encapsulate(key->public_key(), provider.rng()));
    });
  });
  add("decapsulate", [id](Provider& provider) -> Outcome<Contender> {
    QSP_TRY(const crypto::Kem* const kem, outcome(provider.kem(id)));
    QSP_TRY(auto key, outcome(kem->generate(provider.rng())));
    QSP_TRY(const auto made, outcome(kem->encapsulate(key->public_key(), provider.rng())));
    return repeat(
        [key = shared(std::move(key)), ciphertext = made.ciphertext] { return dropped(key->decapsulate(ciphertext)); });
  });
}

Outcome<std::shared_ptr<crypto::Signer>> new_signer(Provider& provider, crypto::SignatureId id) {
  QSP_TRY(const auto pem, outcome(provider.generate_private_key(id, std::nullopt)));
  QSP_TRY(auto signer, outcome(provider.load_signer(pem.reveal_text(), {})));
  return shared(std::move(signer));
}

/// What a handshake signs: context ‖ 0x00 ‖ transcript hash.
constexpr std::array<std::uint8_t, 52> kSigned{};

void add_signature(std::vector<Operation>& all, const crypto::SignatureInfo& row) {
  const auto id = row.id;
  all.push_back({.name = fmt::format("{} sign", row.name),
                 .algorithm = id,
                 .prepare = [id](Provider& provider) -> Outcome<Contender> {
                   QSP_TRY(auto signer, new_signer(provider, id));
                   return repeat([signer, &provider] { return dropped(signer->sign(kSigned, provider.rng())); });
                 }});
  all.push_back({.name = fmt::format("{} verify", row.name),
                 .algorithm = id,
                 .prepare = [id](Provider& provider) -> Outcome<Contender> {
                   QSP_TRY(const auto signer, new_signer(provider, id));
                   QSP_TRY(const auto signature, outcome(signer->sign(kSigned, provider.rng())));
                   QSP_TRY(auto verifier, outcome(provider.verifier(signer->public_key())));
                   return repeat([verifier = shared(std::move(verifier)), signature] {
                     return verifier->verify(kSigned, signature);
                   });
                 }});
}

/// An AEAD under a key, with a message of one size.
struct Sealing {
  std::shared_ptr<crypto::Aead> aead;
  std::vector<std::uint8_t> data;
  std::uint64_t count = 0;

  Result<void> once() {
    constexpr std::array<std::uint8_t, 25> kAad{};  // SPEC §2: "app" ‖ header
    crypto::Nonce nonce{};
    wire::Writer(nonce).u64(++count);
    std::array<std::uint8_t, crypto::kTagSize> tag;
    QSP_TRY(aead->seal(nonce, kAad, data, tag));
    return aead->open(nonce, kAad, data, tag);
  }
};

void add_aead(std::vector<Operation>& all, const crypto::AeadInfo& row) {
  const auto id = row.id;
  all.push_back({.name = fmt::format("{} set key", row.name),
                 .algorithm = id,
                 .prepare = [id](Provider& provider) -> Outcome<Contender> {
                   QSP_TRY(auto aead, outcome(provider.aead(id)));
                   return repeat([aead = shared(std::move(aead))] { return aead->set_key(TrafficKey()); });
                 }});
  for (const std::size_t size : kMessageSizes) {
    all.push_back({.name = fmt::format("{} seal, open {} bytes", row.name, text::grouped(size)),
                   .algorithm = id,
                   .size = size,
                   .prepare = [id, size](Provider& provider) -> Outcome<Contender> {
                     QSP_TRY(auto aead, outcome(provider.aead(id)));
                     QSP_TRY(outcome(aead->set_key(TrafficKey())));
                     auto sealing = std::make_shared<Sealing>(shared(std::move(aead)), std::vector<std::uint8_t>(size));
                     return repeat([sealing] { return sealing->once(); });
                   }});
  }
}

void add_hkdf(std::vector<Operation>& all) {
  const auto add = [&all](std::string name, auto once) {
    all.push_back({.name = std::move(name),
                   .algorithm = crypto::Primitive::Hkdf,
                   .prepare = [once](Provider& provider) -> Outcome<Contender> {
                     return repeat([once, hkdf = &provider.hkdf()] { return once(*hkdf); });
                   }});
  };
  static constexpr std::array<std::uint8_t, 1350> kText{};
  static constexpr std::array<std::uint8_t, 32> kKey{};
  for (const std::size_t size : {std::size_t{64}, kText.size()}) {
    add(fmt::format("SHA-256 {} bytes", text::grouped(size)),
        [size](crypto::Hkdf& hkdf) { return dropped(hkdf.hash({Bytes(kText).first(size)})); });
  }
  add("HKDF extract", [](crypto::Hkdf& hkdf) { return dropped(hkdf.extract(kKey, {Bytes(kText).first(64)})); });
  add("HKDF expand to 32 bytes", [](crypto::Hkdf& hkdf) {
    std::array<std::uint8_t, 32> out{};
    return hkdf.expand(kKey, {Bytes(kText).first(48)}, out);
  });
}

void add_random(std::vector<Operation>& all) {
  for (const std::size_t size : {std::size_t{32}, std::size_t{16'384}}) {
    all.push_back({.name = fmt::format("random {} bytes", text::grouped(size)),
                   .algorithm = crypto::Primitive::Random,
                   .prepare = [size](Provider& provider) -> Outcome<Contender> {
                     const auto data = std::make_shared<std::vector<std::uint8_t>>(size);
                     return repeat([data, rng = &provider.rng()] { return rng->fill(*data); });
                   }});
  }
  all.push_back({.name = "keystream 64 KiB",
                 .algorithm = crypto::Primitive::Keystream,
                 .prepare = [](Provider& provider) -> Outcome<Contender> {
                   QSP_TRY(auto stream, outcome(provider.keystream(TrafficKey())));
                   const auto data = std::make_shared<std::vector<std::uint8_t>>(std::size_t{64} << 10);
                   return repeat([data, stream = shared(std::move(stream))] { return stream->read({}, *data); });
                 }});
}

}  // namespace

std::vector<Operation> operations() {
  std::vector<Operation> all;
  for (const auto& row : crypto::kKems) add_kem(all, row);
  for (const auto& row : crypto::kSignatures) add_signature(all, row);
  for (const auto& row : crypto::kAeads) add_aead(all, row);
  add_hkdf(all);
  add_random(all);
  return all;
}

}  // namespace qsp::bench
