#pragma once

#include "e91/link/alias.hpp"
#include "e91/random.hpp"

namespace qsp::e91::link {

/// How a sampler finds the slots in which something clicks.
enum class Strategy : std::uint8_t {
  Dense,   ///< one draw for each slot
  Sparse,  ///< one draw for each gap between them: for links where clicks are rare
};

/// The faster of the two for these tables.
Strategy faster(const ClickTables& tables) noexcept;

/// Draws what the detectors of both stations do, slot by slot.
class Sampler {
 public:
  Sampler(const ClickTables& tables, const Stations& stations, Strategy strategy) noexcept;

  /// Plays the next `slots` slots and puts each station's clicks in place of what its list held.
  void sample(RandomStream& random, Settings& alice, Settings& bob, std::uint64_t slots, Clicks& to_alice,
              Clicks& to_bob);

 private:
  using Tables = std::array<AliasTable, kMaxSettings * kMaxSettings>;

  template <bool kDeadTime>
  void sample_dense(RandomStream& random, Settings& alice, Settings& bob, std::uint64_t slots, Clicks& to_alice,
                    Clicks& to_bob);
  void sample_sparse(RandomStream& random, Settings& alice, Settings& bob, std::uint64_t slots, Clicks& to_alice,
                     Clicks& to_bob);

  Strategy strategy_;
  DeadTime dead_time_;
  std::uint64_t played_ = 0;  ///< slots, since the first ever

  /// By Alice's setting · kMaxSettings + Bob's. In Sparse: for slots whose outcome depends on the settings.
  Tables by_settings_;
  /// In Sparse: outcomes that are as likely for all settings. Its outcome 0 stands for "depends on the settings".
  AliasTable common_;
  double candidate_ = 0;  ///< in Sparse: how likely a slot is drawn from `common_`
};

}  // namespace qsp::e91::link
