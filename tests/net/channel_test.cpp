// QSP 1.0 with the real provider through the server's threads: what runs at once here is what ThreadSanitizer looks at.
#include "qsp/channel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "net/harness.hpp"
#include "qsp/openssl.hpp"

namespace qsp::net::test {
namespace {

constexpr std::uint64_t kRekeyAfter = 20;
constexpr std::size_t kFrame = 30'000;
constexpr std::size_t kWindow = 8 * kFrame;  // sent and not echoed yet: so keys change in the middle of the data
constexpr int kSmallBuffer = 4096;

/// What one thread signs with: providers and signers belong to a thread, the key's text to all.
struct Signing {
  explicit Signing(const SecretBytes& key)
      : provider(std::move(*crypto::make_openssl_provider())),
        signer(std::move(*provider->load_signer(key.reveal_text(), {}))) {}

  std::unique_ptr<crypto::Provider> provider;
  std::unique_ptr<crypto::Signer> signer;
};

struct OnePeer final : PeerDirectory {
  qsp::Peer peer;
  [[nodiscard]] const qsp::Peer* find(const Identity& identity) const override {
    return identity == peer.keys.front().identity ? &peer : nullptr;
  }
};

/// Two keys and each end's pin of the other's, read by every thread.
struct Pair {
  Pair() {
    const auto provider = std::move(*crypto::make_openssl_provider());
    client_key = std::move(*provider->generate_private_key(crypto::SignatureId::MlDsa65, {}));
    server_key = std::move(*provider->generate_private_key(crypto::SignatureId::MlDsa65, {}));
    server.keys = {*pin(Signing(server_key).signer->public_key(), provider->hkdf())};
    server.may_serve = true;
    clients.peer.keys = {*pin(Signing(client_key).signer->public_key(), provider->hkdf())};
    clients.peer.may_connect = true;
  }
  SecretBytes client_key, server_key;
  qsp::Peer server;
  OnePeer clients;
};

class ChannelFactory final : public SessionFactory {
 public:
  ChannelFactory(const Pair& pair, bool small_buffers) : signing_(pair.server_key), small_buffers_(small_buffers) {
    options_.signers = {signing_.signer.get()};
    options_.peers = &pair.clients;
  }
  Result<ConnectionPtr> make(Loop& loop, Socket&& socket, const tcp::endpoint& peer, ConnectionOwner& owner) override {
    if (small_buffers_) socket.set_option(asio::socket_base::send_buffer_size(kSmallBuffer));
    auto channel = Channel::server(*signing_.provider, options_, Loop::now());
    if (!channel) return std::unexpected(channel.error());
    return ConnectionPtr(new EchoConnection(loop, std::move(socket), peer, std::move(*channel), owner, kRekeyAfter));
  }

 private:
  Signing signing_;
  qsp::ServerOptions options_;
  bool small_buffers_;
};

TestOptions server_options(const Pair& pair, bool small_buffers = false) {
  TestOptions options;
  options.server.threads = 3;
  options.server.stop_timeout = kPatience;
  options.make_factory = [&pair, small_buffers] { return std::make_unique<ChannelFactory>(pair, small_buffers); };
  return options;
}

/// Sends `size` bytes, then END, and compares what comes back; reads nothing before `pause` has passed.
class Client final : public Connection, private ConnectionOwner {
 public:
  Client(Loop& loop, Socket&& socket, std::unique_ptr<Endpoint> endpoint, std::uint32_t seed, std::size_t size,
         std::chrono::milliseconds pause)
      : Connection(loop, std::move(socket), {}, std::move(endpoint), *this),
        frame_(pattern(kFrame, seed)),
        size_(size),
        pause_(pause) {}

  std::size_t received = 0;
  std::size_t wrong = 0;
  std::uint32_t epochs = 0;
  std::optional<Closed> closed;

 private:
  void produce() override {
    while (sent_ < size_ && sent_ < received + kWindow) {
      const std::size_t count = std::min(kFrame, size_ - sent_);
      ASSERT_TRUE(send(Bytes(frame_).first(count), sent_ + count == size_).has_value());
      sent_ += count;
    }
  }
  void handle_established() override {
    if (pause_ > 0ms) pause_until_ = Loop::now() + pause_;
  }
  [[nodiscard]] bool wants_input() const override { return !pause_until_; }
  [[nodiscard]] std::optional<Instant> deadline() const override { return pause_until_; }
  void handle_deadline() override { pause_until_.reset(); }
  void handle_data(const AppData& data) override {
    for (const std::uint8_t byte : data.data) wrong += byte == frame_[received++ % kFrame] ? 0 : 1;
  }
  void handle_epoch(std::uint32_t) override { ++epochs; }
  void connection_established(Connection&) override {}
  void connection_rekeyed(Connection&) override {}
  void connection_closed(Connection&, const Closed& how, const error_code&) override { closed = how; }
  void connection_finished(Connection&) override {}

