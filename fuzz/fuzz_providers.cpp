// Two providers come to the same verdict and the same output, whatever a peer or a file brings. The first byte says
// what is asked of them, the second which algorithm; the rest edits good input. Encrypted key files are left to the
// tests, since an input could ask for hours of PBKDF2.
//
// Where the program is built on OpenSSL alone, the second provider is another of OpenSSL's that has just done the same
// once: what it keeps between calls must not show either.

#include <algorithm>
#include <array>
#include <optional>

#include "check.hpp"
#include "provider_input.hpp"
#include "qsp/openssl.hpp"
#include "qsp/suites.hpp"
#ifdef QSP_AWSLC
#include "qsp/awslc.hpp"
#endif

namespace {

using namespace qsp;
using namespace qsp::crypto;
using fuzz::Buffer;
using fuzz::check;
using fuzz::edited;
using fuzz::Input;
using fuzz::Stream;

/// What came of a call: an error's kind and reason, or bytes.
struct Outcome {
  std::optional<std::pair<ErrorKind, Reason>> error;
  Buffer bytes;
  bool operator==(const Outcome&) const = default;
};

Outcome failed(const Error& error) { return {std::pair{error.kind, error.reason}, {}}; }
Outcome of(Bytes one, Bytes two = {}) {
  Buffer bytes(one.begin(), one.end());
  bytes.insert(bytes.end(), two.begin(), two.end());
  return {std::nullopt, std::move(bytes)};
}

std::unique_ptr<Provider> made(Result<std::unique_ptr<Provider>> provider) {
  check(provider.has_value(), "no provider");
  return *std::move(provider);
}

Provider& first() {
  static const auto provider = made(make_openssl_provider());
  return *provider;
}

Provider& second() {
#ifdef QSP_AWSLC
  static const auto provider = made(make_awslc_provider());
#else
  static const auto provider = made(make_openssl_provider());
#endif
  return *provider;
}

template <class Work>
void compare(const Work& work, const char* what) {
  const Outcome one = work(first());
#ifndef QSP_AWSLC
  static_cast<void>(work(second()));
#endif
  const Outcome other = work(second());
  check(one.error == other.error, what);
  check(one.bytes == other.bytes, what);
}

template <class Table>
auto pick(const Table& table, Input& input) {
  return table[input.byte() % table.size()];
}

constexpr std::array kKemIds{KemId::X25519MlKem768, KemId::SecP256r1MlKem768, KemId::SecP384r1MlKem1024,
                             KemId::MlKem768,       KemId::MlKem1024,         KemId::MlKem512};
constexpr std::array kSigners{SignatureId::Ed25519, SignatureId::MlDsa44, SignatureId::MlDsa65, SignatureId::MlDsa87};
constexpr std::array kAeadIds{AeadId::Aes256Gcm, AeadId::ChaCha20Poly1305};

const Kem& kem_of(Provider& provider, KemId id) {
  const auto kem = provider.kem(id);
  check(kem.has_value(), "no KEM");
  return **kem;
}

std::unique_ptr<KemPrivateKey> kem_key(Provider& provider, KemId id) {
  Stream rng(1);
  auto key = kem_of(provider, id).generate(rng);
  check(key.has_value(), "no key of a KEM");
  return *std::move(key);
}

Outcome encapsulated(Provider& provider, KemId id, Bytes share, std::uint64_t seed) {
  Stream rng(seed);
  const auto sent = kem_of(provider, id).encapsulate(share, rng);
  return sent ? of(sent->ciphertext, sent->secret.reveal()) : failed(sent.error());
}

void encapsulate(Input& input) {
  const KemId id = pick(kKemIds, input);
  const auto key = kem_key(first(), id);
  const Buffer share = edited({key->public_key().begin(), key->public_key().end()}, input);
  compare([&](Provider& provider) { return encapsulated(provider, id, share, 2); }, "encapsulation differs");
}

void decapsulate(Input& input) {
  const KemId id = pick(kKemIds, input);
  Buffer ciphertext = encapsulated(first(), id, kem_key(first(), id)->public_key(), 2).bytes;
  ciphertext.resize(info(id).ciphertext_size);
  ciphertext = edited(std::move(ciphertext), input);
  compare(
      [&](Provider& provider) {
        const auto secret = kem_key(provider, id)->decapsulate(ciphertext);
        return secret ? of(secret->reveal()) : failed(secret.error());
      },
      "decapsulation differs");
}

std::unique_ptr<Signer> signer_of(Provider& provider, SignatureId id) {
  auto signer = provider.load_signer(fuzz::pem("PRIVATE KEY", fuzz::private_key_der(id)), {});
  check(signer.has_value(), "no signer");
  return *std::move(signer);
}

Outcome signed_text(const Signer& signer, Bytes message) {
  Stream rng(3);
  const auto signature = signer.sign(message, rng);
  return signature ? of(*signature, signer.public_key().bytes) : failed(signature.error());
}

void compare_verdicts(const PublicKey& key, Bytes message, Bytes signature) {
  compare(
      [&](Provider& provider) {
        const auto verifier = provider.verifier(key);
        if (!verifier) return failed(verifier.error());
        const auto verdict = (*verifier)->verify(message, signature);
        return verdict ? of({}) : failed(verdict.error());
      },
      "verification differs");
}

void verify(SignatureId id, Input& input) {
  const Buffer message = edited(Buffer(40, 0x11), input);
  Buffer key;
  Buffer signature;
  for (const SignatureId part :
       id == SignatureId::Ed25519MlDsa65 ? std::vector{SignatureId::Ed25519, SignatureId::MlDsa65} : std::vector{id}) {
    const auto signer = signer_of(first(), part);
    const Outcome all = signed_text(*signer, message);
    const std::size_t size = info(part).signature_size;
    signature.insert(signature.end(), all.bytes.begin(), all.bytes.begin() + static_cast<std::ptrdiff_t>(size));
    key.insert(key.end(), all.bytes.begin() + static_cast<std::ptrdiff_t>(size), all.bytes.end());
  }
  key = edited(std::move(key), input);
  signature = edited(std::move(signature), input);
  compare_verdicts({id, key}, edited(message, input), signature);
}

void open_frame(Input& input) {
  const AeadId id = pick(kAeadIds, input);
  const auto keyed = [&](Provider& provider) {
    auto aead = provider.aead(id);
    check(aead && (*aead)->set_key(TrafficKey(32)), "no AEAD");
    return *std::move(aead);
  };
  constexpr std::array<std::size_t, 8> kSizes{0, 1, 16, 100, 1000, 16'384, 65'536, 69'000};
  Buffer frame(pick(kSizes, input), 0x22);
  const Buffer aad = edited(Buffer(25, 0x33), input);
  std::array<std::uint8_t, kTagSize> tag{};
  check(keyed(first())->seal({}, aad, frame, tag).has_value(), "not sealed");
  frame.insert(frame.end(), tag.begin(), tag.end());
  frame = edited(std::move(frame), input);
  if (frame.size() < kTagSize) return;
  const Buffer other_aad = edited(aad, input);
  compare(
      [&](Provider& provider) {
        Buffer data(frame.begin(), frame.end() - static_cast<std::ptrdiff_t>(kTagSize));
        const auto opened = keyed(provider)->open({}, other_aad, data, std::span(frame).last<kTagSize>());
        Outcome outcome = opened ? of(data) : failed(opened.error());
        if (!opened) outcome.bytes = data;
        return outcome;
      },
      "opening differs");
}

void load(Input& input) {
  const SignatureId id = pick(kSigners, input);
  std::string text = fuzz::pem("PRIVATE KEY", edited(fuzz::private_key_der(id), input));
  if (input.byte() % 2 == 1)
    text += fuzz::pem("PRIVATE KEY", edited(fuzz::private_key_der(pick(kSigners, input)), input));
  const Buffer edits = edited({text.begin(), text.end()}, input);
  const std::string_view file(reinterpret_cast<const char*>(edits.data()), edits.size());
  compare(
      [&](Provider& provider) {
        const auto signer = provider.load_signer(file, [] { return std::nullopt; });
        if (!signer) return failed(signer.error());
        return signed_text(**signer, as_bytes("text"));
      },
      "private keys differ");
}

void load_public(Input& input) {
  const SignatureId id = pick(kSigners, input);
  const auto written = first().public_key_pem(signer_of(first(), id)->public_key());
  check(written.has_value(), "no public key");
  Buffer text = edited({written->begin(), written->end()}, input);
  if (input.byte() % 2 == 1) text.insert(text.end(), written->begin(), written->end());
  const std::string_view file(reinterpret_cast<const char*>(text.data()), text.size());
  compare(
      [&](Provider& provider) {
        const auto key = provider.load_public_key(file);
        return key ? of(key->bytes) : failed(key.error());
      },
      "public keys differ");
}

void expand(Input& input) {
  const Buffer key = edited(Buffer(32, 0x44), input);
  const Buffer one = edited(Buffer(50, 0x55), input);
  const Buffer two = edited(Buffer(10, 0x66), input);
  const std::size_t size = input.number();
  compare(
      [&](Provider& provider) {
        Buffer out(size, 0xee);
        const auto expanded = provider.hkdf().expand(key, {one, two}, out);
        const auto digest = provider.hkdf().hash({one, key, two});
        const auto prk = provider.hkdf().extract(one, {key, two});
        const auto mac = provider.hkdf().hmac(Bytes(key).first(std::min<std::size_t>(key.size(), 64)), {two, one});
        check(digest && prk && mac, "no hash");
        Outcome outcome = expanded ? of(out) : failed(expanded.error());
        for (const Bytes each : {Bytes(*digest), prk->reveal(), Bytes(*mac)}) {
          outcome.bytes.insert(outcome.bytes.end(), each.begin(), each.end());
        }
        return outcome;
      },
      "HKDF differs");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(Bytes(data, size));
  switch (input.byte() % 8) {
    case 0:
      encapsulate(input);
      break;
    case 1:
      decapsulate(input);
      break;
    case 2:
      verify(SignatureId::Ed25519, input);
      break;
    case 3: {
      constexpr std::array kIds{SignatureId::MlDsa44, SignatureId::MlDsa65, SignatureId::MlDsa87,
                                SignatureId::Ed25519MlDsa65};
      verify(pick(kIds, input), input);
      break;
    }
    case 4:
      open_frame(input);
      break;
    case 5:
      load(input);
      break;
    case 6:
      load_public(input);
      break;
    case 7:
      expand(input);
      break;
  }
  return 0;
}
