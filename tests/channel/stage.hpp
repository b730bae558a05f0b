#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channel/puppet.hpp"

namespace qsp::test {

/// Every state of SPEC §5.6 and §7.3 in which an end can receive a frame, and the half-closed one of §8.1.
enum class State : std::uint8_t {
  AwaitServerHello,
  AwaitServerAuth,
  ClientAwaitQkdKey,
  AwaitServerFinish,
  ClientIdle,
  AwaitDecKey,
  AwaitDone,
  ClientAfterEnd,
  AwaitClientHello,
  AwaitClientAuth,
  ServerAwaitQkdKey,
  ServerIdle,
  AwaitEncKey,
  AwaitAck,       ///< to an INIT with share and key_ID
  AwaitAckNoKey,  ///< to an INIT with a share alone
  AwaitAckLight,  ///< to an INIT with neither
  ServerAfterEnd,
};
std::string_view name(State state) noexcept;
std::vector<State> all_states();
constexpr Role role_of(State state) noexcept { return state < State::AwaitClientHello ? Role::Client : Role::Server; }

/// One genuine end opposite a Puppet that plays the other party of a World: alice is the client, bob the server.
class Stage {
 public:
  using Prepare = std::function<void(World&)>;

  explicit Stage(Role genuine, QkdPolicy qkd = QkdPolicy::None, const Prepare& prepare = {});
  /// The same over providers of the caller's choice.
  Stage(Role genuine, std::unique_ptr<World> world, const Prepare& prepare);

  [[nodiscard]] World& world() noexcept { return *world_; }
  [[nodiscard]] Puppet& puppet() noexcept { return *puppet_; }
  [[nodiscard]] Pair& pair() noexcept { return *pair_; }
  [[nodiscard]] Role genuine() const noexcept { return genuine_; }
  [[nodiscard]] Endpoint& end() { return channel(*pair_, genuine_); }
  [[nodiscard]] const Seen& seen() const noexcept { return pair_->seen(genuine_); }
  /// The reason with which the genuine end has closed, or nothing.
  [[nodiscard]] std::optional<Reason> closed() const;

  void give(const Frame& frame) { pair_->inject(genuine_, frame); }
  /// The oldest frame that the genuine end made and nobody took; empty where there is none.
  Frame take();
  /// Answers the genuine end's last QkdKeyNeeded; the puppet's script gets the same key.
  void answer_qkd();

  /// Runs the protocol lawfully until the genuine end is in this state, which must be one of its role. Call once.
  void reach(State state);
  /// Runs it until both are established.
  void establish() { reach(genuine_ == Role::Client ? State::ClientIdle : State::ServerIdle); }

 private:
  void reach_as_client(State state);
  void reach_as_server(State state);

  const Role genuine_;
  std::unique_ptr<World> world_;
  std::unique_ptr<Puppet> puppet_;
  std::unique_ptr<Pair> pair_;
};

/// The QKD policy under which a state exists at all.
QkdPolicy policy_of(State state) noexcept;
/// A stage that has reached it.
std::unique_ptr<Stage> staged(State state, const Stage::Prepare& prepare = {});

}  // namespace qsp::test
