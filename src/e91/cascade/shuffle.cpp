#include "e91/cascade/shuffle.hpp"

#include <bit>
#include <numeric>
#include <utility>

#include "e91/bits.hpp"

namespace qsp::e91::cascade {

namespace {

constexpr std::uint32_t kColumn = 63;

/// Bit c of word r becomes bit r of word c: halves, quarters, … change places across the diagonal.
void transpose(std::span<std::uint64_t, Shuffle::kGroupWords> rows) noexcept {
  std::uint64_t mask = 0x00000000FFFFFFFF;
  for (std::size_t width = 32; width != 0; width /= 2, mask ^= mask << width) {
    for (std::size_t block = 0; block < rows.size(); block += 2 * width) {
      for (std::size_t row = block; row < block + width; ++row) {
        const std::uint64_t change = ((rows[row] >> width) ^ rows[row + width]) & mask;
        rows[row] ^= change << width;
        rows[row + width] ^= change;
      }
    }
  }
}

void transpose_groups(std::span<std::uint64_t> words) noexcept {
  for (std::size_t group = 0; group < words.size(); group += Shuffle::kGroupWords) {
    transpose(words.subspan(group).first<Shuffle::kGroupWords>());
  }
}

}  // namespace

Shuffle::Shuffle(RandomStream& stream, std::size_t words) {
  for (Stage& stage : stages_) {
    stage.to.resize(words);
    stage.from.resize(words);
    stage.turn.resize(words);
    std::iota(stage.to.begin(), stage.to.end(), std::uint16_t{0});
    for (std::size_t left = words; left > 0; --left) {
      // 48 bits of the draw choose among at most 2^16, the other 16 rotate: the choice is even to 2^-32.
      const std::uint64_t draw = stream.next();
      const auto chosen = static_cast<std::size_t>(((draw >> 16) * left) >> 48);
      std::swap(stage.to[left - 1], stage.to[chosen]);
      stage.turn[left - 1] = static_cast<std::uint8_t>(draw & kColumn);
    }
    for (std::size_t word = 0; word < words; ++word) stage.from[stage.to[word]] = static_cast<std::uint16_t>(word);
  }
  stages_[2].turn.assign(words, 0);
}

void Shuffle::apply(std::span<const std::uint64_t> in, std::span<std::uint64_t> out) const {
  Bits between(in.size() * 64);
  const std::span<std::uint64_t> middle = between.writable_words();
  const auto scatter = [](const Stage& stage, std::span<const std::uint64_t> from, std::span<std::uint64_t> to) {
    for (std::size_t word = 0; word < from.size(); ++word) {
      to[stage.to[word]] = std::rotl(from[word], stage.turn[word]);
    }
  };
  scatter(stages_[0], in, out);
  transpose_groups(out);
  scatter(stages_[1], out, middle);
  transpose_groups(middle);
  scatter(stages_[2], middle, out);
}

std::uint32_t Shuffle::place(std::uint32_t index) const noexcept {
  std::uint32_t word = index / 64;
  std::uint32_t bit = index & kColumn;
  for (std::size_t s = 0; s < 2; ++s) {
    const std::uint32_t column = (bit + stages_[s].turn[word]) & kColumn;
    const std::uint32_t row = stages_[s].to[word];
    word = (row & ~kColumn) | column;
    bit = row & kColumn;
  }
  return std::uint32_t{stages_[2].to[word]} * 64 + bit;
}

std::uint32_t Shuffle::index(std::uint32_t place) const noexcept {
  std::uint32_t word = stages_[2].from[place / 64];
  std::uint32_t bit = place & kColumn;
  for (std::size_t s = 2; s-- > 0;) {
    const std::uint32_t row = (word & ~kColumn) | bit;
    const std::uint32_t column = word & kColumn;
    word = stages_[s].from[row];
    bit = (column - stages_[s].turn[word]) & kColumn;
  }
  return word * 64 + bit;
}

}  // namespace qsp::e91::cascade
