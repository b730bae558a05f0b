#pragma once

#include <Eigen/Core>

#include "e91/link/channel.hpp"
#include "e91/setting.hpp"
#include "qsp/error.hpp"

namespace qsp::e91::link {

/// The polarisation of one pair of photons: a density matrix over |00>, |01>, |10>, |11>, Alice's photon first.
class State {
 public:
  /// (|01> − |10>)/√2: equal angles give opposite bits, E(a, b) = −cos(a − b).
  static State singlet();
  /// The singlet with probability `visibility`, else white noise. Precondition: 0 <= visibility <= 1.
  static State werner(double visibility);
  /// |01> or |10>, evenly: opposite bits at angle 0, and no entanglement.
  static State separable();
  /// Error: ApiMisuse where the matrix is not hermitian, not of trace 1 or not positive (to 1e-9).
  static Result<State> create(const Eigen::Matrix4cd& matrix);

  /// The state once the photon of one side went through `channel`.
  [[nodiscard]] State after(const Channel& channel, Side side) const;
  /// How likely Alice's analyser at angle `alice` gives `alice_bit` and Bob's at `bob` gives `bob_bit`. Bloch angles,
  /// in radians.
  [[nodiscard]] double probability(double alice, bool alice_bit, double bob, bool bob_bit) const;
  /// E(a, b): how much likelier equal bits are than different ones.
  [[nodiscard]] double correlation(double alice, double bob) const;

  [[nodiscard]] const Eigen::Matrix4cd& matrix() const noexcept { return matrix_; }

 private:
  explicit State(Eigen::Matrix4cd matrix) : matrix_(std::move(matrix)) {}

  Eigen::Matrix4cd matrix_;
};

}  // namespace qsp::e91::link
