#include "e91/setting.hpp"

#include <bit>
#include <cmath>

#include "base/try.hpp"

namespace qsp::e91 {

namespace {

static_assert(std::endian::native == std::endian::little, "draws are read from words as they lie");

constexpr double kPi = std::numbers::pi;
constexpr std::array<double, 2> kBiasedAlice{0, kPi / 2};
constexpr std::array<double, 4> kBiasedBob{0, kPi / 2, kPi / 4, 3 * kPi / 4};
constexpr std::array<double, 3> kClassicAlice{0, kPi / 4, kPi / 2};
constexpr std::array<double, 3> kClassicBob{kPi / 4, kPi / 2, 3 * kPi / 4};

}  // namespace

std::span<const double> angles(Mode mode, Side side) noexcept {
  if (mode == Mode::Biased) {
    return side == Side::Alice ? std::span<const double>(kBiasedAlice) : std::span<const double>(kBiasedBob);
  }
  return side == Side::Alice ? std::span<const double>(kClassicAlice) : std::span<const double>(kClassicBob);
}

Weights weights(Mode mode, Side side, double p_z) noexcept {
  if (mode == Mode::Classic) return {21846, 21845, 21845, 0};
  const auto z = static_cast<std::uint32_t>(std::lround(p_z * 65536));
  if (side == Side::Alice) return {z, 65536 - z, 0, 0};
  const std::uint32_t chsh = (65536 - z) * 15 / 100;
  return {z, 65536 - z - 2 * chsh, chsh, chsh};
}

Settings::Settings(RandomStream&& stream, Weights weights) noexcept : stream_(std::move(stream)) {
  constexpr std::uint32_t kNever = UINT16_MAX;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < lasts_.size(); ++i) {
    sum += weights[i];
    lasts_[i] = static_cast<std::uint16_t>(sum == 0 ? kNever : sum - 1);
    if (sum == 0) ++lowest_;
  }
}

Result<Settings> Settings::create(crypto::Provider& provider, Seed&& seed, Weights weights) {
  QSP_TRY(auto stream, RandomStream::create(provider, std::move(seed)));
  return Settings(std::move(stream), weights);
}

void Settings::load(std::uint64_t chunk) noexcept {
  RandomStream::Chunk words;
  stream_.read_chunk(chunk, words);
  // Slot i of the chunk draws 16 bits, bits 16 (i mod 4) and up of word i / 4: these are its bytes as they lie.
  const auto draws = std::bit_cast<std::array<std::uint16_t, kSlotsPerChunk>>(words);
  const auto [first, second, third] = lasts_;
  for (std::size_t i = 0; i < kSlotsPerChunk; ++i) {
    const std::uint16_t draw = draws[i];
    settings_[i] =
        static_cast<std::uint8_t>(lowest_ + (draw > first ? 1 : 0) + (draw > second ? 1 : 0) + (draw > third ? 1 : 0));
  }
  chunk_index_ = chunk;
}

}  // namespace qsp::e91
