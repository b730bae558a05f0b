#include "channel/relay.hpp"

#include <utility>

#include "channel/session.hpp"
#include "qsp/suites.hpp"
#include "wire/handshake.hpp"

namespace qsp::test {
namespace {

using std::chrono::seconds;

bool closed(Pair& pair, Role role) { return pair.at(role).phase() == Phase::Closed; }
bool anyone_closed(Pair& pair) { return closed(pair, Role::Client) || closed(pair, Role::Server); }

}  // namespace

Relay::Relay(World& world) : world_(world), client_(*world.client_provider), server_(*world.server_provider) {
  world.forget();
  auto client = std::make_unique<channel::Session>(Role::Client, *world.client_provider, &client_);
  auto server = std::make_unique<channel::Session>(Role::Server, *world.server_provider, &server_);
  client->open(world.client, seconds(1)).value();
  server->open(world.server, seconds(1)).value();
  pair_ = std::make_unique<Pair>(std::move(client), std::move(server));
}

void Relay::learn_aead(Role from, const Message& message, Role reader) {
  if (from != Role::Server) return;
  const auto hello = wire::parse_server_hello(message);
  const auto aead = hello ? crypto::aead_from_wire(hello->aead) : std::nullopt;
  if (aead) insider(reader).use(*aead);
}

bool Relay::pass(Role from, const Edit& edit) {
  auto& queue = pair_->in_flight(from);
  if (queue.empty()) return false;
  Frame frame = std::move(queue.front());
  queue.pop_front();
  const std::uint64_t n = passed_[static_cast<std::size_t>(from)]++;
  const wire::FrameHeader header = header_of(frame);
  if (n == 0) {
    Message message = payload_of(frame);
    learn_aead(from, message, from);
    if (edit) edit(from, n, message);
    learn_aead(from, message, other(from));
    frame = framed(header, message);
  } else if (insider(other(from)).knows(from, header.epoch)) {
    if (auto message = insider(from).open(from, frame, n)) {
      if (edit) edit(from, n, *message);
      frame = insider(other(from)).seal(from, header, n, *message);
    }
  }
  pair_->inject(other(from), frame);
  return true;
}

void Relay::run(const Edit& edit) {
  bool moved = true;
  while (moved) {
    const bool up = pass(Role::Client, edit);
    const bool down = pass(Role::Server, edit);
    moved = up || down || world_.answer(*pair_, Role::Client) || world_.answer(*pair_, Role::Server);
  }
}

void settle(World& world, Pair& pair) {
  world.run_with_keys(pair);
  for (int step = 0; step < 60 && !anyone_closed(pair); ++step) {
    pair.advance(seconds(11));
    world.run_with_keys(pair);
  }
  for (const Role role : {Role::Client, Role::Server}) {
    if (closed(pair, role)) pair.end_of_stream(role);
  }
}

void run_altering(World& world, Pair& pair, Role from, std::size_t index, const std::function<void(Frame&)>& alter) {
  bool moved = true;
  while (moved) {
    moved = false;
    for (const Role role : {Role::Client, Role::Server}) {
      auto& queue = pair.in_flight(role);
      if (role == from && !queue.empty() && index-- == 0) {
        const Frame frame = std::move(queue.front());
        queue.pop_front();
        Frame altered = frame;
        alter(altered);
        pair.inject(other(from), altered);
        moved = true;
        continue;
      }
      moved = pair.deliver(role) || moved;
    }
    moved = moved || world.answer(pair, Role::Client) || world.answer(pair, Role::Server);
  }
}

}  // namespace qsp::test
