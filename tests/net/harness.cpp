#include "net/harness.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <variant>

#include "rc155/session.hpp"
#include "support/fake_provider.hpp"

namespace qsp::net::test {
namespace {

class TestFactory final : public SessionFactory {
 public:
  TestFactory(MakeEndpoint make_endpoint, std::uint64_t rekey_after)
      : make_endpoint_(std::move(make_endpoint)), rekey_after_(rekey_after) {}

  Result<ConnectionPtr> make(Loop& loop, Socket&& socket, const tcp::endpoint& peer, ConnectionOwner& owner) override {
    std::unique_ptr<Endpoint> endpoint =
        make_endpoint_ ? make_endpoint_() : std::move(*rc155::dangerous_make_session(Role::Server, *provider_));
    return ConnectionPtr(new EchoConnection(loop, std::move(socket), peer, std::move(endpoint), owner, rekey_after_));
  }

 private:
  std::unique_ptr<crypto::Provider> provider_ = qsp::test::make_fake_provider(1);
  MakeEndpoint make_endpoint_;
  std::uint64_t rekey_after_;
};

}  // namespace

TestServer::TestServer(const TestOptions& options) {
  auto opened = Server::open(
      options.server,
      [&]() -> std::expected<std::unique_ptr<SessionFactory>, std::string> {
        if (options.make_factory) return options.make_factory();
        return std::make_unique<TestFactory>(options.make_endpoint, options.rekey_after);
      },
      events);
  if (!opened) {
    ADD_FAILURE() << opened.error();
    return;
  }
  server_ = std::move(*opened);
  thread_ = std::thread([this] { EXPECT_TRUE(server_->run().has_value()); });
}

void TestServer::stop() {
  if (!thread_.joinable()) return;
  server_->stop();
  thread_.join();
}

Peer::Peer(std::uint16_t port, int receive_buffer)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      provider_(qsp::test::make_fake_provider(2)),
      endpoint_(std::move(*rc155::dangerous_make_session(Role::Client, *provider_))) {
  const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (receive_buffer != 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << errno;
}

Peer::~Peer() { disconnect(); }

void Peer::disconnect() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void Peer::write_raw(Bytes bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) return;  // the server is gone; what it said is read later
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

std::size_t Peer::write_some(Bytes bytes) const {
  const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

std::optional<std::vector<std::uint8_t>> Peer::read_raw() const {
  std::vector<std::uint8_t> bytes(std::size_t{64} * 1024);
  const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), 0);
  if (count < 0 && errno == EAGAIN) ADD_FAILURE() << "nothing came for " << kPatience.count() << " s";
  reset |= count < 0 && errno == ECONNRESET;
  if (count <= 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

void Peer::end_writing() const { ::shutdown(socket_, SHUT_WR); }

void Peer::send_control() {
  std::array<std::uint8_t, 4096> control{};
  while (const std::size_t count = endpoint_->poll_transmit(control)) write_raw(Bytes(control).first(count));
}

void Peer::drain() {
  while (auto event = endpoint_->poll_event()) {
    if (const auto* data = std::get_if<AppData>(&*event)) {
      received_.insert(received_.end(), data->data.begin(), data->data.end());
    } else if (auto* end = std::get_if<Closed>(&*event)) {
      closed = std::move(*end);
    }
  }
}

bool Peer::receive_once() {
  const auto bytes = read_raw();
  if (!bytes) {
    stream_ended = true;
    endpoint_->handle_end_of_stream(Loop::now());
    drain();
    return false;
  }
  pending_.insert(pending_.end(), bytes->begin(), bytes->end());
  MutableBytes rest(pending_);
  while (!rest.empty()) {
    const std::size_t used = endpoint_->handle_bytes(rest, Loop::now());
    drain();
    if (used == 0) break;
    rest = rest.subspan(used);
  }
  pending_.erase(pending_.begin(), pending_.end() - static_cast<std::ptrdiff_t>(rest.size()));
  send_control();
  return true;
}

bool Peer::handshake() {
  send_control();
  while (endpoint_->phase() == Phase::Handshake && receive_once()) {
  }
  return endpoint_->phase() == Phase::Established;
}

std::vector<std::uint8_t> Peer::seal(Bytes plaintext) {
  send_control();
  const FrameRoom room = endpoint_->frame_room();
  std::vector<std::uint8_t> frame(room.head + plaintext.size() + room.tail);
  std::ranges::copy(plaintext, frame.begin() + static_cast<std::ptrdiff_t>(room.head));
  EXPECT_TRUE(endpoint_->seal_app_data(frame, plaintext.size(), false, Loop::now()).has_value());
  return frame;
}

const std::vector<std::uint8_t>& Peer::receive(std::size_t size) {
  while (received_.size() < size && !closed && receive_once()) {
  }
  return received_;
}

void Peer::receive_to_end() {
  while (receive_once()) {
  }
}

std::vector<std::uint8_t> pattern(std::size_t size, std::uint32_t seed) {
  std::vector<std::uint8_t> bytes(size);
  std::uint32_t state = seed * 2654435761U + 1;
  std::ranges::generate(bytes, [&state] {
    state = state * 1664525U + 1013904223U;
    return static_cast<std::uint8_t>(state >> 24);
  });
  return bytes;
}

void expect_serves(std::uint16_t port) {
  Peer peer(port);
  ASSERT_TRUE(peer.handshake());
  const std::vector<std::uint8_t> sent = pattern(1000);
  peer.send(sent);
  EXPECT_EQ(peer.receive(sent.size()), sent);
  peer.endpoint().close(Reason::Normal, "");
  peer.send_control();
}

}  // namespace qsp::net::test
