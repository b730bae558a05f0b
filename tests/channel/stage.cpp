#include "channel/stage.hpp"

#include <array>
#include <utility>

namespace qsp::test {
namespace {

using wire::FrameType;

constexpr std::array<std::string_view, 17> kNames{
    "AwaitServerHello", "AwaitServerAuth", "ClientAwaitQkdKey", "AwaitServerFinish", "ClientIdle",        "AwaitDecKey",
    "AwaitDone",        "ClientAfterEnd",  "AwaitClientHello",  "AwaitClientAuth",   "ServerAwaitQkdKey", "ServerIdle",
    "AwaitEncKey",      "AwaitAck",        "AwaitAckNoKey",     "AwaitAckLight",     "ServerAfterEnd"};

/// Stands in a Pair where the puppet is: says nothing, hears nothing.
class Mute final : public Endpoint {
 public:
  std::size_t handle_bytes(MutableBytes in, Instant /*now*/) override { return in.size(); }
  [[nodiscard]] std::size_t bytes_needed() const noexcept override { return 0; }
  void handle_end_of_stream(Instant /*now*/) override {}
  [[nodiscard]] std::optional<Instant> next_timeout() const noexcept override { return std::nullopt; }
  void handle_timeout(Instant /*now*/) override {}
  std::optional<Event> poll_event() override { return std::nullopt; }
  std::size_t poll_transmit(MutableBytes /*out*/) override { return 0; }
  [[nodiscard]] FrameRoom frame_room() const noexcept override { return {}; }
  Result<void> seal_app_data(MutableBytes /*frame*/, std::size_t /*size*/, bool /*end*/, Instant /*now*/) override {
    return {};
  }
  Result<void> request_rekey(Instant /*now*/) override { return {}; }
  void close(Reason /*reason*/, std::string_view /*text*/) override {}
  [[nodiscard]] Phase phase() const noexcept override { return Phase::Established; }
  [[nodiscard]] std::uint64_t session_id() const noexcept override { return 0; }
  [[nodiscard]] std::uint32_t epoch() const noexcept override { return 0; }
};

}  // namespace

std::string_view name(State state) noexcept { return kNames[std::to_underlying(state)]; }

std::vector<State> all_states() {
  std::vector<State> states;
  for (std::uint8_t i = 0; i < kNames.size(); ++i) states.push_back(static_cast<State>(i));
  return states;
}

QkdPolicy policy_of(State state) noexcept {
  switch (state) {
    case State::ClientAwaitQkdKey:
    case State::AwaitDecKey:
    case State::ServerAwaitQkdKey:
    case State::AwaitEncKey:
    case State::AwaitAck:
      return QkdPolicy::Preferred;
    default:
      return QkdPolicy::None;
  }
}

std::unique_ptr<Stage> staged(State state, const Stage::Prepare& prepare) {
  auto stage = std::make_unique<Stage>(role_of(state), policy_of(state), [&](World& world) {
    world.server.rekey.light = state == State::AwaitAckLight;
    if (prepare) prepare(world);
  });
  stage->reach(state);
  return stage;
}

Stage::Stage(Role genuine, QkdPolicy qkd, const Prepare& prepare)
    : Stage(genuine, std::make_unique<World>(qkd), prepare) {}

Stage::Stage(Role genuine, std::unique_ptr<World> world, const Prepare& prepare)
    : genuine_(genuine), world_(std::move(world)) {
  if (prepare) prepare(*world_);
  const Instant start = std::chrono::seconds(1);
  const bool client = genuine == Role::Client;
  if (client) {
    pair_ = std::make_unique<Pair>(Channel::client(*world_->client_provider, world_->client, start).value(),
                                   std::make_unique<Mute>());
    puppet_ = std::make_unique<Puppet>(Role::Server, *world_->server_provider, world_->bob);
  } else {
    pair_ = std::make_unique<Pair>(std::make_unique<Mute>(),
                                   Channel::server(*world_->server_provider, world_->server, start).value());
    puppet_ = std::make_unique<Puppet>(Role::Client, *world_->client_provider, world_->alice);
  }
  Puppet::Script& script = puppet_->script;
  script.signatures = {std::to_underlying((client ? world_->alice : world_->bob).key.key.algorithm)};
  const QkdPolicy policy = client ? world_->client.peer.qkd : world_->server.qkd;
  // A server chooses mode 1 wherever it can, a client offers what the world's client is to offer.
  if (policy != QkdPolicy::None) script.qkd = client ? 1 : std::to_underlying(world_->client.peer.qkd);
  script.sae_id = client ? world_->server.sae_id : world_->client.sae_id;
}

std::optional<Reason> Stage::closed() const {
  if (!seen().closed) return std::nullopt;
  return seen().closed->reason;
}

Frame Stage::take() {
  auto& made = pair_->in_flight(genuine_);
  if (made.empty()) return {};
  Frame frame = std::move(made.front());
  made.pop_front();
  return frame;
}

void Stage::answer_qkd() {
  const QkdKeyNeeded& need = seen().qkd.back();
  const std::string key_id = need.key_id.value_or("0f0e0d0c-0b0a-4988-8766-554433221100");
  std::array<std::uint8_t, 32> key{};
  key.fill(static_cast<std::uint8_t>(0x40 + seen().qkd.size()));
  puppet_->script.key_id = key_id;
  puppet_->script.qkd_key = key;
  static_cast<void>(end().provide_qkd_key({key_id, QkdKey::copy_of(key)}, pair_->now()));
  pair_->drain(genuine_);
}

void Stage::reach(State state) {
  if (genuine_ == Role::Client) {
    reach_as_client(state);
  } else {
    // A key that the puppet names in CLIENT_AUTH and the genuine end fetches by that name.
    puppet_->script.key_id = "0f0e0d0c-0b0a-4988-8766-554433221100";
    puppet_->script.qkd_key.emplace().fill(0x41);
    reach_as_server(state);
  }
}

void Stage::reach_as_client(State state) {
  Puppet& bob = *puppet_;
  const bool qkd = bob.script.qkd != 0;
  if (state == State::AwaitServerHello) return;
  give(bob.server_hello(take()));
  if (state == State::AwaitServerAuth) return;
  give(bob.server_auth());
  if (state == State::ClientAwaitQkdKey) return;
  if (qkd) answer_qkd();
  bob.take_client_auth(take());
  if (state == State::AwaitServerFinish) return;
  give(bob.server_finish());
  if (state == State::ClientIdle) return;
  if (state == State::ClientAfterEnd) return give(bob.say(FrameType::AppData, as_bytes("last"), 1));
  give(bob.init(true, qkd));
  if (state == State::AwaitDecKey) return;
  if (qkd) answer_qkd();
  bob.take_ack(take());
}

void Stage::reach_as_server(State state) {
  Puppet& alice = *puppet_;
  const bool qkd = alice.script.qkd != 0;
  if (state == State::AwaitClientHello) return;
  give(alice.client_hello());
  alice.take_server_hello(take());
  alice.take_server_auth(take());
  if (state == State::AwaitClientAuth) return;
  give(alice.client_auth());
  if (state == State::ServerAwaitQkdKey) return;
  if (qkd) answer_qkd();
  alice.take_server_finish(take());
  if (state == State::ServerIdle) return;
  if (state == State::ServerAfterEnd) return give(alice.say(FrameType::AppData, as_bytes("last"), 1));
  static_cast<void>(end().request_rekey(pair_->now()));
  pair_->drain(genuine_);
  if (state == State::AwaitEncKey) return;
  if (qkd) answer_qkd();
}

}  // namespace qsp::test
