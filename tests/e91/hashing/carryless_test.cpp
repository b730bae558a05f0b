#include "e91/hashing/carryless.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "base/hex.hpp"
#include "draw.hpp"

namespace qsp::e91::hashing {
namespace {

using Polynomial = std::vector<bool>;

Polynomial polynomial(const std::uint64_t* words, std::size_t count) {
  Polynomial bits(64 * count);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = ((words[i / 64] >> (i % 64)) & 1) != 0;
  return bits;
}

Wide wide(const Polynomial& bits) {
  Wide value;
  for (std::size_t i = 0; i < bits.size() && i < 128; ++i) {
    if (bits[i]) (i < 64 ? value.low : value.high) |= std::uint64_t{1} << (i % 64);
  }
  return value;
}

Polynomial product(const Polynomial& a, const Polynomial& b) {
  Polynomial sum(a.size() + b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; a[i] && j < b.size(); ++j) sum[i + j] = sum[i + j] != b[j];
  }
  return sum;
}

/// The remainder by X^degree + Σ X^taps, one coefficient at a time.
Polynomial remainder(Polynomial bits, std::size_t degree, const std::vector<std::size_t>& taps) {
  for (std::size_t i = bits.size(); i-- > degree;) {
    if (!bits[i]) continue;
    bits[i] = false;
    for (const std::size_t tap : taps) bits[i - degree + tap] = !bits[i - degree + tap];
  }
  bits.resize(degree);
  return bits;
}

std::vector<std::uint64_t> edges() {
  return {
      0, 1, 2, 3, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF, 0x1111111111111111, 0x8888888888888888, 0xF000000000000001};
}

class CarrylessForms : public testing::TestWithParam<std::size_t> {
 protected:
  [[nodiscard]] static const Carryless& form() { return carryless_forms()[GetParam()]; }

