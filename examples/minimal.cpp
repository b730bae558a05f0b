// Two ends of one QSP session in one process: a message each way, and what they have agreed on. QSP does no I/O: put a
// socket between poll_transmit and handle_bytes, and a monotonic clock where `now` is.
#include <iostream>

#include "qsp/channel.hpp"
#include "qsp/openssl.hpp"

using namespace qsp;
using Buffer = std::vector<std::uint8_t>;

struct OnePeer final : PeerDirectory {
  Peer peer;
  const Peer* find(const Identity& id) const override { return id == peer.keys[0].identity ? &peer : nullptr; }
};

// Hands `bytes`, and what `from` has to write besides, over to `to`, and prints what `to` received.
void carry(Channel& from, Channel& to, Instant now, Buffer bytes = {}) {
  const std::size_t sealed = bytes.size();
  bytes.resize(sealed + 65'536);  // no flight of control frames is longer
  bytes.resize(sealed + from.poll_transmit(MutableBytes(bytes).subspan(sealed)));
  for (MutableBytes rest(bytes); !rest.empty();) {
    rest = rest.subspan(to.handle_bytes(rest, now));
    while (const auto event = to.poll_event()) {
      if (const auto* data = std::get_if<AppData>(&*event)) std::cout << "received: " << as_text(data->data) << '\n';
    }
  }
}

Buffer seal(Channel& channel, std::string_view text, Instant now) {
  const auto [head, tail] = channel.frame_room();
  Buffer frame(head + text.size() + tail);
  std::ranges::copy(text, frame.begin() + static_cast<std::ptrdiff_t>(head));
  channel.seal_app_data(frame, text.size(), false, now).value();
  return frame;
}

int main() {
  const Instant now{};
  const auto provider = crypto::make_openssl_provider().value();
  std::unique_ptr<crypto::Signer> keys[2];  // alice's and bob's; a program loads its own from a PEM file
  for (auto& key : keys)
    key = provider
              ->load_signer(provider->generate_private_key(crypto::SignatureId::MlDsa65, {}).value().reveal_text(), {})
              .value();
  const ClientOptions dial{.signer = keys[0].get(),
                           .peer = {.keys = {pin(keys[1]->public_key(), provider->hkdf()).value()}, .may_serve = true}};
  OnePeer known;
  known.peer.keys = {pin(keys[0]->public_key(), provider->hkdf()).value()};
  known.peer.may_connect = true;
  const ServerOptions listen{.signers = {keys[1].get()}, .peers = &known};
  const auto alice = Channel::client(*provider, dial, now).value();
  const auto bob = Channel::server(*provider, listen, now).value();
  for (int i = 0; i < 2; ++i) carry(*alice, *bob, now), carry(*bob, *alice, now);
  carry(*alice, *bob, now, seal(*alice, "hello bob", now));
  carry(*bob, *alice, now, seal(*bob, "hello alice", now));
  std::cout << "session " << alice->session_id() << ", epoch " << alice->status().current.epoch << '\n';
}
