#include "e91/study/result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "e91/hashing/verification.hpp"
#include "e91/keyrate/entropy.hpp"

namespace qsp::e91::study {
namespace {

using keyrate::Estimate;

/// Bits of the key that reconciliation itself disclosed.
std::size_t parities(const post::BlockReport& report) noexcept {
  return report.disclosed - std::min(report.disclosed, hashing::kVerificationBits);
}

}  // namespace

std::optional<keyrate::Estimate> BlockResult::qber() const noexcept {
  if (!reconciled()) return std::nullopt;
  return keyrate::error_rate({.bits = report.key_bits, .errors = report.errors});
}

std::optional<double> BlockResult::efficiency() const noexcept {
  const double ideal = static_cast<double>(report.key_bits) * keyrate::binary_entropy(report.qber());
  if (!(ideal > 0)) return std::nullopt;
  return static_cast<double>(parities(report)) / ideal;
}

std::string BlockResult::verdict() const {
  if (!report.aborted) return keys_equal ? "key" : "KEYS DIFFER";
  return fmt::format("no key: {}", describe(*report.aborted));
}

void Total::add(const BlockResult& block) {
  const post::BlockReport& report = block.report;
  ++blocks;
  with_key += report.length > 0 ? 1 : 0;
  slots += report.slots;
  alice_clicks += block.alice_clicks;
  bob_clicks += report.clicks;
  coincidences += report.shared;
  key_bits += report.key_bits;
  disclosed += report.disclosed;
  length += report.length;
  keys += block.keys;
  seconds += block.seconds;
  keys_equal = keys_equal && block.keys_equal;
  phase.bits += report.tests.phase.bits;
  phase.errors += report.tests.phase.errors;
  if (report.tests.chsh && report.tests.chsh->deviation > 0) {
    const double weight = 1 / (report.tests.chsh->deviation * report.tests.chsh->deviation);
    s_weight += weight;
    s_sum += weight * report.tests.chsh->value;
  }
  if (!block.reconciled()) return;
  ++reconciled;
  batches += report.batches;
  reconciled_bits += report.key_bits;
  reconciled_errors += report.errors;
  reconciled_leak += parities(report);
  leak_of_ideal += static_cast<double>(report.key_bits) * keyrate::binary_entropy(report.qber());
}

std::optional<Estimate> Total::qber() const noexcept {
  return keyrate::error_rate({.bits = reconciled_bits, .errors = std::min(reconciled_errors, reconciled_bits)});
}

std::optional<Estimate> Total::s() const noexcept {
  if (!(s_weight > 0)) return std::nullopt;
  return Estimate{.value = s_sum / s_weight, .deviation = 1 / std::sqrt(s_weight)};
}

std::optional<double> Total::efficiency() const noexcept {
  if (!(leak_of_ideal > 0)) return std::nullopt;
  return static_cast<double>(reconciled_leak) / leak_of_ideal;
}

double Total::rate_per_s() const noexcept { return seconds > 0 ? static_cast<double>(length) / seconds : 0; }

double Total::secret_fraction() const noexcept {
  return key_bits > 0 ? static_cast<double>(length) / static_cast<double>(key_bits) : 0;
}

double Total::epsilon() const noexcept {
  const post::PostConfig post;  // what every run is made with
  return static_cast<double>(with_key) * (post.epsilon_secrecy + post.epsilon_correctness);
}

std::optional<double> phase_error_of(Mode mode, const post::BlockReport& report) noexcept {
  if (mode == Mode::Biased) {
    if (report.tests.phase.bits == 0) return std::nullopt;
    return report.tests.phase_error_rate();
  }
  if (!report.tests.chsh) return std::nullopt;
  return keyrate::phase_error(report.tests.chsh->value, report.qber());
}

}  // namespace qsp::e91::study