  /// A matrix of `rows` × `columns` against the sum of single products, bit by bit.
  static void expect_products(std::size_t rows, std::size_t columns, const std::vector<std::uint64_t>& diagonals,
                              const std::vector<std::uint64_t>& vector) {
    std::vector<std::uint64_t> out(2 * rows + 1, 0xA5);
    form().toeplitz(rows, columns, diagonals.data(), vector.data(), out.data());
    for (std::size_t i = 0; i < rows; ++i) {
      Wide expected;
      for (std::size_t j = 0; j < columns; ++j) {
        const Wide term = wide(product(polynomial(&diagonals[i + columns - 1 - j], 1), polynomial(&vector[j], 1)));
        expected.low ^= term.low;
        expected.high ^= term.high;
      }
      ASSERT_EQ(expected, (Wide{out[2 * i], out[2 * i + 1]})) << rows << " x " << columns << ", row " << i;
    }
    EXPECT_EQ(out.back(), 0xA5) << "wrote past the end";
  }
};

TEST_P(CarrylessForms, multiply_matrices_of_words_as_bit_by_bit) {
  for (const std::size_t rows : {4U, 8U, 12U, 20U}) {
    for (const std::size_t columns : {2U, 4U, 6U, 12U, 30U}) {
      expect_products(rows, columns, draw_words(rows + columns - 1, rows), draw_words(columns, columns));
    }
  }
}

TEST_P(CarrylessForms, multiply_the_words_at_the_edges) {
  for (const std::uint64_t a : edges()) {
    for (const std::uint64_t b : edges()) {
      expect_products(4, 2, std::vector<std::uint64_t>(5, a), {b, 0});
      expect_products(4, 2, std::vector<std::uint64_t>(5, a), {0, b});
    }
  }
}

TEST_P(CarrylessForms, multiply_in_the_field_of_64_bits_as_bit_by_bit) {
  std::vector<std::uint64_t> factors = edges();
  for (const std::uint64_t word : draw_words(20, 1)) factors.push_back(word);
  for (const std::uint64_t a : factors) {
    for (const std::uint64_t b : factors) {
      const Wide expected = wide(remainder(product(polynomial(&a, 1), polynomial(&b, 1)), 64, {0, 1, 3, 4}));
      EXPECT_EQ(form().evaluate64(0, b, {&a, 1}), expected.low) << std::hex << a << " * " << b;
      EXPECT_EQ(form().evaluate64(a, b, std::vector<std::uint64_t>{0}), expected.low);
    }
  }
}

TEST_P(CarrylessForms, multiply_in_the_field_of_128_bits_as_bit_by_bit) {
  std::vector<Wide> factors;
  for (const std::uint64_t low : {edges()[0], edges()[1], edges()[4], edges()[5]}) {
    for (const std::uint64_t high : edges()) factors.push_back({low, high});
  }
  for (const Wide& a : factors) {
    for (const Wide& b : factors) {
      const Wide expected = wide(remainder(product(polynomial(&a.low, 2), polynomial(&b.low, 2)), 128, {0, 1, 2, 7}));
      ASSERT_EQ(form().evaluate128(a, b, std::vector<std::uint8_t>(16)), expected)
          << std::hex << a.high << ' ' << a.low << " * " << b.high << ' ' << b.low;
    }
  }
}

TEST_P(CarrylessForms, evaluate_polynomials_by_horners_rule) {
  const std::vector<std::uint64_t> words = draw_words(9, 5);
  const std::uint64_t point = 0xDEADBEEFCAFEF00D;
  std::uint64_t sum = 7;
  for (const std::uint64_t word : words) sum = form().evaluate64(sum ^ word, point, std::vector<std::uint64_t>{0});
  EXPECT_EQ(form().evaluate64(7, point, words), sum);
  EXPECT_EQ(form().evaluate64(7, point, {}), 7U);

  const std::vector<std::uint8_t> bytes = draw_bytes(16 * 9, 6);
  const Wide place{1, 0x8000000000000002};
  Wide total{3, 4};
  for (std::size_t at = 0; at < bytes.size(); at += 16)
    total = form().evaluate128(total, place, Bytes(bytes).subspan(at, 16));
  EXPECT_EQ(form().evaluate128({3, 4}, place, bytes), total);
  EXPECT_EQ(form().evaluate128({3, 4}, place, {}), (Wide{3, 4}));
}

/// GHASH calls the first bit of a byte what this field calls the last; otherwise they are one field.
std::vector<std::uint8_t> mirrored(const std::string& hex) {
  std::vector<std::uint8_t> bytes = from_hex(hex).value();
  for (std::uint8_t& byte : bytes) {
    std::uint8_t turned = 0;
    for (unsigned bit = 0; bit < 8; ++bit)
      turned = static_cast<std::uint8_t>(turned | ((byte >> bit) & 1U) << (7 - bit));
    byte = turned;
  }
  return bytes;
}

Wide wide_of(const std::vector<std::uint8_t>& bytes) {
  Wide value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

TEST_P(CarrylessForms, give_the_ghash_of_the_gcm_specification) {
  // McGrew and Viega, The Galois/Counter Mode of Operation, test case 2.
  const Wide h = wide_of(mirrored("66e94bd4ef8a2c3b884cfa59ca342b2e"));
  const auto ciphertext = mirrored("0388dace60b6a392f328c2b971b2fe78");
  const auto lengths = mirrored("00000000000000000000000000000080");
  const Wide first = form().evaluate128({}, h, ciphertext);
  EXPECT_EQ(first, wide_of(mirrored("5e2ec746917062882c85b0685353deb7")));
  EXPECT_EQ(form().evaluate128(first, h, lengths), wide_of(mirrored("f38cbb1ad69223dcc3457ae5b6b0f885")));
}

INSTANTIATE_TEST_SUITE_P(OfThisProcessor, CarrylessForms, testing::Range(std::size_t{0}, carryless_forms().size()),
                         [](const auto& tested) { return std::string(carryless_forms()[tested.param].name); });

TEST(Carryless, the_portable_form_is_always_there_and_last) {
  EXPECT_EQ(carryless_forms().back().name, "portable");
  EXPECT_EQ(&carryless(), &carryless_forms().front());
}

}  // namespace
}  // namespace qsp::e91::hashing