  std::vector<std::uint8_t> frame_;
  std::size_t size_;
  std::size_t sent_ = 0;
  std::chrono::milliseconds pause_;
  std::optional<Instant> pause_until_;
};

/// Runs `count` sessions of `size` bytes each to their end, on the calling thread.
std::vector<boost::intrusive_ptr<Client>> run_clients(Loop& loop, const Pair& pair, std::uint16_t port,
                                                      std::uint32_t count, std::size_t size,
                                                      std::chrono::milliseconds pause = 0ms) {
  const Signing signing(pair.client_key);
  ClientOptions options;
  options.signer = signing.signer.get();
  options.peer = pair.server;
  std::vector<boost::intrusive_ptr<Client>> clients;
  for (std::uint32_t i = 0; i < count; ++i) {
    Socket socket(loop.executor());
    socket.open(tcp::v4());
    if (pause > 0ms) socket.set_option(asio::socket_base::receive_buffer_size(kSmallBuffer));
    socket.connect({asio::ip::address_v4::loopback(), port});
    auto channel = Channel::client(*signing.provider, options, Loop::now());
    EXPECT_TRUE(channel.has_value());
    clients.emplace_back(new Client(loop, std::move(socket), std::move(*channel), i, size, pause));
    clients.back()->start();
  }
  loop.io().run_for(kPatience);
  return clients;
}

TEST(Channel, sessions_of_many_threads_transfer_rekey_and_end) {
  const Pair pair;
  TestServer server(server_options(pair));
  static constexpr std::size_t kSize = 70 * kFrame + 7;
  constexpr std::size_t kThreads = 4;
  static constexpr std::uint32_t kSessions = 3;
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&pair, &server] {
      Loop loop;
      for (const auto& client : run_clients(loop, pair, server.port(), kSessions, kSize)) {
        EXPECT_EQ(client->received, kSize);
        EXPECT_EQ(client->wrong, 0U);
        EXPECT_GE(client->epochs, 2U);
        ASSERT_TRUE(client->closed.has_value());
        EXPECT_EQ(client->closed->reason, Reason::Normal) << client->closed->text;
        EXPECT_FALSE(client->closed->truncated);
      }
    });
  }
  threads.clear();
  EXPECT_TRUE(server.events.wait([&] { return server.events.ends.size() == kThreads * kSessions; }));
  server.stop();
  for (const Recorded::End& end : server.events.ends) EXPECT_EQ(end.closed.reason, Reason::Normal) << end.closed.text;
}

TEST(Channel, what_a_slow_reader_has_not_taken_yet_is_not_lost_with_the_end_of_the_session) {
  const Pair pair;
  TestServer server(server_options(pair, true));
  Loop loop;
  // The server has it all, END included, while most still waits there for longer than it lingers after CLOSE.
  constexpr std::size_t kSize = 7 * kFrame;
  const auto clients = run_clients(loop, pair, server.port(), 1, kSize, Connection::kLinger + 1s);
  EXPECT_EQ(clients.front()->received, kSize);
  ASSERT_TRUE(clients.front()->closed.has_value());
  EXPECT_EQ(clients.front()->closed->reason, Reason::Normal);
  EXPECT_FALSE(clients.front()->closed->truncated);
}

TEST(Channel, a_server_that_is_stopped_while_busy_closes_every_session) {
  const Pair pair;
  TestServer server(server_options(pair));
  static constexpr std::uint32_t kSessions = 6;
  static constexpr std::size_t kEndless = std::size_t{1} << 40;
  std::jthread clients([&pair, port = server.port()] {
    Loop loop;
    for (const auto& client : run_clients(loop, pair, port, kSessions, kEndless)) {
      EXPECT_EQ(client->wrong, 0U);
      ASSERT_TRUE(client->closed.has_value());
      EXPECT_TRUE(client->closed->by_peer);
      EXPECT_EQ(client->closed->reason, Reason::Normal) << client->closed->text;
    }
  });
  EXPECT_TRUE(server.events.wait([&] { return server.events.established == kSessions && server.events.rekeyed > 0; }));
  server.stop();
  EXPECT_EQ(server.server().sessions(), 0U);
}

}  // namespace
}  // namespace qsp::net::test
