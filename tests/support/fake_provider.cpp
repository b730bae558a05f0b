#include "support/fake_provider.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "base/big_endian.hpp"
#include "base/hex.hpp"
#include "crypto/seeded_rng.hpp"
#include "qsp/suites.hpp"
#include "support/fake_mix.hpp"

namespace qsp::test {
namespace {

using namespace crypto;

template <class Enum>
std::array<std::uint8_t, 2> code(Enum value) noexcept {
  return big_endian<2>(std::to_underlying(value));
}

class FakeHkdf final : public Hkdf {
 public:
  Result<Digest> hash(Parts parts) override { return digest("hash", {}, parts); }
  Result<Digest> hmac(Bytes key, Parts parts) override {
    if (key.size() > 64) return fail(ErrorKind::ApiMisuse, Reason::InternalError, "fake hmac: key");
    return digest("hmac", key, parts);
  }
  Result<ScheduleSecret> extract(Bytes salt, Parts ikm) override {
    constexpr std::array<std::uint8_t, kHashSize> kZeros{};
    return ScheduleSecret::copy_of(digest("extract", salt.empty() ? Bytes(kZeros) : salt, ikm));
  }
  Result<void> expand(Bytes prk, Parts info, MutableBytes out) override {
    if (prk.size() < kHashSize || out.size() > 255 * kHashSize) {
      wipe(out);
      return fail(ErrorKind::ApiMisuse, Reason::InternalError, "fake expand: size");
    }
    Sponge sponge("expand");
    sponge.absorb(prk).boundary();
    for (const Bytes part : info) sponge.absorb(part);
    sponge.squeeze(out);
    return {};
  }

 private:
  static Digest digest(std::string_view domain, Bytes key, Parts parts) noexcept {
    Sponge sponge(domain);
    sponge.absorb(key).boundary();
    for (const Bytes part : parts) sponge.absorb(part);
    Digest out;
    sponge.squeeze(out);
    return out;
  }
};

class FakeAead final : public Aead {
 public:
  explicit FakeAead(AeadId id) noexcept : id_(id) {}

  Result<void> set_key(TrafficKey&& key) override {
    key_ = TrafficKey::copy_of(key.reveal());
    key.wipe();
    has_key_ = key_.size() == info(id_).key_size;
    if (!has_key_) return fail(ErrorKind::Provider, Reason::InternalError, "fake aead: key size");
    return {};
  }

  Result<void> seal(const Nonce& nonce, Bytes aad, MutableBytes data, std::span<std::uint8_t, kTagSize> tag) override {
    if (!has_key_) {
      wipe(data);
      return fail(ErrorKind::Provider, Reason::InternalError, "fake aead: no key");
    }
    keyed("stream", nonce).crypt(data);
    write_tag(nonce, aad, data, tag);
    return {};
  }

  Result<void> open(const Nonce& nonce, Bytes aad, MutableBytes data,
                    std::span<const std::uint8_t, kTagSize> tag) override {
    if (!has_key_) {
      wipe(data);
      return fail(ErrorKind::Provider, Reason::InternalError, "fake aead: no key");
    }
    std::array<std::uint8_t, kTagSize> expected;
    write_tag(nonce, aad, data, expected);
    if (!constant_time_equal(expected, tag)) {
      wipe(data);
      return fail(ErrorKind::DecryptFailed, Reason::AeadDecryptFailed, "fake aead: tag");
    }
    keyed("stream", nonce).crypt(data);
    return {};
  }

 private:
  Sponge keyed(std::string_view domain, const Nonce& nonce) const noexcept {
    Sponge sponge(domain);
    sponge.absorb(code(id_)).absorb(key_.reveal()).absorb(nonce).boundary();
    return sponge;
  }
  void write_tag(const Nonce& nonce, Bytes aad, Bytes data, MutableBytes tag) const noexcept {
    keyed("tag", nonce).absorb(aad).boundary().absorb(data).squeeze(tag);
  }

  AeadId id_;
  TrafficKey key_;
  bool has_key_ = false;
};

// A share is 32 bytes that name the key pair, and filler out of them. A ciphertext is a 32-byte message under a
// keystream that whoever has the share can compute, and filler; the secret depends on share, message and the whole
// ciphertext.
constexpr std::size_t kSeedSize = 32;

SharedSecret fake_secret(const KemInfo& kem, Bytes public_key, Bytes message, Bytes ciphertext) noexcept {
  SharedSecret secret(kem.secret_size);
  Sponge("kem secret")
      .absorb(code(kem.id))
      .absorb(public_key)
      .boundary()
      .absorb(message)
      .boundary()
      .absorb(ciphertext)
      .squeeze(secret.writable());
  return secret;
}

class FakeKemPrivateKey final : public KemPrivateKey {
 public:
  FakeKemPrivateKey(const KemInfo& kem, Bytes seed) : kem_(kem), public_key_(kem.public_key_size) {
    Sponge("kem share").absorb(code(kem.id)).absorb(seed).squeeze(public_key_);
    public_key_[0] &= 0x7f;  // never a share that encapsulate refuses
  }
  [[nodiscard]] Bytes public_key() const noexcept override { return public_key_; }
  Result<SharedSecret> decapsulate(Bytes ciphertext) override {
    if (ciphertext.size() != kem_.ciphertext_size) {
      return fail(ErrorKind::InvalidMessage, Reason::HandshakeFailed, "fake kem: ciphertext size");
    }
    std::array<std::uint8_t, kSeedSize> message;
    std::ranges::copy(ciphertext.first<kSeedSize>(), message.begin());
    Sponge("kem message").absorb(public_key_).crypt(message);
    return fake_secret(kem_, public_key_, message, ciphertext);
  }

