#include "e91/hashing/figures.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <vector>

#include "base/split_mix.hpp"
#include "e91/hashing/tag.hpp"
#include "e91/hashing/toeplitz.hpp"
#include "e91/hashing/verification.hpp"

namespace qsp::e91::hashing {

namespace {

constexpr std::size_t kTurns = 15;

double processor_seconds() noexcept {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The seconds that one call takes: the median of some turns of `calls` each.
template <class Operation>
double seconds(std::size_t calls, Operation operation) {
  std::array<double, kTurns> turns{};
  for (double& turn : turns) {
    const double start = processor_seconds();
    for (std::size_t i = 0; i < calls; ++i) operation();
    turn = (processor_seconds() - start) / static_cast<double>(calls);
  }
  std::nth_element(turns.begin(), turns.begin() + kTurns / 2, turns.end());
  return turns[kTurns / 2];
}

/// Bits without a pattern that the time could depend on; it depends on none.
Bits some_bits(std::size_t size) {
  Bits bits(size);
  SplitMix64 numbers(size);
  for (std::uint64_t& word : bits.writable_words()) word = numbers.next();
  bits.truncate(size);
  return bits;
}

double toeplitz_speed(std::size_t size, std::size_t calls) {
  const std::size_t kept = size * 2 / 5;
  const Bits key = some_bits(size);
  const Bits seed = some_bits(size + kept - 1);
  const double taken = seconds(calls, [&] { static_cast<void>(toeplitz(key, seed, kept)); });
  return static_cast<double>(size) / taken * 1e-6;
}

}  // namespace

HashingFigures measure_hashing() {
  HashingFigures figures{.arithmetic = carryless().name};
  constexpr std::size_t kLarge = std::size_t{1} << 20;
  figures.toeplitz_64kbit = toeplitz_speed(std::size_t{1} << 16, 50);
  figures.toeplitz_1mbit = toeplitz_speed(kLarge, 2);

  const Bits key = some_bits(kLarge);
  std::uint64_t point = 3;
  const double verified = seconds(10, [&] { point ^= verification_hash(key, point); });
  figures.verification_1mbit = static_cast<double>(kLarge) / verified * 1e-6;

  const std::vector<std::uint8_t> message(std::size_t{1} << 16, 0x5A);
  TagKey hash_key;
  std::ranges::fill(hash_key.writable(), std::uint8_t{0xA5});
  TagStream stream(hash_key, Side::Alice, 0);
  const double tagged = seconds(50, [&] { static_cast<void>(stream.update(message)); });
  figures.tag_64kbyte = static_cast<double>(message.size()) / tagged * 1e-9;
  return figures;
}

}  // namespace qsp::e91::hashing
