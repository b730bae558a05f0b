#include "bench/rounds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <numbers>
#include <numeric>

#include "base/try.hpp"

namespace qsp::bench {
namespace {

/// Of this thread: what other programs take meanwhile does not count.
double cpu_seconds() noexcept {
  std::timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

Pace pace(std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  // The median of a normal sample varies by √(π/2) as much as its mean.
  const double deviation = count > 1 ? std::sqrt(squares / (count - 1)) : 0;
  return {.seconds = *middle, .error = std::sqrt(std::numbers::pi / 2 / count) * deviation};
}

}  // namespace

std::string describe(const Error& error) {
  return fmt::format("{} ({}): {}", name(error.kind), name(error.reason), error.where);
}

Outcome<std::vector<Pace>> take_turns(std::span<const Contender> contenders, std::uint64_t loops) {
  const std::uint64_t rounds = std::min(loops, kRounds);
  std::vector<std::vector<double>> seconds(contenders.size());
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const std::uint64_t times = loops / rounds + (round < loops % rounds ? 1 : 0);
    for (std::size_t turn = 0; turn < contenders.size(); ++turn) {
      // Another one begins each round: the one after an idle moment would always find a faster clock.
      const std::size_t who = (turn + round) % contenders.size();
      const double start = cpu_seconds();
      QSP_TRY(contenders[who](times));
      seconds[who].push_back((cpu_seconds() - start) / static_cast<double>(times));
    }
  }
  std::vector<Pace> paces;
  paces.reserve(seconds.size());
  for (std::vector<double>& values : seconds) paces.push_back(pace(values));
  return paces;
}

}  // namespace qsp::bench