 private:
  const KemInfo& kem_;
  std::vector<std::uint8_t> public_key_;
};

class FakeKem final : public Kem {
 public:
  explicit FakeKem(const KemInfo& kem) noexcept : kem_(kem) {}
  [[nodiscard]] KemId id() const noexcept override { return kem_.id; }

  Result<std::unique_ptr<KemPrivateKey>> generate(Rng& rng) const override {
    std::array<std::uint8_t, kSeedSize> seed;
    if (auto filled = rng.fill(seed); !filled) return std::unexpected(filled.error());
    return std::make_unique<FakeKemPrivateKey>(kem_, seed);
  }

  /// Refuses a share that starts with FF FF, as FIPS 203 §7.2's check refuses a coefficient that is too big.
  Result<Encapsulation> encapsulate(Bytes public_key, Rng& rng) const override {
    if (public_key.size() != kem_.public_key_size) {
      return fail(ErrorKind::InvalidMessage, Reason::HandshakeFailed, "fake kem: share size");
    }
    if (public_key[0] == 0xff && public_key[1] == 0xff) {
      return fail(ErrorKind::InvalidMessage, Reason::HandshakeFailed, "fake kem: share content");
    }
    std::array<std::uint8_t, kSeedSize> message;
    if (auto filled = rng.fill(message); !filled) return std::unexpected(filled.error());
    Encapsulation result{std::vector<std::uint8_t>(kem_.ciphertext_size), SharedSecret(0)};
    const MutableBytes ciphertext(result.ciphertext);
    Sponge("kem filler").absorb(public_key).boundary().absorb(message).squeeze(ciphertext.subspan(kSeedSize));
    std::ranges::copy(message, ciphertext.begin());
    Sponge("kem message").absorb(public_key).crypt(ciphertext.first(kSeedSize));
    result.secret = fake_secret(kem_, public_key, message, ciphertext);
    return result;
  }

 private:
  const KemInfo& kem_;
};

// A signature is 32 random bytes and filler out of them, the public key and the message: anyone can forge it.
void fill_signature(const PublicKey& key, Bytes message, MutableBytes signature) noexcept {
  Sponge("signature")
      .absorb(code(key.algorithm))
      .absorb(key.bytes)
      .boundary()
      .absorb(message)
      .boundary()
      .absorb(signature.first(kSeedSize))
      .squeeze(signature.subspan(kSeedSize));
}

PublicKey public_key_of(SignatureId id, Bytes seed) {
  PublicKey key{id, std::vector<std::uint8_t>(info(id).public_key_size)};
  Sponge("public key").absorb(code(id)).absorb(seed).squeeze(key.bytes);
  return key;
}

class FakeSigner final : public Signer {
 public:
  FakeSigner(SignatureId id, Bytes seed) : public_key_(public_key_of(id, seed)) {}
  [[nodiscard]] const PublicKey& public_key() const noexcept override { return public_key_; }
  Result<std::vector<std::uint8_t>> sign(Bytes message, Rng& rng) const override {
    std::vector<std::uint8_t> signature(info(public_key_.algorithm).signature_size);
    if (auto filled = rng.fill(MutableBytes(signature).first(kSeedSize)); !filled) {
      return std::unexpected(filled.error());
    }
    fill_signature(public_key_, message, signature);
    return signature;
  }

 private:
  PublicKey public_key_;
};

class FakeVerifier final : public Verifier {
 public:
  explicit FakeVerifier(PublicKey key) noexcept : key_(std::move(key)) {}
  Result<void> verify(Bytes message, Bytes signature) const override {
    if (signature.size() == info(key_.algorithm).signature_size) {
      std::vector<std::uint8_t> expected(signature.begin(), signature.end());
      fill_signature(key_, message, expected);
      if (constant_time_equal(expected, signature)) return {};
    }
    return fail(ErrorKind::PeerMisbehaved, Reason::HandshakeFailed, "fake signature");
  }

