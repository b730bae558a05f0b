#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "qsp/bytes.hpp"
#include "qsp/secret.hpp"

/// Secrets whose size is known only when the program runs: passphrases, key files, messages with keys in them. This and
/// Secret<N, Tag> are the only two types for bytes that wipe themselves.
namespace qsp {

/// Memory that is wiped when it is given back, and so also what a container leaves behind as it grows. It is the only
/// allocator that wipes, for containers that a library prescribes: Beast's bodies, the values of Boost.JSON. Code that
/// may choose uses SecretBytes.
template <class T>
struct WipingAllocator {
  using value_type = T;

  WipingAllocator() = default;
  template <class U>
  WipingAllocator(const WipingAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor): allocators convert

  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) noexcept {
    wipe({reinterpret_cast<std::uint8_t*>(memory), count * sizeof(T)});
    std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const WipingAllocator&) const = default;
};

/// A secret of any size, bytes or text, in memory of its own.
///
/// Move-only. Its memory is wiped before it is given back: at the end, when another value is assigned, and when it
/// grows. Like Secret it has no comparison, no printing and no conversion; a reader can search for `reveal`. Only what
/// needs memory can throw, and throws only std::bad_alloc.
class SecretBytes {
 public:
  SecretBytes() = default;
  /// `size` zero bytes, to be filled through writable().
  explicit SecretBytes(std::size_t size) : bytes_(size) {}
  /// Takes over what another container held, and wipes all of that one's memory.
  explicit SecretBytes(std::string&& text) : SecretBytes(copy_of(std::string_view(text))) {
    text.resize(text.capacity());
    wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
    text.clear();
  }
  explicit SecretBytes(std::vector<std::uint8_t>&& bytes) : SecretBytes(copy_of(Bytes(bytes))) {
    bytes.resize(bytes.capacity());
    wipe(bytes);
    bytes.clear();
  }
  /// A copy of what the caller keeps and wipes.
  static SecretBytes copy_of(Bytes bytes) {
    SecretBytes copy;
    copy.append(bytes);
    return copy;
  }
  static SecretBytes copy_of(std::string_view text) { return copy_of(as_bytes(text)); }
  /// A second one, for who must give one away and keep one.
  [[nodiscard]] SecretBytes copy() const { return copy_of(reveal()); }

  SecretBytes(SecretBytes&&) noexcept = default;
  SecretBytes& operator=(SecretBytes&&) noexcept = default;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() = default;

  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }

  /// Views: they last until the size changes, or the object ends or is moved from.
  [[nodiscard]] Bytes reveal() const noexcept { return bytes_; }
  [[nodiscard]] std::string_view reveal_text() const noexcept { return as_text(bytes_); }
  [[nodiscard]] MutableBytes writable() noexcept { return bytes_; }

  /// Makes room for `size` bytes in all, so that no append up to there moves what is held.
  void reserve(std::size_t size) { bytes_.reserve(size); }
  /// New bytes are zeros; those cut off are wiped.
  void resize(std::size_t size) {
    if (size < bytes_.size()) wipe(writable().subspan(size));
    bytes_.resize(size);
  }
  void append(Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void append(std::string_view text) { append(as_bytes(text)); }
  /// Wipes what is held and keeps the room.
  void clear() noexcept {
    wipe(bytes_);
    bytes_.clear();
  }

 private:
  std::vector<std::uint8_t, WipingAllocator<std::uint8_t>> bytes_;
};

}  // namespace qsp
