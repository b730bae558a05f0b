#include "e91/link/state.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

namespace qsp::e91::link {

namespace {

constexpr double kTolerance = 1e-9;

/// The projector on `bit` of an analyser: ½(1 ± n·σ).
Eigen::Matrix2cd projector(double angle, bool bit) {
  const Eigen::Matrix2cd along = std::cos(angle) * pauli(2) + std::sin(angle) * pauli(0);
  return (Eigen::Matrix2cd::Identity() + (bit ? -along : along)) / 2;
}

Eigen::Matrix4cd product(const Eigen::Matrix2cd& alice, const Eigen::Matrix2cd& bob) {
  Eigen::Matrix4cd joint;
  for (Eigen::Index i = 0; i < 2; ++i) {
    for (Eigen::Index j = 0; j < 2; ++j) joint.block<2, 2>(2 * i, 2 * j) = alice(i, j) * bob;
  }
  return joint;
}

}  // namespace

State State::singlet() { return werner(1); }

State State::werner(double visibility) {
  Eigen::Vector4cd vector;
  vector << 0, std::sqrt(0.5), -std::sqrt(0.5), 0;
  return State(visibility * (vector * vector.adjoint()) + (1 - visibility) / 4 * Eigen::Matrix4cd::Identity());
}

State State::separable() {
  Eigen::Matrix4cd matrix = Eigen::Matrix4cd::Zero();
  matrix(1, 1) = matrix(2, 2) = 0.5;
  return State(matrix);
}

Result<State> State::create(const Eigen::Matrix4cd& matrix) {
  const auto bad = [](std::string_view what) { return fail(ErrorKind::ApiMisuse, Reason::InternalError, what); };
  if (!matrix.allFinite()) return bad("a density matrix holds numbers that are not finite");
  if (!matrix.isApprox(matrix.adjoint(), kTolerance)) return bad("a density matrix is hermitian");
  if (std::abs(matrix.trace() - 1.0) > kTolerance) return bad("a density matrix has the trace 1");
  const Eigen::SelfAdjointEigenSolver<Eigen::Matrix4cd> solver(matrix, Eigen::EigenvaluesOnly);
  if (solver.eigenvalues().minCoeff() < -kTolerance) return bad("a density matrix has no negative eigenvalue");
  return State(matrix);
}

State State::after(const Channel& channel, Side side) const {
  Eigen::Matrix4cd result = Eigen::Matrix4cd::Zero();
  const Eigen::Matrix2cd same = Eigen::Matrix2cd::Identity();
  for (const Turn& turn : channel.turns()) {
    const Eigen::Matrix4cd joint = side == Side::Alice ? product(turn.unitary, same) : product(same, turn.unitary);
    result += turn.weight * (joint * matrix_ * joint.adjoint());
  }
  return State(result);
}

double State::probability(double alice, bool alice_bit, double bob, bool bob_bit) const {
  const double exact = (matrix_ * product(projector(alice, alice_bit), projector(bob, bob_bit))).trace().real();
  return std::clamp(exact, 0.0, 1.0);  // rounding may leave a little less than nothing
}

double State::correlation(double alice, double bob) const {
  return probability(alice, false, bob, false) + probability(alice, true, bob, true) -
         probability(alice, false, bob, true) - probability(alice, true, bob, false);
}

}  // namespace qsp::e91::link
