// What the other tests look for is found: code that leaks, run under the same watch.

#include <array>
#include <cstring>
#include <string>

#include "base/declassified.hpp"
#include "constant_time/watch.hpp"
#include "qsp/secret.hpp"

namespace qsp::test {
namespace {

/// A comparison that stops at the first difference.
[[gnu::noinline]] bool early_exit(Bytes a, Bytes b) noexcept {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

constexpr std::array<char, 16> kDigits{'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

/// A digit from a table.
[[gnu::noinline]] char looked_up(std::uint8_t nibble) noexcept { return kDigits.at(nibble & 15U); }

class Leaks : public testing::Test {
 protected:
  void SetUp() override { before_ = reported(); }
  [[nodiscard]] unsigned found() const noexcept { return reported() - before_; }

  std::array<std::uint8_t, 16> secret_{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  std::array<std::uint8_t, 16> guess_{};
  std::array<std::uint8_t, 16> same_{};
  volatile int used_ = 0;  ///< takes what a function returned, which the compiler would leave out otherwise

 private:
  unsigned before_ = 0;
};

TEST_F(Leaks, a_comparison_that_stops_early_is_found) {
  mark_secret(secret_);
  used_ = early_exit(secret_, guess_);
  EXPECT_GT(found(), 0U);
}

TEST_F(Leaks, memcmp_is_found) {
  const volatile std::size_t size = secret_.size();  // which the compiler does not know, so that it makes a call of it
  mark_secret(secret_);
  used_ = std::memcmp(secret_.data(), guess_.data(), size) == 0;
  EXPECT_GT(found(), 0U);
}

TEST_F(Leaks, a_table_that_is_looked_up_at_a_secret_is_found) {
  mark_secret(secret_);
  used_ = looked_up(secret_[3]);
  EXPECT_GT(found(), 0U);
}

TEST_F(Leaks, a_branch_on_what_was_computed_from_a_secret_is_found) {
  mark_secret(secret_);
  std::uint32_t sum = 0;
  for (const std::uint8_t byte : secret_) sum = sum * 31 + byte;
  if (sum % 2 == 0) used_ = 1;
  EXPECT_GT(found(), 0U);
}

TEST_F(Leaks, one_bit_that_is_secret_is_enough) {
  std::uint8_t bit = 0;
  mark_secret(Bytes(&bit, 1));
  guess_[7] = static_cast<std::uint8_t>(guess_[7] | (bit & 1U));
  used_ = early_exit(guess_, secret_);
  EXPECT_EQ(found(), 0U) << "the first bytes differ, and are no secret";
  used_ = early_exit(guess_, same_);
  EXPECT_GT(found(), 0U);
}

TEST_F(Leaks, what_is_declared_public_is_not_taken_for_one) {
  mark_secret(secret_);
  EXPECT_TRUE(is_secret(secret_));
  const std::uint32_t known = declassified(secret_[0] & 1U);
  if (known == 1) used_ = 1;
  EXPECT_EQ(used_, 1);
  EXPECT_TRUE(is_secret(secret_)) << "the secret itself stays one";
  declare_public(Bytes(secret_));
  EXPECT_FALSE(early_exit(secret_, guess_));
  EXPECT_EQ(found(), 0U);
}

}  // namespace
}  // namespace qsp::test
