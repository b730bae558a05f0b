#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "qsp/bytes.hpp"
#include "qsp/secret.hpp"

namespace qsp::e91 {

/// A string of bits, 64 to a word: bit i is bit i mod 64 of word i / 64. Bits past the end of the last word are zero.
///
/// Raw, sifted and reconciled keys are such strings, so it is move-only and wiped when it dies or gives up storage.
class Bits {
 public:
  Bits() = default;
  /// `size` zero bits.
  explicit Bits(std::size_t size) : words_(words_of(size)), size_(size) {}
  Bits(Bits&& other) noexcept : words_(std::move(other.words_)), size_(other.size_) { other.forget(); }
  Bits& operator=(Bits&& other) noexcept {
    if (this != &other) {
      wipe();
      words_ = std::move(other.words_);
      size_ = other.size_;
      other.forget();
    }
    return *this;
  }
  Bits(const Bits&) = delete;
  Bits& operator=(const Bits&) = delete;
  ~Bits() { wipe(); }

  /// The first `size` bits of `bytes`, least significant bit first. Precondition: bytes.size() >= (size + 7) / 8.
  static Bits from_bytes(Bytes bytes, std::size_t size);
  [[nodiscard]] Bits copy() const;
  /// (size() + 7) / 8 bytes, least significant bit first. The caller wipes them.
  [[nodiscard]] std::vector<std::uint8_t> to_bytes() const;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bool operator[](std::size_t i) const noexcept { return ((words_[i / 64] >> (i % 64)) & 1) != 0; }
  void set(std::size_t i, bool value) noexcept {
    const std::uint64_t mask = std::uint64_t{1} << (i % 64);
    words_[i / 64] = value ? words_[i / 64] | mask : words_[i / 64] & ~mask;
  }
  void flip(std::size_t i) noexcept { words_[i / 64] ^= std::uint64_t{1} << (i % 64); }

  /// `writable_words` leaves it to the caller that bits past the end stay zero.
  [[nodiscard]] std::span<const std::uint64_t> words() const noexcept { return words_; }
  [[nodiscard]] std::span<std::uint64_t> writable_words() noexcept { return words_; }

  /// The number of ones.
  [[nodiscard]] std::size_t count() const noexcept;
  /// Keeps the first `size` bits and wipes the rest. Precondition: size <= this->size().
  void truncate(std::size_t size) noexcept;

  static constexpr std::size_t words_of(std::size_t bits) noexcept { return bits / 64 + (bits % 64 != 0 ? 1 : 0); }

 private:
  void wipe() noexcept { qsp::wipe({reinterpret_cast<std::uint8_t*>(words_.data()), words_.size() * 8}); }
  void forget() noexcept {
    words_.clear();
    size_ = 0;
  }

  std::vector<std::uint64_t> words_;
  std::size_t size_ = 0;
};

/// The number of places where two strings of one length differ.
[[nodiscard]] std::size_t distance(const Bits& a, const Bits& b) noexcept;

}  // namespace qsp::e91
