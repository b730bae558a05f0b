#include "bench/rounds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace qsp::bench {
namespace {

/// Of this thread: what other programs take meanwhile does not count.
double cpu_seconds() noexcept {
  std::timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace

std::string describe(const Error& error) {
  return fmt::format("{} ({}): {}", name(error.kind), name(error.reason), error.where);
}

Outcome<std::vector<double>> take_turns(std::span<const Contender> contenders, std::uint64_t loops) {
  const std::uint64_t rounds = std::min(loops, kRounds);
  std::vector<std::vector<double>> seconds(contenders.size());
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const std::uint64_t times = loops / rounds + (round < loops % rounds ? 1 : 0);
    for (std::size_t turn = 0; turn < contenders.size(); ++turn) {
      // Another one begins each round: whoever comes after an idle moment would always find a faster clock.
      const std::size_t who = (turn + round) % contenders.size();
      const double start = cpu_seconds();
      if (auto done = contenders[who](times); !done) return std::unexpected(done.error());
      seconds[who].push_back((cpu_seconds() - start) / static_cast<double>(times));
    }
  }
  std::vector<double> medians;
  for (std::vector<double>& values : seconds) medians.push_back(median(values));
  return medians;
}

}  // namespace qsp::bench
