#include "e91/keyrate/verdict.hpp"

#include <cmath>

namespace qsp::e91::keyrate {

std::string_view name(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::Accept:
      return "accept";
    case Verdict::NoSample:
      return "no sample";
    case Verdict::NoBellViolation:
      return "no Bell violation";
    case Verdict::ChshBelowFloor:
      return "CHSH value below its floor";
    case Verdict::ErrorRate:
      return "error rate above its tolerance";
    case Verdict::NoKey:
      return "no key";
  }
  return "unknown";
}

Verdict judge(const Findings& findings, const Thresholds& thresholds) noexcept {
  constexpr double kClassicalBound = 2;
  // Written so that a value that is not a number breaks its rule.
  if (findings.sample.bits == 0 || !findings.chsh) return Verdict::NoSample;
  const double s = std::abs(findings.chsh->value);
  if (!(s - thresholds.sigmas * findings.chsh->deviation > kClassicalBound)) return Verdict::NoBellViolation;
  if (!(s >= thresholds.chsh_floor)) return Verdict::ChshBelowFloor;
  if (!(error_rate_bound(findings.sample, thresholds.sigmas) <= thresholds.max_error_rate)) return Verdict::ErrorRate;
  if (findings.length == 0) return Verdict::NoKey;
  return Verdict::Accept;
}

}  // namespace qsp::e91::keyrate
