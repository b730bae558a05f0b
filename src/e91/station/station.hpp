#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "e91/link/config.hpp"
#include "e91/party/party.hpp"
#include "e91/station/classical.hpp"
#include "e91/station/orders.hpp"
#include "qsp/endpoint.hpp"
#include "qsp/secret_bytes.hpp"

namespace qsp::e91::station {

/// The side of a KME link that hands a key out first. Those who feed the two sides agree on it: it is the last bit of
/// the ID.
Owners owner_of(const party::FinalKey& key) noexcept;

/// How long an aborted block is followed by no other: an attacked link would keep the machine busy for nothing.
inline constexpr std::chrono::seconds kPauseAfterAbort{1};

/// What a link needs so that a block has `key_bits` bits of sifted key, and no more clicks than a block may have; 0
/// where it brings none.
std::uint64_t slots_of_block(const link::LinkConfig& link, std::uint64_t key_bits);

/// What a station does to the world. Called from within the station's members.
class StationWorld {
 public:
  virtual ~StationWorld() = default;
  virtual void to_peer(std::vector<std::uint8_t> message) = 0;
  virtual void to_link(SecretBytes message) = 0;
  /// The session with the peer is of no more use: end it. The station has forgotten its pairing.
  virtual void end_pairing(std::string_view why) = 0;
  /// A block is over, with its keys where it was not given up.
  virtual void block_done(const post::BlockReport& report, std::vector<party::FinalKey>&& keys) = 0;
  /// For keys of which owners there is room.
  [[nodiscard]] virtual Owners wanted() const = 0;
};

/// Alice or Bob, sans I/O: pairs with the other station, orders blocks from the link, one at a time, and works out
/// their keys. Whatever breaks its order of things ends the pairing; a new session is a new pairing, with a new pad.
class StationMachine {
 public:
  /// `provider` and `world` outlive the station.
  StationMachine(crypto::Provider& provider, StationWorld& world, Side side, const StationPlan& plan,
                 std::chrono::nanoseconds patience)
      : provider_(provider), world_(world), side_(side), plan_(plan), patience_(patience) {}

  /// A session with the other station began; both ends have the same name and pad.
  void paired(const PairingName& name, Bytes bootstrap, Instant now);
  /// It ended.
  void unpaired();
  void peer_said(Bytes message, Instant now);
  /// The link's simulator can, or can no longer, be reached.
  void set_link(bool up, Instant now);
  void link_said(Bytes message, Instant now);
  /// Time passed, or wanted() may have changed.
  void tick(Instant now);

  [[nodiscard]] bool is_paired() const noexcept { return party_ != nullptr; }
  [[nodiscard]] bool link_up() const noexcept { return link_up_; }

 private:
  enum class State : std::uint8_t {
    Idle,
    Inviting,  ///< Alice waits for Bob, or Bob, invited, for his own link and room
    Ordered,   ///< the link plays
    Working,   ///< messages of the block
  };

  void on(const StationPlan& plan);
  void on(const Invitation& invitation, Instant now);
  void on(const Acceptance& acceptance, Instant now);
  void on(BlockMessage&& message, Instant now);
  void go_on(Instant now);
  void order(std::uint64_t number, Owners kept, Instant now);
  void work(Detections&& detections, Instant now);
  /// Passes on what the block has to say, and ends it where it is done.
  void pump(Instant now);
  void give_up(std::string_view why);

  crypto::Provider& provider_;
  StationWorld& world_;
  Side side_;
  StationPlan plan_;
  std::chrono::nanoseconds patience_;  ///< of one block
  std::unique_ptr<party::Party> party_;
  bool agreed_ = false;  ///< on the plan
  bool link_up_ = false;
  State state_ = State::Idle;
  BlockName block_;
  std::uint64_t next_ = 0;  ///< number of the next block
  Owners invited_ = 0;      ///< what Alice wants
  Owners kept_ = 0;
  Instant ends_ = Instant::max();  ///< of the block, by which it has to be over
  Instant pause_until_ = Instant::min();
  std::vector<std::vector<std::uint8_t>> early_;  ///< what the peer said of a block whose clicks are not here yet
};

}  // namespace qsp::e91::station
