#include "e91/hashing/toeplitz.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "draw.hpp"

namespace qsp::e91::hashing {
namespace {

/// The definition, bit by bit.
std::vector<std::uint8_t> by_definition(const Bits& input, const Bits& seed, std::size_t size) {
  Bits result(size);
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < input.size(); ++j) {
      if (input[j] && seed[i + input.size() - 1 - j]) result.flip(i);
    }
  }
  return result.to_bytes();
}

TEST(Toeplitz, every_form_gives_the_product_by_definition) {
  for (const Carryless& form : carryless_forms()) {
    for (const std::size_t n : {1U, 2U, 63U, 64U, 65U, 127U, 128U, 129U, 192U, 700U, 1030U, 2049U}) {
      for (const std::size_t size : {1U, 2U, 63U, 64U, 65U, 128U, 191U, 192U, 193U, 256U, 700U, 1000U, 2049U}) {
        if (size > n) continue;
        const Bits input = draw_bits(n, n);
        const Bits seed = draw_bits(n + size - 1, size);
        const auto hashed = toeplitz(input, seed, size, form);
        ASSERT_TRUE(hashed);
        ASSERT_EQ(hashed->size(), size);
        ASSERT_EQ(hashed->to_bytes(), by_definition(input, seed, size)) << form.name << ' ' << n << " to " << size;
      }
    }
  }
}

TEST(Toeplitz, forms_agree_on_long_inputs_of_every_shape) {
  for (const std::size_t n : {40'000U, 65'536U, 65'537U}) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{70}, n / 16, n / 3, n / 2, n - 1, n}) {
      const Bits input = draw_bits(n, n);
      const Bits seed = draw_bits(n + size - 1, size);
      const auto expected = toeplitz(input, seed, size, carryless_forms().back())->to_bytes();
      for (const Carryless& form : carryless_forms()) {
        ASSERT_EQ(toeplitz(input, seed, size, form)->to_bytes(), expected) << form.name << ' ' << n << " to " << size;
      }
    }
  }
}

TEST(Toeplitz, no_bits_are_left_past_the_end_of_the_result) {
  const auto hashed = toeplitz(draw_bits(500, 1), draw_bits(500 + 99, 2), 100);
  ASSERT_TRUE(hashed);
  EXPECT_EQ(hashed->words().size(), 2U);
  EXPECT_EQ(hashed->words()[1] >> (100 - 64), 0U);
}

/// For every pair of different inputs, the seeds under which they collide.
TEST(Toeplitz, is_two_universal) {
  for (const auto& [n, size] : {std::pair{3U, 3U}, std::pair{5U, 1U}, std::pair{5U, 3U}, std::pair{6U, 4U}}) {
    const std::size_t inputs = std::size_t{1} << n;
    const std::size_t seeds = std::size_t{1} << (n + size - 1);
    std::vector<std::size_t> collisions(inputs * inputs);
    for (std::size_t s = 0; s < seeds; ++s) {
      Bits seed(n + size - 1);
      seed.writable_words()[0] = s;
      std::vector<std::uint64_t> hashes(inputs);
      for (std::size_t x = 0; x < inputs; ++x) {
        Bits input(n);
        input.writable_words()[0] = x;
        hashes[x] = toeplitz(input, seed, size)->words()[0];
      }
      for (std::size_t a = 0; a < inputs; ++a) {
        for (std::size_t b = 0; b < a; ++b) collisions[a * inputs + b] += hashes[a] == hashes[b] ? 1 : 0;
      }
    }
    for (std::size_t a = 0; a < inputs; ++a) {
      for (std::size_t b = 0; b < a; ++b) ASSERT_EQ(collisions[a * inputs + b], seeds >> size) << a << ' ' << b;
    }
  }
}

TEST(Toeplitz, refuses_sizes_that_do_not_fit) {
  const auto kind = [](std::size_t n, std::size_t seed, std::size_t size) {
    const auto hashed = toeplitz(Bits(n), Bits(seed), size);
    return hashed ? std::nullopt : std::optional(hashed.error().kind);
  };
  EXPECT_EQ(kind(10, 14, 5), std::nullopt);
  EXPECT_EQ(kind(10, 13, 5), ErrorKind::ApiMisuse);
  EXPECT_EQ(kind(10, 15, 5), ErrorKind::ApiMisuse);
  EXPECT_EQ(kind(10, 9, 0), ErrorKind::ApiMisuse);
  EXPECT_EQ(kind(10, 20, 11), ErrorKind::ApiMisuse);
  EXPECT_EQ(kind(0, 0, 0), ErrorKind::ApiMisuse);
  EXPECT_EQ(kind(0, 0, 1), ErrorKind::ApiMisuse);
  EXPECT_EQ(kind(kMaxToeplitzInput + 1, kMaxToeplitzInput + 1, 1), ErrorKind::ApiMisuse);
}

}  // namespace
}  // namespace qsp::e91::hashing
