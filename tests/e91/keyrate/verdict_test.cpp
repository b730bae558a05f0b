#include "e91/keyrate/verdict.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace qsp::e91::keyrate {
namespace {

Findings good() { return {.sample = {100'000, 3'000}, .chsh = Estimate{-2.66, 0.01}, .length = 1}; }

template <class Change>
Verdict judged(Change change, const Thresholds& thresholds = {}) {
  Findings findings = good();
  change(findings);
  return judge(findings, thresholds);
}

TEST(Judge, accepts_a_block_that_breaks_no_rule) {
  EXPECT_EQ(judged([](Findings&) {}), Verdict::Accept);
  EXPECT_EQ(judged([](Findings& f) { f.chsh->value = 2.66; }), Verdict::Accept);
}

TEST(Judge, names_the_rule_that_a_block_breaks) {
  EXPECT_EQ(judged([](Findings& f) { f.sample = {}; }), Verdict::NoSample);
  EXPECT_EQ(judged([](Findings& f) { f.chsh.reset(); }), Verdict::NoSample);
  EXPECT_EQ(judged([](Findings& f) { f.chsh->value = -1.4; }), Verdict::NoBellViolation);
  EXPECT_EQ(judged([](Findings& f) { f.chsh->deviation = 0.3; }), Verdict::NoBellViolation);
  EXPECT_EQ(judged([](Findings& f) { f.chsh->value = -2.2; }), Verdict::ChshBelowFloor);
  EXPECT_EQ(judged([](Findings& f) { f.sample.errors = 11'000; }), Verdict::ErrorRate);
  EXPECT_EQ(judged([](Findings& f) { f.sample = {100, 3}; }), Verdict::ErrorRate);
  EXPECT_EQ(judged([](Findings& f) { f.length = 0; }), Verdict::NoKey);
}

TEST(Judge, a_lower_floor_does_not_let_classical_correlations_pass) {
  const Thresholds lax{.max_error_rate = 1, .chsh_floor = 0, .sigmas = 3};
  EXPECT_EQ(judged([](Findings& f) { f.chsh = Estimate{-2.1, 0.01}; }, lax), Verdict::Accept);
  EXPECT_EQ(judged([](Findings& f) { f.chsh = Estimate{-2.0, 0}; }, lax), Verdict::NoBellViolation);
  EXPECT_EQ(judged([](Findings& f) { f.chsh = Estimate{-1.414, 0.01}; }, lax), Verdict::NoBellViolation);
}

TEST(Judge, high_limits_refuse_more) {
  EXPECT_EQ(judged([](Findings&) {}, {.chsh_floor = 2.7}), Verdict::ChshBelowFloor);
  EXPECT_EQ(judged([](Findings&) {}, {.max_error_rate = 0.03}), Verdict::ErrorRate);
}

TEST(Judge, what_is_not_a_number_breaks_its_rule) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(judged([&](Findings& f) { f.chsh->value = none; }), Verdict::NoBellViolation);
  EXPECT_EQ(judged([&](Findings& f) { f.chsh->deviation = none; }), Verdict::NoBellViolation);
  EXPECT_EQ(judged([](Findings&) {}, {.max_error_rate = none}), Verdict::ErrorRate);
  EXPECT_EQ(judged([](Findings&) {}, {.chsh_floor = none}), Verdict::ChshBelowFloor);
}

TEST(Verdict, every_verdict_has_a_name_of_its_own) {
  std::set<std::string_view> names;
  for (const auto verdict : {Verdict::Accept, Verdict::NoSample, Verdict::NoBellViolation, Verdict::ChshBelowFloor,
                             Verdict::ErrorRate, Verdict::NoKey}) {
    names.insert(name(verdict));
  }
  EXPECT_EQ(names.size(), 6U);
}

}  // namespace
}  // namespace qsp::e91::keyrate
