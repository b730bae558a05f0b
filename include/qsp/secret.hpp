#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "qsp/bytes.hpp"
#include "qsp/export.hpp"

namespace qsp {

/// Overwrites bytes in a way that the optimiser keeps. Inline, so that what is as short as a key is overwritten in two
/// instructions: a rekey does so 170 times.
inline void wipe(MutableBytes bytes) noexcept {
  if (bytes.empty()) return;
  std::memset(bytes.data(), 0, bytes.size());
  // The compiler must assume that this reads the memory, so it keeps the memset.
  __asm__ __volatile__("" : : "r"(bytes.data()) : "memory");
}

/// True if both views have the same length and content. Time depends on the length alone.
[[nodiscard]] QSP_EXPORT bool constant_time_equal(Bytes a, Bytes b) noexcept;

/// A secret of at most `Capacity` bytes that owns its storage inline.
///
/// Move-only; the source of a move and the storage of a destroyed object are wiped. It has no comparison, no printing
/// and no conversion: code that needs the bytes writes `reveal()`, which a reader can search for. `Tag` makes a KEM's
/// shared secret, a traffic key and a QKD key different types. Consumers take `&&`.
template <std::size_t Capacity, class Tag>
class Secret {
 public:
  static constexpr std::size_t kCapacity = Capacity;

  /// A secret of `size` zero bytes, to be filled through `writable()`. Precondition: size <= Capacity.
  explicit Secret(std::size_t size = Capacity) noexcept : size_(std::min(size, Capacity)) {}

  /// A copy of bytes that the caller keeps and wipes. Precondition: bytes.size() <= Capacity; longer input is cut.
  static Secret copy_of(Bytes bytes) noexcept {
    Secret secret(bytes.size());
    std::copy_n(bytes.begin(), secret.size_, secret.bytes_.begin());
    return secret;
  }

  Secret(Secret&& other) noexcept : bytes_(other.bytes_), size_(other.size_) { other.wipe_all(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      size_ = other.size_;
      other.wipe_all();
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { qsp::wipe(bytes_); }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Bytes reveal() const noexcept { return Bytes(bytes_).first(size_); }
  [[nodiscard]] MutableBytes writable() noexcept { return MutableBytes(bytes_).first(size_); }

  /// Forgets the bytes now; the size stays, so that no later use can run out of bounds.
  void wipe() noexcept { qsp::wipe(bytes_); }

 private:
  void wipe_all() noexcept {
    qsp::wipe(bytes_);
    size_ = 0;
  }

  std::array<std::uint8_t, Capacity> bytes_{};
  std::size_t size_;
};

/// A key of the session's AEAD. 32 bytes: SPEC §3 admits no shorter one.
using TrafficKey = Secret<32, struct TrafficKeyTag>;

/// What one end's KEM operation yields: at most 80 bytes (SecP384r1MLKEM1024: 48 of P-384 and 32 of ML-KEM).
using SharedSecret = Secret<80, struct SharedSecretTag>;

/// A pseudorandom key of the key schedule (HKDF-SHA256 output).
using ScheduleSecret = Secret<32, struct ScheduleSecretTag>;

/// A key delivered by a QKD link. SPEC §5: exactly 32 bytes.
using QkdKey = Secret<32, struct QkdKeyTag>;

}  // namespace qsp
