#include "e91/post/estimate.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "e91/hashing/verification.hpp"
#include "e91/keyrate/key_length.hpp"
#include "e91/keyrate/rate.hpp"
#include "e91/keyrate/verdict.hpp"
#include "e91/post/authentication_pad.hpp"

namespace qsp::e91::post {
namespace {

constexpr std::uint32_t kLeastExpected = 1000;  ///< 0.1 %: a sample without errors does not promise none
constexpr std::uint32_t kMostExpected = 250'000;

std::optional<Abort> abort_for(keyrate::Verdict verdict) noexcept {
  switch (verdict) {
    case keyrate::Verdict::Accept:
      return std::nullopt;
    case keyrate::Verdict::NoSample:
      return Abort::TooFewRounds;
    case keyrate::Verdict::NoBellViolation:
    case keyrate::Verdict::ChshBelowFloor:
      return Abort::BellTest;
    case keyrate::Verdict::ErrorRate:
      return Abort::ErrorRate;
    case keyrate::Verdict::NoKey:
      return Abort::NoKey;
  }
  return Abort::NoKey;
}

std::optional<Abort> judge(const PostConfig& config, const TestResult& tests, const keyrate::Sample& key,
                           std::uint64_t length) {
  return abort_for(keyrate::judge(
      {.sample = config.mode == Mode::Biased ? tests.phase : key, .chsh = tests.chsh, .length = length},
      {.max_error_rate = config.error_tolerance, .chsh_floor = config.bell_floor, .sigmas = config.sigmas}));
}

}  // namespace

Outcomes count_outcomes(const Bits& alice, const Bits& bob, const std::vector<std::uint8_t>& pairs) {
  Outcomes outcomes{};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    keyrate::Coincidences& counts = outcomes.at(pairs[i]);
    ++(alice[i] == bob[i] ? counts.same : counts.different);
  }
  return outcomes;
}

TestResult evaluate(Mode mode, const Outcomes& outcomes) {
  const auto of = [&](std::size_t alice, std::size_t bob) { return outcomes.at(kMaxSettings * alice + bob); };
  // Where the two angles of the CHSH test stand in either mode's list.
  const std::size_t a3 = mode == Mode::Biased ? 1 : 2;
  const std::size_t b1 = mode == Mode::Biased ? 2 : 0;
  const std::size_t b3 = mode == Mode::Biased ? 3 : 2;
  TestResult result;
  result.chsh = keyrate::chsh({.a1_b1 = of(0, b1), .a1_b3 = of(0, b3), .a3_b1 = of(a3, b1), .a3_b3 = of(a3, b3)});
  if (mode == Mode::Biased) {
    const keyrate::Coincidences x = of(1, 1);
    // The singlet gives different outcomes; equal ones are errors.
    result.phase = {.bits = x.same + x.different, .errors = x.same};
  }
  return result;
}

std::uint32_t expected_error_ppm(Mode mode, const TestResult& tests) noexcept {
  std::uint64_t ppm = 0;
  if (mode == Mode::Biased) {
    ppm = tests.phase.bits == 0 ? 0 : tests.phase.errors * 1'000'000 / tests.phase.bits;
  } else if (tests.chsh) {
    const double visibility = std::abs(tests.chsh->value) / (2 * std::numbers::sqrt2);
    ppm = static_cast<std::uint64_t>(std::clamp((1 - visibility) / 2, 0.0, 0.5) * 1e6);
  }
  return std::clamp(static_cast<std::uint32_t>(ppm), kLeastExpected, kMostExpected);
}

std::optional<Abort> object_to_tests(const PostConfig& config, const TestResult& tests, std::uint64_t key_bits) {
  // The key's own errors and its length are not known yet: nothing is held against them.
  return judge(config, tests, {.bits = key_bits, .errors = 0}, 1);
}

Certified certify(const PostConfig& config, const TestResult& tests, const Reconciled& reconciled) {
  if (hashing::verification_failure(reconciled.key_bits) > config.epsilon_correctness) return {};
  const std::uint64_t parities = reconciled.disclosed - hashing::kVerificationBits;
  const double key_error =
      static_cast<double>(reconciled.errors) / static_cast<double>(std::max<std::uint64_t>(1, reconciled.key_bits));
  std::uint64_t length = 0;
  if (config.mode == Mode::Biased) {
    length = keyrate::key_length({.key_bits = reconciled.key_bits,
                                  .test_bits = tests.phase.bits,
                                  .test_error_rate = tests.phase_error_rate(),
                                  .disclosed = parities,
                                  .verification = hashing::kVerificationBits,
                                  .secrecy = config.epsilon_secrecy})
                 .bits;
  } else {
    length = keyrate::asymptotic_length({.key_bits = reconciled.key_bits,
                                         .chsh = tests.chsh.value_or(keyrate::Estimate{}),
                                         .bit_error = key_error,
                                         .disclosed = parities,
                                         .verification = hashing::kVerificationBits,
                                         .secrecy = config.epsilon_secrecy,
                                         .sigmas = config.sigmas});
  }
  if (length <= AuthenticationPad::kBlockCost * 8) length = 0;
  const auto objection = judge(config, tests, {.bits = reconciled.key_bits, .errors = reconciled.errors}, length);
  if (objection) return {.length = 0, .reason = *objection};
  return {.length = length, .reason = Abort::NoKey};
}

}  // namespace qsp::e91::post
