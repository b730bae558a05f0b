#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "base/base64.hpp"
#include "base/hex.hpp"
#include "constant_time/watch.hpp"
#include "qsp/secret.hpp"
#include "qsp/secret_bytes.hpp"

namespace qsp::test {
namespace {

using Buffer = std::vector<std::uint8_t>;

/// Every value of a byte, each at some place.
Buffer every_byte() {
  Buffer bytes(256);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

TEST_F(ConstantTime, of_a_comparison) {
  for (const std::size_t size : {0, 1, 16, 32, 48, 257}) {
    Buffer one(size, 7), other(size, 7);
    for (const bool equal : {true, false}) {
      if (!equal && size > 0) other[size / 2] = 8;
      mark_secret(Bytes(one));
      mark_secret(Bytes(other));
      EXPECT_EQ(constant_time_equal(one, other), equal || size == 0);
      declare_public(Bytes(other));
      EXPECT_EQ(constant_time_equal(one, other), equal || size == 0) << "a tag from the wire beside the right one";
    }
    EXPECT_FALSE(constant_time_equal(one, Buffer(size + 1)));
  }
}

TEST_F(ConstantTime, of_secrets_that_are_made_moved_and_wiped) {
  std::array<std::uint8_t, 32> bytes{};
  mark_secret(bytes);
  QkdKey key = QkdKey::copy_of(bytes);
  QkdKey other(0);
  other = std::move(key);
  QkdKey moved(std::move(other));
  EXPECT_TRUE(is_secret(moved.reveal()));
  moved.wipe();
  EXPECT_FALSE(is_secret(moved.reveal()));
  EXPECT_EQ(moved.reveal()[31], 0);
}

TEST_F(ConstantTime, of_secrets_of_any_size) {
  Buffer bytes(100);
  mark_secret(Bytes(bytes));
  SecretBytes secret = SecretBytes::copy_of(Bytes(bytes));
  for (int i = 0; i < 10; ++i) secret.append(bytes);
  secret.resize(950);
  SecretBytes second = secret.copy();
  secret = std::move(second);
  EXPECT_EQ(secret.size(), 950U);
  EXPECT_TRUE(is_secret(secret.reveal()));
  secret.clear();
  std::string text(200, 'x');
  mark_secret(std::string_view(text));
  const SecretBytes taken(std::move(text));
  EXPECT_EQ(taken.size(), 200U);
}

TEST_F(ConstantTime, of_hexadecimal_digits) {
  const Buffer bytes = every_byte();
  mark_secret(Bytes(bytes));
  const std::string text = to_hex(bytes);
  EXPECT_TRUE(is_secret(as_bytes(text)));
  Buffer back(bytes.size());
  ASSERT_TRUE(from_hex(text, back));
  EXPECT_TRUE(is_secret(back));
  declare_public(Bytes(back));
  declare_public(Bytes(bytes));
  EXPECT_EQ(back, bytes);
}

TEST_F(ConstantTime, of_hexadecimal_digits_of_either_case_and_of_what_is_none) {
  for (const std::string_view written : {"0123456789ABCDEFabcdef", "0123456789ABCDEFabcdeg", "/:@G`g00"}) {
    std::string text(written);
    const bool good = text.ends_with("f");
    mark_secret(std::string_view(text));
    Buffer out(text.size() / 2);
    EXPECT_EQ(from_hex(text, out), good) << written;
  }
}

TEST_F(ConstantTime, of_base64) {
  const Buffer all = every_byte();
  for (const std::size_t size : {0, 1, 2, 3, 16, 32, 254, 255, 256}) {
    const Buffer bytes(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size));
    mark_secret(Bytes(bytes));
    std::string text(base64_size(size), '?');
    to_base64(bytes, text);
    Buffer back(size);
    EXPECT_EQ(from_base64(text, back), size);
    declare_public(Bytes(back));
    declare_public(Bytes(bytes));
    EXPECT_EQ(back, bytes);
  }
}

TEST_F(ConstantTime, of_base64_that_is_refused) {
  for (const std::string_view written : {"Zm9v!mFy", "Zh==", "Zm9=", "====", "A===", "Zm9vYmFyZm9vYmFy"}) {
    std::string text(written);
    mark_secret(std::string_view(text));
    Buffer out(9);
    EXPECT_FALSE(from_base64(text, out)) << written;
  }
}

}  // namespace
}  // namespace qsp::test
