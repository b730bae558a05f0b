#pragma once

#include <cstddef>
#include <string_view>

#include "https/https.hpp"
#include "qsp/bytes.hpp"
#include "qsp/secret_bytes.hpp"

namespace qsp::https {

/// What a connection has received and nobody has taken yet. Has memory only while it is in use, and a fixed amount.
class Input {
 public:
  /// A start line and header fields of the greatest size fit in at once.
  static constexpr std::size_t kCapacity = kMaxTargetSize + kMaxHeaderSize + 1024;

  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  [[nodiscard]] bool full() const noexcept { return end_ - begin_ == kCapacity; }
  [[nodiscard]] std::string_view text() const noexcept { return bytes_.reveal_text().substr(begin_, end_ - begin_); }

  /// Where to receive into; empty when full.
  MutableBytes room();
  /// Counts bytes that were received into room().
  void commit(std::size_t count) noexcept { end_ += count; }
  void consume(std::size_t count) noexcept { begin_ += count; }
  /// Forgets everything and gives the memory back, wiped.
  void clear() noexcept;

 private:
  SecretBytes bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace qsp::https
