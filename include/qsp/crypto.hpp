#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "qsp/bytes.hpp"
#include "qsp/error.hpp"
#include "qsp/export.hpp"
#include "qsp/secret.hpp"
#include "qsp/secret_bytes.hpp"

/// The swap points (SPEC §3): everything QSP asks of a cryptographic library, and nothing that only one library has.
/// Keys, shares and signatures cross this interface in the encodings of their standards, as raw bytes.
namespace qsp::crypto {

/// IANA "TLS Supported Groups" (and draft-ietf-tls-ecdhe-mlkem).
enum class KemId : std::uint16_t {
  MlKem512 = 0x0200,
  MlKem768 = 0x0201,
  MlKem1024 = 0x0202,
  SecP256r1MlKem768 = 0x11EB,
  X25519MlKem768 = 0x11EC,
  SecP384r1MlKem1024 = 0x11ED,
};

/// IANA "TLS SignatureScheme"; 0xFE05 is private use: Ed25519 and ML-DSA-65, both of which must verify.
enum class SignatureId : std::uint16_t {
  Ed25519 = 0x0807,
  MlDsa44 = 0x0904,
  MlDsa65 = 0x0905,
  MlDsa87 = 0x0906,
  SlhDsaSha2_128s = 0x0911,
  Ed25519MlDsa65 = 0xFE05,
};

/// IANA "AEAD Algorithms".
enum class AeadId : std::uint16_t { Aes256Gcm = 2, ChaCha20Poly1305 = 29 };

/// A source of random bytes. Everything random in QSP comes through here, so that a test can script it.
class QSP_EXPORT Rng {
 public:
  virtual ~Rng() = default;
  /// Fills `out`. Error: Provider/INTERNAL_ERROR; the caller ends what it was doing.
  virtual Result<void> fill(MutableBytes out) = 0;
};

inline constexpr std::size_t kHashSize = 32;
using Digest = std::array<std::uint8_t, kHashSize>;

/// The pieces of one message, hashed as if joined.
using Parts = std::initializer_list<Bytes>;

/// SHA-256, HMAC-SHA256 and HKDF-SHA256 (FIPS 180-4, RFC 2104, RFC 5869) over contexts that are kept between calls.
class QSP_EXPORT Hkdf {
 public:
  virtual ~Hkdf() = default;
  virtual Result<Digest> hash(Parts parts) = 0;
  /// HMAC under a key of at most 64 bytes.
  virtual Result<Digest> hmac(Bytes key, Parts parts) = 0;
  /// HKDF-Extract. An empty salt stands for 32 zero bytes, as RFC 5869 §2.2 says.
  virtual Result<ScheduleSecret> extract(Bytes salt, Parts ikm) = 0;
  /// HKDF-Expand. Fills `out`, at most 255 · 32 bytes; `prk` is 32 bytes or more. On error `out` holds zeros.
  virtual Result<void> expand(Bytes prk, Parts info, MutableBytes out) = 0;
};

// AEAD

inline constexpr std::size_t kNonceSize = 12;
inline constexpr std::size_t kTagSize = 16;
using Nonce = std::array<std::uint8_t, kNonceSize>;

/// One AEAD key. Its contexts are made once and re-keyed, never rebuilt for a frame; sealing and opening allocate
/// nothing. The caller guarantees that no nonce is sealed twice under one key.
class QSP_EXPORT Aead {
 public:
  virtual ~Aead() = default;
  /// Takes a new key and forgets the old one. Error: Provider/INTERNAL_ERROR; the object then seals and opens nothing.
  virtual Result<void> set_key(TrafficKey&& key) = 0;
  /// Encrypts `data` in place and writes its tag. On error `data` is wiped.
  virtual Result<void> seal(const Nonce& nonce, Bytes aad, MutableBytes data,
                            std::span<std::uint8_t, kTagSize> tag) = 0;
  /// Verifies and decrypts `data` in place. Error: DecryptFailed/AEAD_DECRYPT_FAILED; `data` is then wiped.
  virtual Result<void> open(const Nonce& nonce, Bytes aad, MutableBytes data,
                            std::span<const std::uint8_t, kTagSize> tag) = 0;
};

// KEM

/// An ephemeral private key: used once, wiped on destruction.
class QSP_EXPORT KemPrivateKey {
 public:
  virtual ~KemPrivateKey() = default;
  /// The share that goes to the peer; lives as long as this object.
  [[nodiscard]] virtual Bytes public_key() const noexcept = 0;
  /// Errors: InvalidMessage/HANDSHAKE_FAILED for a wrong length, a point off its curve or an all-zero X25519 result;
  /// Provider/INTERNAL_ERROR. A damaged ML-KEM ciphertext is not an error: it yields another secret (FIPS 203 §6.3).
  virtual Result<SharedSecret> decapsulate(Bytes ciphertext) = 0;
};

struct Encapsulation {
  std::vector<std::uint8_t> ciphertext;
  SharedSecret secret;
};

/// A key encapsulation mechanism. Hybrids are joined as in draft-ietf-tls-ecdhe-mlkem §3.
class QSP_EXPORT Kem {
 public:
  virtual ~Kem() = default;
  [[nodiscard]] virtual KemId id() const noexcept = 0;
  /// Draws what FIPS 203 calls d ‖ z, and the classical private key, from `rng`.
  virtual Result<std::unique_ptr<KemPrivateKey>> generate(Rng& rng) const = 0;
  /// Errors: InvalidMessage/HANDSHAKE_FAILED for a share of wrong length, one that fails FIPS 203 §7.2's check, a point
  /// off its curve, an all-zero X25519 result; Provider/INTERNAL_ERROR.
  virtual Result<Encapsulation> encapsulate(Bytes public_key, Rng& rng) const = 0;
};

/// A public key in its standard's raw encoding; the composite is Ed25519(32) ‖ ML-DSA-65(1952).
struct PublicKey {
  SignatureId algorithm{};
  std::vector<std::uint8_t> bytes;

