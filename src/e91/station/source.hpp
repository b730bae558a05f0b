#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "e91/link/link.hpp"
#include "e91/station/eve_file.hpp"
#include "e91/station/orders.hpp"
#include "qsp/endpoint.hpp"
#include "qsp/secret_bytes.hpp"

namespace qsp::e91::station {

/// The quantum channel: plays a block when both stations have ordered it, and tells each what it saw itself. Sans I/O
/// but for the attacker's file.
class Source {
 public:
  struct Answers {
    BlockName block;
    std::array<SecretBytes, 2> message;  ///< for each side
    std::chrono::nanoseconds light{};    ///< how long the light of the block would have taken
  };

  /// `provider` outlives the source.
  static Result<Source> create(crypto::Provider& provider, const link::LinkConfig& config, EveChoice&& eve);

  /// A station's order, in place of what it had ordered before. Returns the answers to both, once both orders are in.
  /// Errors: InvalidMessage: drop the station; Provider: the link is of no more use.
  Result<std::optional<Answers>> order(Side side, Bytes message);
  /// The station is gone, and its order with it.
  void forget(Side side) { orders_.at(static_cast<std::size_t>(side)).reset(); }

  [[nodiscard]] std::uint64_t blocks() const noexcept { return blocks_; }

 private:
  Source(crypto::Provider& provider, const link::LinkConfig& config, link::Link&& link, EveChoice&& eve)
      : provider_(provider), config_(config), link_(std::move(link)), eve_(std::move(eve)) {}

  Result<Answers> play(Order&& alice, Order&& bob);
  [[nodiscard]] Answers decline(const Order& alice, const Order& bob, std::string_view why) const;
  Result<void> look_for_eve();

  crypto::Provider& provider_;
  link::LinkConfig config_;
  link::Link link_;
  EveChoice eve_;
  std::array<std::optional<Order>, 2> orders_;
  std::uint64_t blocks_ = 0;
};

}  // namespace qsp::e91::station
