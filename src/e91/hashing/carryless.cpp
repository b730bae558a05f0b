#include "e91/hashing/carryless.hpp"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace qsp::e91::hashing {

namespace {

static_assert(std::endian::native == std::endian::little, "blocks are read as they lie");

Wide load(const std::uint8_t* block) noexcept {
  Wide value;
  std::memcpy(&value, block, sizeof value);
  return value;
}

/// X^64 = X^4 + X^3 + X + 1, applied to the upper half and then to the 4 coefficients that this pushes out again.
std::uint64_t reduce64(Wide product) noexcept {
  const std::uint64_t high = product.high;
  const std::uint64_t again = (high >> 60) ^ (high >> 61) ^ (high >> 63);
  return product.low ^ high ^ (high << 1) ^ (high << 3) ^ (high << 4) ^ again ^ (again << 1) ^ (again << 3) ^
         (again << 4);
}

/// X^128 = X^7 + X^2 + X + 1, applied to the upper half and then to the 7 coefficients that this pushes out again.
Wide reduce128(Wide low, Wide high) noexcept {
  const std::uint64_t again = (high.high >> 57) ^ (high.high >> 62) ^ (high.high >> 63);
  const std::uint64_t first = high.low ^ again;
  return {low.low ^ first ^ (first << 1) ^ (first << 2) ^ (first << 7),
          low.high ^ high.high ^ (high.high << 1 | high.low >> 63) ^ (high.high << 2 | high.low >> 62) ^
              (high.high << 7 | high.low >> 57)};
}

std::uint64_t reversed(std::uint64_t x) noexcept {
  x = ((x >> 1) & 0x5555555555555555) | ((x & 0x5555555555555555) << 1);
  x = ((x >> 2) & 0x3333333333333333) | ((x & 0x3333333333333333) << 2);
  x = ((x >> 4) & 0x0F0F0F0F0F0F0F0F) | ((x & 0x0F0F0F0F0F0F0F0F) << 4);
  return __builtin_bswap64(x);
}

/// The lower 64 coefficients of a · b by integer multiplication. Each operand is taken apart into four with three zeros
/// after every coefficient: at most 16 ones meet in a sum, and only the topmost sum reaches 16, whose carry falls off.
std::uint64_t multiply_low(std::uint64_t a, std::uint64_t b) noexcept {
  constexpr std::uint64_t kEveryFourth = 0x1111111111111111;
  std::uint64_t product = 0;
  for (unsigned residue = 0; residue < 4; ++residue) {
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < 4; ++i) {
      sum ^= (a & (kEveryFourth << i)) * (b & (kEveryFourth << ((residue - i) % 4)));
    }
    product |= sum & (kEveryFourth << residue);
  }
  return product;
}

/// The upper coefficients are the lower ones of the product read from the other end.
Wide multiply(std::uint64_t a, std::uint64_t b) noexcept {
  return {multiply_low(a, b), reversed(multiply_low(reversed(a), reversed(b))) >> 1};
}

void toeplitz_portable(std::size_t rows, std::size_t columns, const std::uint64_t* diagonals,
                       const std::uint64_t* vector, std::uint64_t* out) noexcept {
  for (std::size_t i = 0; i < rows; ++i) {
    Wide sum;
    for (std::size_t j = 0; j < columns; ++j) {
      const Wide product = multiply(diagonals[i + columns - 1 - j], vector[j]);
      sum.low ^= product.low;
      sum.high ^= product.high;
    }
    out[2 * i] = sum.low;
    out[2 * i + 1] = sum.high;
  }
}

std::uint64_t evaluate64_portable(std::uint64_t sum, std::uint64_t point,
                                  std::span<const std::uint64_t> words) noexcept {
  for (const std::uint64_t word : words) sum = reduce64(multiply(sum ^ word, point));
  return sum;
}

Wide evaluate128_portable(Wide sum, Wide point, Bytes blocks) noexcept {
  for (std::size_t at = 0; at < blocks.size(); at += 16) {
    const Wide block = load(blocks.data() + at);
    const Wide x{sum.low ^ block.low, sum.high ^ block.high};
    const Wide low = multiply(x.low, point.low);
    const Wide high = multiply(x.high, point.high);
    const Wide middle = multiply(x.low ^ x.high, point.low ^ point.high);
    const Wide cross{middle.low ^ low.low ^ high.low, middle.high ^ low.high ^ high.high};
    sum = reduce128({low.low, low.high ^ cross.low}, {high.low ^ cross.high, high.high});
  }
  return sum;
}

constexpr Carryless kPortable{"portable", toeplitz_portable, evaluate64_portable, evaluate128_portable};

#if defined(__x86_64__)

#define QSP_TARGET_PCLMUL __attribute__((target("sse4.1,pclmul")))
#define QSP_TARGET_VPCLMUL __attribute__((target("avx2,pclmul,vpclmulqdq")))

// Which halves a carry-less multiplication takes, as its immediate operand has it: bit 0 of the first factor, bit 4 of
// the second.
constexpr int kHighLow = 0x01;
constexpr int kLowHigh = 0x10;

