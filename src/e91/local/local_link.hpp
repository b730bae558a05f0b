#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "e91/link/link.hpp"
#include "e91/party/party.hpp"

namespace qsp::e91::local {

struct LocalConfig {
  link::LinkConfig link;
  post::PostConfig post;                 ///< begins as post_of(link)
  std::uint64_t block_bits = 1'000'000;  ///< sifted key bits that a block aims at, at most kMaxKeyBits
};

/// One block as both ends saw it, and what only a simulation can compare.
struct BlockOutcome {
  post::BlockReport alice;
  post::BlockReport bob;
  std::uint64_t alice_clicks = 0;
  double link_seconds = 0;  ///< of simulated time
  std::vector<party::FinalKey> alice_keys;
  std::vector<party::FinalKey> bob_keys;
  bool keys_equal = false;  ///< same IDs, same bytes
};

/// A link and its two stations in one process: the classical channel is memory, the pad begins with random bytes.
/// Everything else is what three processes do. Simulated: its keys are as secret as this process.
class LocalLink {
 public:
  /// `provider` outlives the run. Errors: ApiMisuse for a configuration that cannot be; Provider.
  static Result<std::unique_ptr<LocalLink>> create(crypto::Provider& provider, const LocalConfig& config,
                                                   const link::Eve& eve, post::Listener listener = {});

  /// Plays and processes the next block. Error: Provider.
  Result<BlockOutcome> block();

  /// From the next block on. Error: Provider.
  Result<void> set_eve(const link::Eve& eve);

  [[nodiscard]] std::uint64_t slots_per_block() const noexcept { return slots_; }
  [[nodiscard]] const LocalConfig& config() const noexcept { return config_; }

 private:
  LocalLink(crypto::Provider& provider, const LocalConfig& config, std::uint64_t slots, link::Link&& link,
            post::Listener&& listener) noexcept;
  Result<void> pair();

  crypto::Provider& provider_;
  LocalConfig config_;
  std::uint64_t slots_;
  link::Link link_;
  post::Listener listener_;
  std::unique_ptr<party::Party> alice_;
  std::unique_ptr<party::Party> bob_;
  std::uint64_t next_block_ = 0;
  std::size_t most_clicks_ = 0;  ///< of one side in a block, and some more
};

/// What the post-processing takes from the link: mode and dead times. All else is as it is by default.
post::PostConfig post_of(const link::LinkConfig& link);

/// Slots in which a link is expected to bring so many bits of sifted key, or somewhat less where chance might bring
/// more than kMaxKeyBits, with which the block would be given up; 0 where it brings none.
std::uint64_t slots_for(const link::LinkConfig& link, std::uint64_t key_bits);

/// Passes messages between two blocks until neither has more to say.
void settle(post::Block& alice, post::Block& bob);

}  // namespace qsp::e91::local
