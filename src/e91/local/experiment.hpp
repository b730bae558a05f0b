#pragma once

#include <cstdint>

#include "e91/link/config.hpp"
#include "e91/link/eve.hpp"
#include "e91/post/estimate.hpp"
#include "qsp/crypto.hpp"

namespace qsp::e91::local {

/// What a laboratory with both stations' clicks on one table counts. No station can: the outcomes of the key are among
/// them.
struct Observation {
  post::Outcomes outcomes{};  ///< of every pair of settings
  std::uint64_t alice_clicks = 0;
  std::uint64_t bob_clicks = 0;
  double seconds = 0;  ///< of simulated time

  [[nodiscard]] std::uint64_t coincidences() const noexcept;
  void add(const Observation& other) noexcept;
};

/// Plays a link for so many slots. Errors: as `Link`.
Result<Observation> observe(crypto::Provider& provider, const link::LinkConfig& config, const link::Eve& eve,
                            std::uint64_t slots);

/// Key rounds and the errors among them.
keyrate::Sample key_sample(Mode mode, const post::Outcomes& outcomes);

/// E(a, b) of one pair of settings and its standard deviation; nothing where the pair never occurred.
std::optional<keyrate::Estimate> correlation(const post::Outcomes& outcomes, std::size_t alice, std::size_t bob);

}  // namespace qsp::e91::local
