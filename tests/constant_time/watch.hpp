#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "qsp/bytes.hpp"

/// Whether code branches on a secret, or looks something up at a place that depends on one: valgrind's memcheck, which
/// reports both of memory that nobody has defined, is told that secrets are such memory.
namespace qsp::test {

/// From here on a secret.
void mark_secret(Bytes bytes) noexcept;
void mark_secret(std::string_view text) noexcept;
/// Of one byte, the bits of the mask alone.
void mark_secret(const std::uint8_t& byte, std::uint8_t mask) noexcept;

/// From here on known to anybody; who calls it says why. Of what QSP's own code makes public in the middle of a
/// computation, the program's declassified() is the place, and this program's own form of it calls this.
void declare_public(Bytes bytes) noexcept;
void declare_public(std::string_view text) noexcept;
template <class T>
  requires std::is_trivially_copyable_v<T>
void declare_public(const T& value) noexcept {
  declare_public(Bytes(reinterpret_cast<const std::uint8_t*>(&value), sizeof value));
}

/// Whether memcheck would report a branch on some of these bytes.
[[nodiscard]] bool is_secret(Bytes bytes) noexcept;

/// What memcheck has reported so far.
[[nodiscard]] unsigned reported() noexcept;

/// A test whose secrets decide no branch and no address.
class ConstantTime : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

 private:
  unsigned before_ = 0;
};

}  // namespace qsp::test
