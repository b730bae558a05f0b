#pragma once

#include <functional>
#include <memory>

#include "crypto/other_rng.hpp"
#include "crypto/support.hpp"

/// A provider that is broken on purpose.
namespace qsp::crypto::test {

/// What takes the place of an operation, with the sound one beside it. What is empty stays as it is.
struct Faults {
  using Tag = std::span<std::uint8_t, kTagSize>;
  using ConstTag = std::span<const std::uint8_t, kTagSize>;

  std::function<Result<std::unique_ptr<KemPrivateKey>>(const Kem&, Rng&)> generate;
  std::function<Buffer(KemId, Bytes)> share;
  std::function<Result<Encapsulation>(const Kem&, Bytes, Rng&)> encapsulate;
  std::function<Result<SharedSecret>(KemPrivateKey&, KemId, Bytes)> decapsulate;
  std::function<KemId(KemId)> kem_id;

  std::function<Result<void>(Aead&, TrafficKey&&)> set_key;
  std::function<Result<void>(Aead&, const Nonce&, Bytes, MutableBytes, Tag)> seal;
  std::function<Result<void>(Aead&, const Nonce&, Bytes, MutableBytes, ConstTag)> open;

  std::function<Result<Digest>(Hkdf&, Parts)> hash;
  std::function<Result<Digest>(Hkdf&, Bytes, Parts)> hmac;
  std::function<Result<ScheduleSecret>(Hkdf&, Bytes, Parts)> extract;
  std::function<Result<void>(Hkdf&, Bytes, Parts, MutableBytes)> expand;

  std::function<Result<std::vector<std::uint8_t>>(const Signer&, Bytes, Rng&)> sign;
  /// With the provider, for a verifier of something else, and the key that was asked for.
  std::function<Result<void>(Provider&, const PublicKey&, const Verifier&, Bytes, Bytes)> verify;
  std::function<Result<std::unique_ptr<Verifier>>(Provider&, const PublicKey&)> verifier;

  std::function<Result<std::unique_ptr<Signer>>(Provider&, std::string_view, const AskPassphrase&)> load_signer;
  std::function<Result<PublicKey>(Provider&, std::string_view)> load_public_key;
  std::function<Result<SecretBytes>(Provider&, SignatureId, const std::optional<SecretBytes>&)> generate_private_key;
  std::function<Result<std::string>(Provider&, const PublicKey&)> public_key_pem;

  std::function<Result<void>(Rng&, MutableBytes)> fill;
  std::function<void(Capabilities&)> capabilities;
  std::function<Result<const Kem*>(Provider&, KemId)> kem;
  std::function<Result<void>(Keystream&, const Nonce&, MutableBytes)> read;
};

/// `inner` but for the faults. Both outlive it and its objects.
std::unique_ptr<Provider> make_faulty_provider(Provider& inner, const Faults& faults);

}  // namespace qsp::crypto::test
