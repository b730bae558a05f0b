#include "bench/libraries.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "base/try.hpp"
#include "crypto/routed/provider.hpp"

namespace qsp::bench {
namespace {

using crypto::Library;

struct Candidate {
  Library library;
  std::unique_ptr<crypto::Provider> provider;
};

Outcome<std::vector<Candidate>> candidates() {
  std::vector<Candidate> all;
  for (const Library library : {Library::OpenSsl, Library::AwsLc}) {
    const Library chosen = crypto::default_library();
    if (!crypto::is_built_in(library) || (chosen != Library::Auto && chosen != library)) continue;
    QSP_TRY(auto provider, crypto::make_provider(library));
    all.push_back({library, std::move(provider)});
  }
  return all;
}

/// How often a contender runs in about that time, after it has warmed up.
Outcome<std::uint64_t> loops_in(const Contender& contender, std::chrono::nanoseconds time) {
  using Clock = std::chrono::steady_clock;
  constexpr std::uint64_t kMost = 10'000'000;
  for (std::uint64_t times = 1;; times *= 4) {
    const auto start = Clock::now();
    QSP_TRY(contender(times));
    const auto taken = std::max(Clock::now() - start, Clock::duration(1));
    if (taken * 20 < time && times < kMost / 4) continue;
    const double loops = static_cast<double>(times) * static_cast<double>(time.count()) /
                         static_cast<double>(std::chrono::nanoseconds(taken).count());
    return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(loops), 1, kMost);
  }
}

/// In one run where the libraries take turns as often as the slowest can.
Outcome<OperationRow> measure(const Operation& operation, const std::vector<Candidate>& libraries,
                              std::chrono::nanoseconds each) {
  std::vector<Contender> contenders;
  std::vector<bool> has;
  std::uint64_t loops = 0;
  for (const Candidate& candidate : libraries) {
    has.push_back(crypto::can(*candidate.provider, operation.algorithm));
    if (!has.back()) continue;
    QSP_TRY(auto contender, operation.prepare(*candidate.provider));
    QSP_TRY(const auto fit, loops_in(contender, each));
    loops = contenders.empty() ? fit : std::min(loops, fit);
    contenders.push_back(std::move(contender));
  }
  OperationRow row{
      .name = operation.name, .paces = {}, .preferred = crypto::preferred(operation.algorithm, operation.size)};
  row.paces.resize(libraries.size());
  if (contenders.empty()) return row;
  QSP_TRY(const auto paces, take_turns(contenders, loops));
  std::size_t next = 0;
  for (std::size_t i = 0; i < libraries.size(); ++i) {
    if (has[i]) row.paces[i] = paces[next++];
  }
  return row;
}

}  // namespace

std::optional<std::size_t> better_than_preferred(const LibrariesResult& result, const OperationRow& row) {
  const auto preferred = std::ranges::find(result.libraries, row.preferred, &MeasuredLibrary::library);
  if (preferred == result.libraries.end()) return std::nullopt;
  const auto& own = row.paces[static_cast<std::size_t>(preferred - result.libraries.begin())];
  if (!own) return std::nullopt;
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < row.paces.size(); ++i) {
    const auto& other = row.paces[i];
    if (!other || own->seconds - other->seconds < 0.1 * own->seconds) continue;
    if (own->seconds - other->seconds < 3 * std::hypot(own->error, other->error)) continue;
    if (!best || other->seconds < row.paces[*best]->seconds) best = i;
  }
  return best;
}

Outcome<LibrariesResult> bench_libraries(std::chrono::nanoseconds each,
                                         const std::function<void(std::string_view)>& progress) {
  QSP_TRY(const auto libraries, candidates());
  LibrariesResult result;
  for (const Candidate& candidate : libraries) {
    result.libraries.push_back({candidate.library, std::string(candidate.provider->description())});
  }
  for (const Operation& operation : operations()) {
    progress(operation.name);
    QSP_TRY(auto row, measure(operation, libraries, each));
    result.rows.push_back(std::move(row));
  }
  return result;
}

}  // namespace qsp::bench
