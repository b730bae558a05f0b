#include "crypto/openssl/hkdf.hpp"

#include <algorithm>
#include <array>

namespace qsp::crypto::openssl {
namespace {

constexpr std::size_t kBlockSize = 64;         // of SHA-256, FIPS 180-4 §1
constexpr std::size_t kMaxExpandBlocks = 255;  // RFC 5869 §2.3

using DigestOut = std::span<std::uint8_t, kHashSize>;

/// One message on its way through the kept context. Short pieces are gathered first: a call into the library costs as
/// much as hashing a block. After a failure the context refuses everything, so no later digest can be wrong unnoticed.
class Hashing {
 public:
  explicit Hashing(EVP_MD_CTX* context) noexcept : context_(context) {}
  ~Hashing() {
    qsp::wipe(MutableBytes(gathered_).first(highest_));
    if (!finished_) EVP_MD_CTX_reset(context_);
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
    finished_ = good_ && EVP_DigestFinal_ex(context_, out.data(), nullptr) == 1 &&
                EVP_DigestInit_ex2(context_, nullptr, nullptr) == 1;
    return finished_;
  }

 private:
  void update(Bytes bytes) noexcept { good_ = good_ && EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1; }
  void flush() noexcept {
    if (used_ > 0) update(Bytes(gathered_).first(used_));
    used_ = 0;
  }

  EVP_MD_CTX* context_;
  // Holds HMAC's key block and what SPEC §5 and §6 put behind it.
  std::array<std::uint8_t, 4 * kBlockSize> gathered_;
  std::size_t used_ = 0;
  std::size_t highest_ = 0;
  bool good_ = true;
  bool finished_ = false;
};

/// HMAC (RFC 2104 §2) of what `feed` adds to the inner hash.
template <class Feed>
bool hmac_of(EVP_MD_CTX* context, Bytes key, Feed feed, DigestOut out) noexcept {
  std::array<std::uint8_t, kBlockSize> block{};
  std::array<std::uint8_t, kHashSize> inner_digest{};
  bool good = true;
  if (key.size() > kBlockSize) {
    Hashing shortened(context);
    shortened.add(key);
    good = shortened.finish(MutableBytes(block).first<kHashSize>());
  } else {
    std::ranges::copy(key, block.begin());
  }
  for (std::uint8_t& byte : block) byte ^= 0x36;
  if (good) {
    Hashing inner(context);
    inner.add(block);
    feed(inner);
    good = inner.finish(inner_digest);
  }
  for (std::uint8_t& byte : block) byte ^= 0x36 ^ 0x5c;
  if (good) {
    Hashing outer(context);
    outer.add(block);
    outer.add(inner_digest);
    good = outer.finish(out);
  }
  wipe(block);
  wipe(inner_digest);
  return good;
}

std::unexpected<Error> fail_hash() noexcept { return fail_provider("SHA-256 failed"); }

}  // namespace

Fetched<std::unique_ptr<OpenSslHkdf>> OpenSslHkdf::make(const Library& library) {
  constexpr const char* kName = "SHA2-256";
  const DigestMethod method(EVP_MD_fetch(Library::context(), kName, library.query()));
  DigestContext context(EVP_MD_CTX_new());
  if (!method || !context || EVP_DigestInit_ex2(context.get(), method.get(), nullptr) != 1) {
    return std::unexpected<std::string_view>(kName);
  }
  return std::unique_ptr<OpenSslHkdf>(new OpenSslHkdf(std::move(context)));
}

Result<Digest> OpenSslHkdf::hash(Parts parts) {
  Digest digest;
  Hashing hashing(context_.get());
  hashing.add(parts);
  if (!hashing.finish(digest)) return fail_hash();
  return digest;
}

Result<Digest> OpenSslHkdf::hmac(Bytes key, Parts parts) {
  Digest digest;
  if (!hmac_of(context_.get(), key, [parts](Hashing& inner) { inner.add(parts); }, digest)) return fail_hash();
  return digest;
}

Result<ScheduleSecret> OpenSslHkdf::extract(Bytes salt, Parts ikm) {
  // RFC 5869 §2.2: PRK = HMAC-Hash(salt, IKM). An empty salt needs no case of its own: HMAC pads its key with zeros.
  ScheduleSecret prk(kHashSize);
  const DigestOut out = prk.writable().first<kHashSize>();
  if (!hmac_of(context_.get(), salt, [ikm](Hashing& inner) { inner.add(ikm); }, out)) return fail_hash();
  return prk;
}

Result<void> OpenSslHkdf::expand(Bytes prk, Parts info, MutableBytes out) {
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
    good = hmac_of(context_.get(), prk, feed, block);
    std::copy_n(block.begin(), std::min(kHashSize, out.size() - done), out.begin() + static_cast<std::ptrdiff_t>(done));
    previous = block;
  }
  wipe(block);
  if (good) return {};
  wipe(out);
  return fail_hash();
}

}  // namespace qsp::crypto::openssl
