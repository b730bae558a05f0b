#include "e91/link/channel.hpp"

#include <cmath>
#include <complex>
#include <numbers>

namespace qsp::e91::link {

namespace {

using Complex = std::complex<double>;

Eigen::Matrix2cd turn_about(const Axis& axis, double angle) {
  Eigen::Matrix2cd generator = Eigen::Matrix2cd::Zero();
  for (int i = 0; i < 3; ++i) generator += axis[i] * pauli(i);
  return std::cos(angle / 2) * Eigen::Matrix2cd::Identity() - Complex(0, std::sin(angle / 2)) * generator;
}

}  // namespace

Axis in_plane(double angle) noexcept { return {std::sin(angle), 0, std::cos(angle)}; }

Eigen::Matrix2cd pauli(int index) {
  Eigen::Matrix2cd matrix;
  if (index == 0) matrix << 0, 1, 1, 0;
  if (index == 1) matrix << 0, Complex(0, -1), Complex(0, 1), 0;
  if (index == 2) matrix << 1, 0, 0, -1;
  return matrix;
}

Channel::Channel() : turns_{{1, Eigen::Matrix2cd::Identity()}} {}

Channel Channel::rotation(const Axis& axis, double angle) { return Channel({{1, turn_about(axis, angle)}}); }

Channel Channel::depolarising(double visibility) {
  if (visibility == 1) return {};
  std::vector<Turn> turns{{(1 + 3 * visibility) / 4, Eigen::Matrix2cd::Identity()}};
  for (int i = 0; i < 3; ++i) turns.push_back({(1 - visibility) / 4, pauli(i)});
  return Channel(std::move(turns));
}

Channel Channel::dephasing(const Axis& axis, double overlap) {
  return rotation(axis, std::numbers::pi).for_fraction((1 - overlap) / 2);
}

Channel Channel::measured(const Axis& axis) {
  // Counts m and m' of n photons differ by n at most, and the average of e^{iξ(m−m')} over more than n evenly spaced ξ
  // is zero wherever m and m' differ.
  constexpr int kSteps = kMeasuredPhotons + 1;
  std::vector<Turn> turns;
  turns.reserve(kSteps);
  for (int i = 0; i < kSteps; ++i) turns.push_back({1.0 / kSteps, turn_about(axis, 2 * std::numbers::pi * i / kSteps)});
  return Channel(std::move(turns));
}

Channel Channel::for_fraction(double fraction) const {
  if (fraction <= 0) return {};
  std::vector<Turn> turns;
  if (fraction < 1) turns.push_back({1 - fraction, Eigen::Matrix2cd::Identity()});
  for (const Turn& turn : turns_) turns.push_back({turn.weight * fraction, turn.unitary});
  return Channel(std::move(turns));
}

Channel Channel::then(const Channel& next) const {
  std::vector<Turn> turns;
  for (const Turn& first : turns_) {
    for (const Turn& second : next.turns_) {
      turns.push_back({first.weight * second.weight, second.unitary * first.unitary});
    }
  }
  return Channel(std::move(turns));
}

Eigen::Matrix3d bloch_rotation(const Eigen::Matrix2cd& unitary) {
  Eigen::Matrix3d rotation;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      rotation(i, j) = (pauli(i) * unitary * pauli(j) * unitary.adjoint()).trace().real() / 2;
    }
  }
  return rotation;
}

}  // namespace qsp::e91::link