QSP_TARGET_PCLMUL inline __m128i load128(const void* from) noexcept {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

QSP_TARGET_PCLMUL inline Wide wide_of(__m128i x) noexcept {
  return {static_cast<std::uint64_t>(_mm_cvtsi128_si64(x)), static_cast<std::uint64_t>(_mm_extract_epi64(x, 1))};
}

QSP_TARGET_PCLMUL inline __m128i vector_of(Wide x) noexcept {
  return _mm_set_epi64x(static_cast<std::int64_t>(x.high), static_cast<std::int64_t>(x.low));
}

QSP_TARGET_PCLMUL void toeplitz_pclmul(std::size_t rows, std::size_t columns, const std::uint64_t* diagonals,
                                       const std::uint64_t* vector, std::uint64_t* out) noexcept {
  for (std::size_t i = 0; i < rows; i += 2) {
    __m128i even = _mm_setzero_si128();
    __m128i odd = _mm_setzero_si128();
    const std::uint64_t* diagonal = diagonals + i + columns - 2;
    for (std::size_t j = 0; j < columns; j += 2, diagonal -= 2) {
      const __m128i x = load128(vector + j);
      const __m128i a = load128(diagonal);
      const __m128i b = load128(diagonal + 1);
      even = _mm_xor_si128(even,
                           _mm_xor_si128(_mm_clmulepi64_si128(a, x, kHighLow), _mm_clmulepi64_si128(a, x, kLowHigh)));
      odd =
          _mm_xor_si128(odd, _mm_xor_si128(_mm_clmulepi64_si128(b, x, kHighLow), _mm_clmulepi64_si128(b, x, kLowHigh)));
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 2 * i), even);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 2 * i + 2), odd);
  }
}

QSP_TARGET_PCLMUL std::uint64_t evaluate64_pclmul(std::uint64_t sum, std::uint64_t point,
                                                  std::span<const std::uint64_t> words) noexcept {
  const __m128i r = vector_of({point, 0});
  for (const std::uint64_t word : words) {
    sum = reduce64(wide_of(_mm_clmulepi64_si128(vector_of({sum ^ word, 0}), r, 0)));
  }
  return sum;
}

QSP_TARGET_PCLMUL Wide evaluate128_pclmul(Wide sum, Wide point, Bytes blocks) noexcept {
  const __m128i r = vector_of(point);
  for (std::size_t at = 0; at < blocks.size(); at += 16) {
    const __m128i x = _mm_xor_si128(vector_of(sum), load128(blocks.data() + at));
    const __m128i cross = _mm_xor_si128(_mm_clmulepi64_si128(x, r, kHighLow), _mm_clmulepi64_si128(x, r, kLowHigh));
    const __m128i low = _mm_xor_si128(_mm_clmulepi64_si128(x, r, 0x00), _mm_slli_si128(cross, 8));
    const __m128i high = _mm_xor_si128(_mm_clmulepi64_si128(x, r, 0x11), _mm_srli_si128(cross, 8));
    sum = reduce128(wide_of(low), wide_of(high));
  }
  return sum;
}

/// Four rows at a time, two in each register: row i and i + 2 read neighbouring pairs of diagonals.
QSP_TARGET_VPCLMUL void toeplitz_vpclmul(std::size_t rows, std::size_t columns, const std::uint64_t* diagonals,
                                         const std::uint64_t* vector, std::uint64_t* out) noexcept {
  for (std::size_t i = 0; i < rows; i += 4) {
    __m256i even = _mm256_setzero_si256();
    __m256i odd = _mm256_setzero_si256();
    const std::uint64_t* diagonal = diagonals + i + columns - 2;
    for (std::size_t j = 0; j < columns; j += 2, diagonal -= 2) {
      const __m256i x = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(vector + j)));
      const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(diagonal));
      const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(diagonal + 1));
      even = _mm256_xor_si256(
          even, _mm256_xor_si256(_mm256_clmulepi64_epi128(a, x, kHighLow), _mm256_clmulepi64_epi128(a, x, kLowHigh)));
      odd = _mm256_xor_si256(
          odd, _mm256_xor_si256(_mm256_clmulepi64_epi128(b, x, kHighLow), _mm256_clmulepi64_epi128(b, x, kLowHigh)));
    }
    auto* const to = reinterpret_cast<__m256i*>(out + 2 * i);
    _mm256_storeu_si256(to, _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256(to + 1, _mm256_permute2x128_si256(even, odd, 0x31));
  }
}

constexpr std::array<Carryless, 3> kForms{{
    {"VPCLMULQDQ", toeplitz_vpclmul, evaluate64_pclmul, evaluate128_pclmul},
    {"PCLMULQDQ", toeplitz_pclmul, evaluate64_pclmul, evaluate128_pclmul},
    kPortable,
}};

std::size_t usable_forms() noexcept {
  if (!__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("sse4.1")) return 1;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("vpclmulqdq") ? 3 : 2;
}

#else

constexpr std::array<Carryless, 1> kForms{kPortable};

std::size_t usable_forms() noexcept { return 1; }

#endif

}  // namespace

std::span<const Carryless> carryless_forms() noexcept {
  static const std::size_t usable = usable_forms();
  return std::span(kForms).last(usable);
}

const Carryless& carryless() noexcept { return carryless_forms().front(); }

}  // namespace qsp::e91::hashing