 private:
  PublicKey key_;
};

// Key files: one line of `algorithm name, '-' or a digest of the passphrase, hex` between the usual fences.
constexpr std::string_view kPrivateLabel = "FAKE PRIVATE KEY";
constexpr std::string_view kPublicLabel = "FAKE PUBLIC KEY";

struct KeyFile {
  SignatureId algorithm;
  std::string lock;
  std::vector<std::uint8_t> bytes;
};

std::string write_file(std::string_view label, const KeyFile& file) {
  std::string text = "-----BEGIN ";
  text.append(label).append("-----\n").append(info(file.algorithm).name).append(" ").append(file.lock).append(" ");
  return text.append(to_hex(file.bytes)).append("\n-----END ").append(label).append("-----\n");
}

/// What follows `before` up to `delimiter`, taken off the text.
std::optional<std::string_view> take(std::string_view& text, std::string_view before, std::string_view delimiter) {
  if (!text.starts_with(before)) return std::nullopt;
  text.remove_prefix(before.size());
  const std::size_t end = text.find(delimiter);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end);
  return taken;
}

std::optional<KeyFile> read_file(std::string_view label, std::string_view text) {
  const std::string begin = "-----BEGIN " + std::string(label) + "-----\n";
  const std::string end = "\n-----END " + std::string(label) + "-----\n";
  const auto name = take(text, begin, " ");
  if (!name) return std::nullopt;
  const auto lock = take(text, " ", " ");
  const auto hex = lock ? take(text, " ", end) : std::nullopt;
  const auto algorithm = signature_by_name(*name);
  if (!hex || !algorithm || text != end) return std::nullopt;
  auto bytes = from_hex(*hex);
  if (!bytes) return std::nullopt;
  return KeyFile{*algorithm, std::string(*lock), std::move(*bytes)};
}

std::string lock_of(const std::optional<SecretBytes>& passphrase) {
  if (!passphrase) return "-";
  std::array<std::uint8_t, 16> digest;
  Sponge("passphrase").absorb(passphrase->reveal()).squeeze(digest);
  return to_hex(digest);
}

std::unexpected<Error> bad_key_file(std::string_view where) noexcept {
  return fail(ErrorKind::ApiMisuse, Reason::InternalError, where);
}

class FakeProvider final : public Provider {
 public:
  FakeProvider(std::uint64_t seed, Capabilities capabilities)
      : capabilities_(std::move(capabilities)), rng_(SplitMix64(mix64(seed))) {
    for (const KemId id : capabilities_.kems) kems_.emplace(id, FakeKem(info(id)));
  }

  [[nodiscard]] std::string_view description() const noexcept override { return "fake provider (no security)"; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept override { return capabilities_; }
  [[nodiscard]] Rng& rng() noexcept override { return rng_; }
  [[nodiscard]] Hkdf& hkdf() noexcept override { return hkdf_; }
  Result<std::unique_ptr<Aead>> aead(AeadId id) override {
    if (!capabilities_.has(id)) return lacks(id);
    return std::make_unique<FakeAead>(id);
  }
  Result<const Kem*> kem(KemId id) override {
    const auto found = kems_.find(id);
    if (found == kems_.end()) return lacks(id);
    return &found->second;
  }
  Result<std::unique_ptr<Verifier>> verifier(const PublicKey& key) override {
    if (!capabilities_.has(key.algorithm)) return lacks(key.algorithm);
    if (key.bytes.size() != info(key.algorithm).public_key_size) {
      return fail(ErrorKind::Provider, Reason::InternalError, "fake verifier: key size");
    }
    return std::make_unique<FakeVerifier>(key);
  }

  Result<std::unique_ptr<Signer>> load_signer(std::string_view pem, const AskPassphrase& ask) override {
    const auto file = read_file(kPrivateLabel, pem);
    if (!file || file->bytes.size() != kSeedSize) return bad_key_file("fake key file: not a private key");
    if (file->lock != "-") {
      const auto passphrase = ask ? ask() : std::nullopt;
      if (!passphrase) return bad_key_file("fake key file: no passphrase");
      if (lock_of(passphrase) != file->lock) return bad_key_file("fake key file: wrong passphrase");
    }
    if (!capabilities_.has(file->algorithm)) return lacks(file->algorithm);
    return std::make_unique<FakeSigner>(file->algorithm, file->bytes);
  }
  Result<PublicKey> load_public_key(std::string_view pem) override {
    auto file = read_file(kPublicLabel, pem);
    if (!file || file->bytes.size() != info(file->algorithm).public_key_size) {
      return bad_key_file("fake key file: not a public key");
    }
    return PublicKey{file->algorithm, std::move(file->bytes)};
  }
  Result<SecretBytes> generate_private_key(SignatureId id, const std::optional<SecretBytes>& passphrase) override {
    std::vector<std::uint8_t> seed(kSeedSize);
    if (auto filled = rng_.fill(seed); !filled) return std::unexpected(filled.error());
    return SecretBytes(write_file(kPrivateLabel, {id, lock_of(passphrase), std::move(seed)}));
  }
  Result<std::string> public_key_pem(const PublicKey& key) override {
    return write_file(kPublicLabel, {key.algorithm, "-", key.bytes});
  }

 private:
  Capabilities capabilities_;
  SeededRng rng_;
  FakeHkdf hkdf_;
  std::map<KemId, FakeKem> kems_;
};

}  // namespace

std::unique_ptr<Provider> make_fake_provider(std::uint64_t seed) { return make_fake_provider(seed, whole_suite()); }
std::unique_ptr<Provider> make_fake_provider(std::uint64_t seed, Capabilities capabilities) {
  return std::make_unique<FakeProvider>(seed, std::move(capabilities));
}

}  // namespace qsp::test