  bool operator==(const PublicKey&) const = default;
};

/// A private signature key that stays inside the provider (it may live in a token). Where sessions on several threads
/// have the same one, as those of qsp/tcp.hpp may, they sign at the same time: so any thread may call it, and OpenSSL's
/// takes them in turn.
class QSP_EXPORT Signer {
 public:
  virtual ~Signer() = default;
  [[nodiscard]] virtual const PublicKey& public_key() const noexcept = 0;
  /// A pure signature with empty context; ML-DSA and SLH-DSA draw their hedge from `rng` (FIPS 204 §3.4, FIPS 205
  /// §9.2).
  virtual Result<std::vector<std::uint8_t>> sign(Bytes message, Rng& rng) const = 0;
};

class QSP_EXPORT Verifier {
 public:
  virtual ~Verifier() = default;
  /// Error: PeerMisbehaved/HANDSHAKE_FAILED where the signature is not one of `message` under this key.
  virtual Result<void> verify(Bytes message, Bytes signature) const = 0;
};

/// Asked for a passphrase only where a key is encrypted; returns nothing to give up.
using AskPassphrase = std::function<std::optional<SecretBytes>()>;

/// What AES-256-GCM would encrypt zeros to, without the tag: random bytes by the gigabyte, for simulations. Nothing is
/// authenticated; never a cipher for messages.
class QSP_EXPORT Keystream {
 public:
  virtual ~Keystream() = default;
  /// Fills `out`, at most 1 MiB, with the stream of a nonce, from its beginning. Error: Provider/INTERNAL_ERROR.
  virtual Result<void> read(const Nonce& nonce, MutableBytes out) = 0;
};

/// What a provider can do. Each list is in the order of the suite table, best first.
struct Capabilities {
  std::vector<KemId> kems{};
  std::vector<SignatureId> signatures{};
  std::vector<AeadId> aeads{};
  bool keystream = false;

  [[nodiscard]] QSP_EXPORT bool has(KemId id) const noexcept;
  [[nodiscard]] QSP_EXPORT bool has(SignatureId id) const noexcept;
  [[nodiscard]] QSP_EXPORT bool has(AeadId id) const noexcept;
};

/// What a provider does beside KEMs, signatures and AEADs.
enum class Primitive : std::uint8_t { Hkdf, Random, Keystream };

/// Whatever a provider can be asked for.
using Algorithm = std::variant<KemId, SignatureId, AeadId, Primitive>;

/// A cryptographic library behind QSP. An object belongs to one thread; make one for each.
///
/// It may lack algorithms of the suite table, and says in capabilities() which it has; a session offers and accepts
/// only those. A program that runs without one of the defaults has to warn its user (SPEC §3). What is asked for all
/// the same fails with Provider/INTERNAL_ERROR, and `where` names the algorithm: see lacks() in qsp/suites.hpp.
class QSP_EXPORT Provider {
 public:
  virtual ~Provider() = default;
  /// The library and its version, for logs ("OpenSSL 3.5.1").
  [[nodiscard]] virtual std::string_view description() const noexcept = 0;
  /// Never changes while the provider lives.
  [[nodiscard]] virtual const Capabilities& capabilities() const noexcept = 0;

  [[nodiscard]] virtual Rng& rng() noexcept = 0;
  [[nodiscard]] virtual Hkdf& hkdf() noexcept = 0;

  /// Errors of the three: lacks(id); Provider/INTERNAL_ERROR. A verifier: ApiMisuse for a key of the wrong length.
  virtual Result<std::unique_ptr<Aead>> aead(AeadId id) = 0;
  virtual Result<const Kem*> kem(KemId id) = 0;  ///< lives as long as the provider
  virtual Result<std::unique_ptr<Verifier>> verifier(const PublicKey& key) = 0;

  /// A private key from PEM (PKCS#8; the composite is two PEM blocks, Ed25519 first), encrypted or not.
  /// Errors: ApiMisuse/INTERNAL_ERROR for text that holds no such key, or a wrong or missing passphrase.
  virtual Result<std::unique_ptr<Signer>> load_signer(std::string_view pem, const AskPassphrase& ask) = 0;
  /// A public key from PEM (SubjectPublicKeyInfo; two blocks for the composite).
  virtual Result<PublicKey> load_public_key(std::string_view pem) = 0;

  /// A new key pair as PEM: PKCS#8, encrypted (PBES2, AES-256) where a passphrase is given.
  virtual Result<SecretBytes> generate_private_key(SignatureId id, const std::optional<SecretBytes>& passphrase) = 0;
  /// The SubjectPublicKeyInfo of a key as PEM.
  virtual Result<std::string> public_key_pem(const PublicKey& key) = 0;

  /// Error: Provider/INTERNAL_ERROR, always where capabilities().keystream is false.
  virtual Result<std::unique_ptr<Keystream>> keystream(TrafficKey&& key);

  /// The library that does this, and its version, for logs; the same as description() where there is only one. Lives as
  /// long as the provider. Of an algorithm that the provider lacks it says nothing that counts.
  [[nodiscard]] virtual std::string_view library_of(const Algorithm& algorithm) const noexcept;
};

}  // namespace qsp::crypto
