#include "e91/link/state.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace qsp::e91::link {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kTight = 1e-12;

bool is_state(const State& state) { return State::create(state.matrix()).has_value(); }

TEST(State, of_a_singlet_gives_opposite_bits_at_equal_angles) {
  for (double a = -kPi; a < kPi; a += 0.37) {
    EXPECT_NEAR(State::singlet().probability(a, false, a, false), 0, kTight);
    for (double b = -kPi; b < kPi; b += 0.41) {
      EXPECT_NEAR(State::singlet().correlation(a, b), -std::cos(a - b), kTight);
      EXPECT_NEAR(State::werner(0.7).correlation(a, b), -0.7 * std::cos(a - b), kTight);
      EXPECT_NEAR(State::separable().correlation(a, b), -std::cos(a) * std::cos(b), kTight);
    }
  }
}

TEST(State, is_hermitian_of_trace_one_and_positive) {
  Eigen::Matrix4cd matrix = State::werner(0.3).matrix();
  EXPECT_TRUE(State::create(matrix).has_value());
  matrix(0, 1) += 0.01;
  EXPECT_EQ(State::create(matrix).error().where, "a density matrix is hermitian");
  EXPECT_EQ(State::create(2 * State::singlet().matrix()).error().where, "a density matrix has the trace 1");
  matrix = Eigen::Vector4cd(0.6, 0.6, -0.1, -0.1).asDiagonal();
  EXPECT_EQ(State::create(matrix).error().where, "a density matrix has no negative eigenvalue");
  matrix(0, 0) = std::nan("");
  EXPECT_FALSE(State::create(matrix).has_value());
}

TEST(Channel, leaves_a_state) {
  for (const Channel& channel : {Channel(), Channel::rotation(Axis::UnitX(), 0.3), Channel::depolarising(0.6),
                                 Channel::dephasing(in_plane(0.4), 0.2), Channel::measured(in_plane(1)),
                                 Channel::measured(in_plane(1)).for_fraction(0.3).then(Channel::depolarising(0.9))}) {
    for (const Side side : {Side::Alice, Side::Bob}) {
      EXPECT_TRUE(is_state(State::singlet().after(channel, side)));
      EXPECT_TRUE(is_state(State::separable().after(channel, side)));
    }
  }
}

TEST(Channel, that_depolarises_makes_a_singlet_a_werner_state) {
  const State noisy = State::singlet().after(Channel::depolarising(0.83), Side::Bob);
  EXPECT_TRUE(noisy.matrix().isApprox(State::werner(0.83).matrix(), kTight));
}

TEST(Channel, that_rotates_shifts_the_angle) {
  const State turned = State::singlet().after(Channel::rotation(Axis::UnitY(), 0.2), Side::Bob);
  EXPECT_NEAR(turned.correlation(0.5, 0.9), -std::cos(0.5 - 0.9 + 0.2), kTight);
  const State other = State::singlet().after(Channel::rotation(Axis::UnitY(), 0.2), Side::Alice);
  EXPECT_NEAR(other.correlation(0.5, 0.9), -std::cos(0.5 - 0.9 - 0.2), kTight);
}

TEST(Channel, that_measures_leaves_what_a_product_of_two_pairs_would) {
  const double eve = 0.7;
  for (double a = 0; a < kPi; a += 0.3) {
    for (double b = 0; b < kPi; b += 0.3) {
      const double resent = -std::cos(a - eve) * std::cos(eve - b);
      EXPECT_NEAR(State::singlet().after(Channel::measured(in_plane(eve)), Side::Bob).correlation(a, b), resent,
                  kTight);
      EXPECT_NEAR(State::singlet().after(Channel::dephasing(in_plane(eve), 0), Side::Alice).correlation(a, b), resent,
                  kTight);
      const double half = (-std::cos(a - b) + resent) / 2;
      EXPECT_NEAR(State::singlet().after(Channel::dephasing(in_plane(eve), 0.5), Side::Bob).correlation(a, b), half,
                  kTight);
      EXPECT_NEAR(
          State::singlet().after(Channel::measured(in_plane(eve)).for_fraction(0.5), Side::Bob).correlation(a, b), half,
          kTight);
    }
  }
}

TEST(Channel, comes_before_the_one_that_is_then) {
  const Channel quarter = Channel::rotation(Axis::UnitY(), kPi / 2);
  const Channel measured = Channel::measured(in_plane(0));
  const State before = State::singlet().after(measured, Side::Bob).after(quarter, Side::Bob);
  EXPECT_TRUE(State::singlet().after(measured.then(quarter), Side::Bob).matrix().isApprox(before.matrix(), kTight));
  EXPECT_FALSE(State::singlet().after(quarter.then(measured), Side::Bob).matrix().isApprox(before.matrix(), 0.1));
}

}  // namespace
}  // namespace qsp::e91::link
