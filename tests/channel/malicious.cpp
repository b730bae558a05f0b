#include "channel/malicious.hpp"

#include <array>
#include <utility>

#include "channel/session.hpp"

namespace qsp::test {
namespace {

template <class Options>
std::unique_ptr<Endpoint> logged(Role role, crypto::Provider& provider, schedule::DangerousKeyLog& log,
                                 const Options& options) {
  auto session = std::make_unique<channel::Session>(role, provider, &log);
  session->open(options, std::chrono::seconds(1)).value();  // where Pair's clock starts
  return session;
}

}  // namespace

std::unique_ptr<Pair> pair_with_log(World& world, schedule::DangerousKeyLog& log) {
  world.forget();
  return std::make_unique<Pair>(logged(Role::Client, *world.client_provider, log, world.client),
                                logged(Role::Server, *world.server_provider, log, world.server));
}

std::unique_ptr<Pair> established_with_log(World& world, schedule::DangerousKeyLog& log) {
  auto pair = pair_with_log(world, log);
  world.run_with_keys(*pair);
  return pair;
}

MaliciousEnd::MaliciousEnd(Pair& pair, Role role, Insider& insider)
    : epoch(pair.at(role).epoch()), pair_(pair), role_(role), insider_(insider), next_(pair.made(role).size()) {}

Frame MaliciousEnd::seal(wire::FrameType type, Bytes plaintext, std::uint8_t flags) {
  const std::uint64_t n = next_++;
  const wire::FrameHeader header{.type = type,
                                 .flags = flags,
                                 .session_id = pair_.at(other(role_)).session_id(),
                                 .epoch = epoch,
                                 .seq = static_cast<std::uint32_t>(n)};
  return insider_.seal(role_, header, n, plaintext);
}

void MaliciousEnd::send(wire::FrameType type, Bytes plaintext, std::uint8_t flags) {
  pair_.inject(other(role_), seal(type, plaintext, flags));
}

void MaliciousEnd::send(const wire::RekeyMessage& message) {
  std::array<std::uint8_t, wire::kMaxRekeyPlaintext> plaintext;
  const std::size_t size = std::visit([&](const auto& one) { return wire::encode(one, plaintext); }, message);
  send(wire::FrameType::Rekey, Bytes(plaintext).first(size));
}

std::vector<Message> MaliciousEnd::take() {
  std::vector<Message> opened;
  for (const Frame& frame : pair_.in_flight(other(role_))) {
    opened.push_back(insider_.open(other(role_), frame, header_of(frame).seq).value());
  }
  pair_.in_flight(other(role_)).clear();
  return opened;
}

std::optional<wire::RekeyMessage> MaliciousEnd::take_rekey() {
  last_.clear();
  for (Message& plaintext : take()) {
    if (as_text(plaintext).starts_with("RK10")) last_ = std::move(plaintext);
  }
  const auto message = wire::parse_rekey(last_);
  if (!message) return std::nullopt;
  return *message;
}

}  // namespace qsp::test
