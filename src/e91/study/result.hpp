#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "e91/local/local_link.hpp"

/// What a run of a simulated link came to, in figures.
namespace qsp::e91::study {

/// One block, as its two ends and the simulation know it.
struct BlockResult {
  post::BlockReport report;
  std::uint64_t alice_clicks = 0;
  double seconds = 0;  ///< of simulated time
  std::size_t keys = 0;
  bool keys_equal = false;

  [[nodiscard]] bool reconciled() const noexcept {
    return report.batches > 0 && report.aborted != post::Abort::Reconciliation;
  }
  /// Nothing before reconciliation, which alone counts errors.
  [[nodiscard]] std::optional<keyrate::Estimate> qber() const noexcept;
  /// f; nothing where no error was corrected.
  [[nodiscard]] std::optional<double> efficiency() const noexcept;
  [[nodiscard]] std::string verdict() const;
};

/// All blocks together.
struct Total {
  std::uint64_t blocks = 0, with_key = 0, slots = 0, alice_clicks = 0, bob_clicks = 0, coincidences = 0;
  std::uint64_t key_bits = 0, disclosed = 0, batches = 0, length = 0, keys = 0;
  double seconds = 0;
  double leak_of_ideal = 0;  ///< Σ n h(QBER): what an ideal reconciliation would have disclosed
  std::uint64_t reconciled = 0, reconciled_bits = 0, reconciled_errors = 0, reconciled_leak = 0;
  keyrate::Sample phase;
  double s_weight = 0, s_sum = 0;
  bool keys_equal = true;

  void add(const BlockResult& block);
  [[nodiscard]] std::optional<keyrate::Estimate> qber() const noexcept;
  [[nodiscard]] std::optional<keyrate::Estimate> s() const noexcept;
  [[nodiscard]] std::optional<double> efficiency() const noexcept;
  [[nodiscard]] double rate_per_s() const noexcept;
  [[nodiscard]] double secret_fraction() const noexcept;
  /// Each block's key may be known, or differ, with its own ε: they add up.
  [[nodiscard]] double epsilon() const noexcept;
};

/// Of a block's report: the error rate of the conjugate basis, or in Classic what |S| says of it.
std::optional<double> phase_error_of(Mode mode, const post::BlockReport& report) noexcept;

}  // namespace qsp::e91::study
