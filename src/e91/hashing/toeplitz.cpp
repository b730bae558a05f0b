#include "e91/hashing/toeplitz.hpp"

#include <algorithm>

namespace qsp::e91::hashing {

namespace {

using Words = std::span<std::uint64_t>;
using ConstWords = std::span<const std::uint64_t>;

// A square of at most kLeaf words a side is multiplied out; a larger one costs three of half the side.
constexpr std::size_t kLeaf = 12;
constexpr std::array<std::size_t, 2> kLeaves{8, 12};
// So many rows are multiplied out whatever their length. See `toeplitz`.
constexpr std::size_t kBand = 4;

void add(const std::uint64_t* __restrict a, const std::uint64_t* __restrict b, std::size_t count,
         std::uint64_t* __restrict out) noexcept {
  for (std::size_t i = 0; i < count; ++i) out[i] = a[i] ^ b[i];
}

void add_to(std::uint64_t* __restrict sum, const std::uint64_t* __restrict term, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) sum[i] ^= term[i];
}

/// A square Toeplitz matrix of `side` words times a vector, as Carryless::toeplitz. Karatsuba's trick, transposed:
///   | T1 T0 | |a|   | T1(a + b) + (T0 + T1) b |
///   | T2 T1 | |b| = | T1(a + b) + (T1 + T2) a |
/// Precondition: side is a leaf times a power of 2; `scratch` has 6 · side words.
void multiply_square(const Carryless& arithmetic, std::size_t side, const std::uint64_t* diagonals,
                     const std::uint64_t* vector, std::uint64_t* out, std::uint64_t* scratch) noexcept {
  if (side <= kLeaf) return arithmetic.toeplitz(side, side, diagonals, vector, out);
  const std::size_t half = side / 2;
  // T0 + T1 and T1 + T2 overlap as T0, T1 and T2 do: the one begins `half` words after the other.
  std::uint64_t* const sums = scratch;
  std::uint64_t* const folded = sums + 3 * half;
  std::uint64_t* const common = folded + half;
  std::uint64_t* const rest = common + 2 * half;
  add(diagonals, diagonals + half, 3 * half - 1, sums);
  add(vector, vector + half, half, folded);
  multiply_square(arithmetic, half, sums, vector + half, out, rest);
  multiply_square(arithmetic, half, sums + half, vector, out + side, rest);
  multiply_square(arithmetic, half, diagonals + half, folded, common, rest);
  add_to(out, common, side);
  add_to(out + side, common, side);
}

/// What a square costs, in carry-less multiplications.
double cost(std::size_t side) noexcept {
  if (side <= kLeaf) return static_cast<double>(side * side) + 16;
  return 3 * cost(side / 2) + 5 * static_cast<double>(side);
}

std::size_t squares(std::size_t length, std::size_t side) noexcept { return (length + side - 1) / side; }

/// The side of the squares that cover rows × columns at the least cost.
std::size_t best_side(std::size_t rows, std::size_t columns) noexcept {
  std::size_t best = kLeaves[0];
  double least = 0;
  for (const std::size_t leaf : kLeaves) {
    for (std::size_t side = leaf; side < 2 * std::max(rows, columns) + leaf; side *= 2) {
      const double total = static_cast<double>(squares(rows, side) * squares(columns, side)) * cost(side);
      if (least == 0 || total < least) {
        least = total;
        best = side;
      }
    }
  }
  return best;
}

/// Writes seed · X^shift into `out`. Preconditions: shift < 64, out has room, and is zero.
void place(ConstWords seed, std::size_t shift, Words out) noexcept {
  for (std::size_t i = 0; i < seed.size(); ++i) {
    out[i] |= seed[i] << shift;
    if (shift != 0 && i + 1 < out.size()) out[i + 1] = seed[i] >> (64 - shift);
  }
}

}  // namespace

Result<Bits> toeplitz(const Bits& input, const Bits& seed, std::size_t size, const Carryless& arithmetic) {
  if (size < 1 || size > input.size() || input.size() > kMaxToeplitzInput || seed.size() != input.size() + size - 1) {
    return fail(ErrorKind::ApiMisuse, Reason::InternalError, "sizes of a Toeplitz hash");
  }
  // y_i is coefficient n − 1 + i of seed · input. With the seed shifted so that this is coefficient 64 · first + i,
  // word k of the result adds the upper half of Z_(first + k − 1) to the lower half of Z_(first + k), where Z_m is the
  // sum of all products of words whose places add up to m: one row of Z more than the result has words. The first kBand
  // rows are multiplied out and squares cover the rest, so that the extra row does not cost a row of squares where the
  // rest fills them.
  const std::size_t rows = Bits::words_of(size) + 1;
  const std::size_t in_squares = rows > kBand ? rows - kBand : 0;
  const std::size_t side = best_side(in_squares, input.words().size());
  const std::size_t across = squares(input.words().size(), side);
  const std::size_t down = squares(in_squares, side);
  const std::size_t columns = across * side;

  const std::size_t first = (input.size() + 62) / 64;  // ⌈(n − 1) / 64⌉
  const std::size_t shift = 64 * first - (input.size() - 1);
  // Diagonal d belongs to word d − (columns − first) of the shifted seed.
  Bits diagonals(64 * (columns + kBand + down * side - 1));
  place(seed.words(), shift, diagonals.writable_words().subspan(columns - first));
  Bits vector(64 * columns);
  std::copy(input.words().begin(), input.words().end(), vector.writable_words().begin());
  Bits products(2 * (kBand + down * side) * 64);
  Bits work(side * 8 * 64);

  const std::uint64_t* const t = diagonals.words().data();
  const std::uint64_t* const x = vector.words().data();
  std::uint64_t* const z = products.writable_words().data();
  std::uint64_t* const square = work.writable_words().data();
  arithmetic.toeplitz(kBand, columns, t, x, z);
  for (std::size_t row = 0; row < down; ++row) {
    for (std::size_t column = 0; column < across; ++column) {
      const std::size_t corner = kBand + row * side + columns - (column + 1) * side;
      multiply_square(arithmetic, side, t + corner, x + column * side, square, square + 2 * side);
      add_to(z + 2 * (kBand + row * side), square, 2 * side);
    }
  }

  Bits result(size);
  const Words y = result.writable_words();
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = z[2 * i + 1] ^ z[2 * i + 2];
  result.truncate(size);
  return result;
}

}  // namespace qsp::e91::hashing
