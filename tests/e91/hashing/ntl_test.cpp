#include <NTL/GF2X.h>
#include <gtest/gtest.h>

#include "draw.hpp"
#include "e91/hashing/toeplitz.hpp"

namespace qsp::e91::hashing {
namespace {

NTL::GF2X polynomial(const Bits& bits) {
  const auto bytes = bits.to_bytes();
  return NTL::GF2XFromBytes(bytes.data(), static_cast<long>(bytes.size()));
}

std::vector<std::uint8_t> coefficients(const NTL::GF2X& polynomial, std::size_t first, std::size_t count) {
  const NTL::GF2X kept = NTL::trunc(polynomial >> static_cast<long>(first), static_cast<long>(count));
  std::vector<std::uint8_t> bytes((count + 7) / 8);
  NTL::BytesFromGF2X(bytes.data(), kept, static_cast<long>(bytes.size()));
  return bytes;
}

TEST(ToeplitzByNtl, is_the_middle_of_the_product_of_polynomials) {
  struct Shape {
    std::size_t n, size;
  };
  constexpr std::size_t kLarge = kMaxToeplitzInput / 4;
  for (const auto& [n, size] :
       {Shape{1, 1}, Shape{4'097, 4'097}, Shape{100'000, 33'333}, Shape{262'144, 17}, Shape{kLarge, kLarge / 2},
        Shape{kLarge - 5, kLarge / 3}, Shape{kLarge, kLarge}, Shape{kMaxToeplitzInput, kMaxToeplitzInput / 10}}) {
    const Bits input = draw_bits(n, n);
    const Bits seed = draw_bits(n + size - 1, size);
    const auto expected = coefficients(polynomial(seed) * polynomial(input), n - 1, size);
    for (const Carryless& form : carryless_forms()) {
      if (form.name == "portable" && n * size > std::size_t{100'000} * 100'000) continue;
      ASSERT_EQ(toeplitz(input, seed, size, form)->to_bytes(), expected) << form.name << ' ' << n << " to " << size;
    }
  }
}

/// With zeros on both sides of a in the seed, the result is all of the product a · b.
TEST(ToeplitzByNtl, multiplies_whole_polynomials) {
  for (const std::size_t half : {1U, 64U, 1'000U, 40'000U}) {
    const Bits a = draw_bits(half, 1);
    const Bits b = draw_bits(half, 2);
    const std::size_t n = 2 * half;  // the result may not be longer than the input, so b has zeros above it
    const std::size_t size = 2 * half - 1;
    Bits input(n);
    Bits seed(n + size - 1);
    for (std::size_t i = 0; i < half; ++i) {
      input.set(i, b[i]);
      seed.set(n - 1 + i, a[i]);
    }
    EXPECT_EQ(toeplitz(input, seed, size)->to_bytes(), coefficients(polynomial(a) * polynomial(b), 0, size)) << half;
  }
}

}  // namespace
}  // namespace qsp::e91::hashing
