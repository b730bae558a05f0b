#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "qsp/crypto.hpp"

namespace qsp::crypto {

/// SHA-256, HMAC and HKDF over a library's SHA-256. HMAC is built here on one kept context: measured with OpenSSL, that
/// takes half the time of its own MAC object, which copies three contexts for every new key.
///
/// `Sha256` stands at the beginning of a message between calls, so that no state of a keyed hash stays in it:
///
///     bool update(Bytes) noexcept;
///     bool finish(std::span<std::uint8_t, 32>) noexcept;   begins the next message
///     void spoil() noexcept;                               from here on every call fails
///     static std::unexpected<Error> failed() noexcept;
template <class Sha256>
class HkdfOf final : public Hkdf {
 public:
  explicit HkdfOf(Sha256 sha256) noexcept : sha256_(std::move(sha256)) {}

  Result<Digest> hash(Parts parts) override {
    Digest digest;
    Hashing hashing(sha256_);
    hashing.add(parts);
    if (!hashing.finish(digest)) return Sha256::failed();
    return digest;
  }

  Result<Digest> hmac(Bytes key, Parts parts) override {
    Digest digest;
    if (!hmac_of(key, [parts](Hashing& inner) { inner.add(parts); }, digest)) return Sha256::failed();
    return digest;
  }

  Result<ScheduleSecret> extract(Bytes salt, Parts ikm) override {
    // RFC 5869 §2.2: PRK = HMAC-Hash(salt, IKM). An empty salt needs no case of its own: HMAC pads its key with zeros.
    ScheduleSecret prk(kHashSize);
    const DigestOut out = prk.writable().template first<kHashSize>();
    if (!hmac_of(salt, [ikm](Hashing& inner) { inner.add(ikm); }, out)) return Sha256::failed();
    return prk;
  }

  Result<void> expand(Bytes prk, Parts info, MutableBytes out) override;

 private:
  static constexpr std::size_t kBlockSize = 64;         // of SHA-256, FIPS 180-4 §1
  static constexpr std::size_t kMaxExpandBlocks = 255;  // RFC 5869 §2.3

  using DigestOut = std::span<std::uint8_t, kHashSize>;

  /// One message on its way through the kept context. Short pieces are gathered first: a call into the library costs as
  /// much as hashing a block. After a failure the context refuses everything, so no later digest can be wrong
  /// unnoticed.
  class Hashing {
   public:
    explicit Hashing(Sha256& sha256) noexcept : sha256_(&sha256) {}
    ~Hashing() {
      qsp::wipe(MutableBytes(gathered_).first(highest_));
      if (!finished_) sha256_->spoil();
    }
    Hashing(const Hashing&) = delete;
    Hashing& operator=(const Hashing&) = delete;

    void add(Bytes piece) noexcept {
      if (piece.size() > gathered_.size() - used_) flush();
      if (piece.size() > gathered_.size()) return update(piece);
      // libstdc++ 12's ranges::copy goes byte by byte where its source is const.
      std::copy(piece.begin(), piece.end(), gathered_.begin() + static_cast<std::ptrdiff_t>(used_));
      used_ += piece.size();
      highest_ = std::max(highest_, used_);
    }
    void add(Parts parts) noexcept {
      for (const Bytes part : parts) add(part);
    }

    [[nodiscard]] bool finish(DigestOut out) noexcept {
      flush();
      finished_ = good_ && sha256_->finish(out);
      return finished_;
    }

   private:
    void update(Bytes bytes) noexcept { good_ = good_ && sha256_->update(bytes); }
    void flush() noexcept {
      if (used_ > 0) update(Bytes(gathered_).first(used_));
      used_ = 0;
    }

    Sha256* sha256_;
    // Holds HMAC's key block and what SPEC §5 and §6 put behind it.
    std::array<std::uint8_t, 4 * kBlockSize> gathered_;
    std::size_t used_ = 0;
    std::size_t highest_ = 0;
    bool good_ = true;
    bool finished_ = false;
  };

  /// HMAC (RFC 2104 §2) of what `feed` adds to the inner hash.
  template <class Feed>
  bool hmac_of(Bytes key, Feed feed, DigestOut out) noexcept {
    std::array<std::uint8_t, kBlockSize> block{};
    std::array<std::uint8_t, kHashSize> inner_digest{};
    bool good = true;
    if (key.size() > kBlockSize) {
      Hashing shortened(sha256_);
      shortened.add(key);
      good = shortened.finish(MutableBytes(block).template first<kHashSize>());
    } else {
      std::copy(key.begin(), key.end(), block.begin());
    }
    for (std::uint8_t& byte : block) byte ^= 0x36;
    if (good) {
      Hashing inner(sha256_);
      inner.add(block);
      feed(inner);
      good = inner.finish(inner_digest);
    }
    for (std::uint8_t& byte : block) byte ^= 0x36 ^ 0x5c;
    if (good) {
      Hashing outer(sha256_);
      outer.add(block);
      outer.add(inner_digest);
      good = outer.finish(out);
    }
    wipe(block);
    wipe(inner_digest);
    return good;
  }

  Sha256 sha256_;
};

template <class Sha256>
Result<void> HkdfOf<Sha256>::expand(Bytes prk, Parts info, MutableBytes out) {
  if (prk.size() < kHashSize || out.size() > kMaxExpandBlocks * kHashSize) {
    wipe(out);
    return fail(ErrorKind::ApiMisuse, Reason::InternalError, "HKDF-Expand: a short key, or more than 255 blocks");
  }
  // RFC 5869 §2.3: T(0) = "", T(i) = HMAC-Hash(PRK, T(i-1) | info | i), OKM = T(1) | T(2) | …
  std::array<std::uint8_t, kHashSize> block{};
  Bytes previous;
  std::uint8_t counter = 0;
  bool good = true;
  for (std::size_t done = 0; good && done < out.size(); done += kHashSize) {
    ++counter;
    const auto feed = [&](Hashing& inner) {
      inner.add(previous);
      inner.add(info);
      inner.add(Bytes(&counter, 1));
    };
    good = hmac_of(prk, feed, block);
    std::copy_n(block.begin(), std::min(kHashSize, out.size() - done), out.begin() + static_cast<std::ptrdiff_t>(done));
    previous = block;
  }
  wipe(block);
  if (good) return {};
  wipe(out);
  return Sha256::failed();
}

}  // namespace qsp::crypto
