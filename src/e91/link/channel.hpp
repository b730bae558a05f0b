#pragma once

#include <Eigen/Core>
#include <vector>

/// Polarisation noise. Every change of polarisation that this simulator knows is a unitary drawn at random for each
/// pulse, the same for all photons of the pulse: so one description serves single pairs (the density matrix of `State`)
/// and pulses of many pairs (`Light`).
namespace qsp::e91::link {

/// One of the unitaries that a channel may apply, and how likely it is.
struct Turn {
  double weight;
  Eigen::Matrix2cd unitary;
};

/// An axis of the Bloch sphere as a unit vector (x, y, z). Analysers lie in the x–z plane; z is angle 0, x is π/2.
using Axis = Eigen::Vector3d;

/// The axis at Bloch angle `angle`, in radians, in the plane of the analysers.
Axis in_plane(double angle) noexcept;

/// A mixture of unitaries on the photons of one arm.
class Channel {
 public:
  /// Leaves every photon as it is.
  Channel();
  /// Precondition: weights are positive and add up to 1, the matrices are unitary.
  explicit Channel(std::vector<Turn> turns) : turns_(std::move(turns)) {}

  /// A turn of the Bloch sphere about `axis` by `angle` radians: an arm that is misaligned by it.
  static Channel rotation(const Axis& axis, double angle);
  /// Shrinks the Bloch vector of one photon to `visibility`, in every direction. Precondition: 0 <= visibility <= 1.
  static Channel depolarising(double visibility);
  /// Shrinks what is across `axis` to `overlap` of itself: what is left when the environment learns which of the two
  /// states along `axis` a photon has, in states of that overlap. Precondition: 0 <= overlap <= 1.
  static Channel dephasing(const Axis& axis, double overlap);
  /// Counts the photons along and across `axis` and sends on as many of each: no coherence between different counts is
  /// left. Exact for up to kMeasuredPhotons photons in a pulse.
  static Channel measured(const Axis& axis);
  static constexpr int kMeasuredPhotons = 31;

  /// This channel for a fraction of the pulses, nothing for the others. Precondition: 0 <= fraction <= 1.
  [[nodiscard]] Channel for_fraction(double fraction) const;
  /// This channel and then `next`.
  [[nodiscard]] Channel then(const Channel& next) const;

  [[nodiscard]] const std::vector<Turn>& turns() const noexcept { return turns_; }

 private:
  std::vector<Turn> turns_;
};

/// How a unitary turns the Bloch sphere.
Eigen::Matrix3d bloch_rotation(const Eigen::Matrix2cd& unitary);

/// The Pauli matrices x, y and z, for `index` 0, 1 and 2.
Eigen::Matrix2cd pauli(int index);

}  // namespace qsp::e91::link
