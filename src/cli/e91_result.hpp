#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/e91_setup.hpp"
#include "e91/local/local_link.hpp"

/// What a run of `qsp e91` came to, in figures and in words.
namespace qsp::cli {

/// One block, as its two ends and the simulation know it.
struct E91BlockResult {
  e91::BlockReport report;
  std::uint64_t alice_clicks = 0;
  double seconds = 0;  ///< of simulated time
  std::size_t keys = 0;
  bool keys_equal = false;

  [[nodiscard]] bool reconciled() const noexcept {
    return report.batches > 0 && report.aborted != e91::Abort::Reconciliation;
  }
  [[nodiscard]] std::string verdict() const;
};

/// All blocks together.
struct E91Total {
  std::uint64_t blocks = 0, with_key = 0, slots = 0, alice_clicks = 0, bob_clicks = 0, coincidences = 0;
  std::uint64_t key_bits = 0, disclosed = 0, batches = 0, length = 0, keys = 0;
  double seconds = 0;
  double leak_of_ideal = 0;  ///< Σ n h(QBER): what an ideal reconciliation would have disclosed
  std::uint64_t reconciled = 0, reconciled_bits = 0, reconciled_errors = 0, reconciled_leak = 0;
  e91::keyrate::Sample phase;
  double s_weight = 0, s_sum = 0;
  bool keys_equal = true;

  void add(const E91BlockResult& block);
  [[nodiscard]] std::optional<e91::keyrate::Estimate> qber() const noexcept;
  [[nodiscard]] std::optional<e91::keyrate::Estimate> s() const noexcept;
  [[nodiscard]] std::optional<double> efficiency() const noexcept;
  [[nodiscard]] double rate_per_s() const noexcept;
  [[nodiscard]] double secret_fraction() const noexcept;
};

/// Of a block's report: the error rate of the conjugate basis, or in Classic what |S| says of it.
std::optional<double> phase_error_of(e91::Mode mode, const e91::BlockReport& report) noexcept;

using E91Rows = std::vector<std::vector<std::string>>;

/// A table for a terminal or a page: the head, and a row for each block.
E91Rows block_rows(e91::Mode mode, const std::vector<E91BlockResult>& blocks);
/// Name and value of each figure of the whole run.
E91Rows total_rows(const E91Setup& setup, const E91Total& total);
/// Name and value of each parameter of the link.
E91Rows link_rows(const E91Setup& setup);

boost::json::object json_of(e91::Mode mode, const E91BlockResult& block);
boost::json::object json_of(const E91Total& total);
boost::json::object json_of(const E91Setup& setup);

/// "79,790" or "0.1234".
std::string rate_text(double per_second);
/// "2.00 ± 0.03 %", and the same without the unit.
std::string percent_text(const e91::keyrate::Estimate& share);
std::string estimate_text(const e91::keyrate::Estimate& value);

/// Columns with two spaces between; the first and the last on the left of their place, the others on the right. Lines
/// end in '\n'.
std::string columns(const E91Rows& rows);

}  // namespace qsp::cli
