#include "e91/setting.hpp"

#include <cmath>

namespace qsp::e91 {

namespace {

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
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bounds_.size(); ++i) bounds_[i] = sum += weights[i];
}

Result<Settings> Settings::create(crypto::Provider& provider, Seed&& seed, Weights weights) {
  auto stream = RandomStream::create(provider, std::move(seed));
  if (!stream) return std::unexpected(stream.error());
  return Settings(std::move(*stream), weights);
}

void Settings::load(std::uint64_t chunk) noexcept {
  stream_.read_chunk(chunk, chunk_);
  chunk_index_ = chunk;
}

}  // namespace qsp::e91
