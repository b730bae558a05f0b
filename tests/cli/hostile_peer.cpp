// A peer that speaks rc155 well enough to break its rules on purpose.
//
//   hostile_peer attack PORT SCENARIO   as a client; prints how the server ended it: the reason of its CLOSE, or END
//   hostile_peer trap SCENARIO          as a server on a port that it prints; ends after one client

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "qsp/endpoint.hpp"
#include "qsp/openssl.hpp"
#include "rc155/keys.hpp"
#include "rc155/messages.hpp"
#include "wire/cursor.hpp"
#include "wire/frame.hpp"

namespace {

using namespace qsp;
using wire::FrameType;
using Buffer = std::vector<std::uint8_t>;

[[noreturn]] void die(std::string_view why) {
  fmt::print(stderr, "hostile_peer: {}\n", why);
  std::exit(3);
}

template <class T>
T must(Result<T>&& result) {
  if (!result) die(result.error().where);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

class Hostile {
 public:
  Hostile(int socket, Role role, crypto::Provider& provider)
      : socket_(socket), role_(role), provider_(provider), aead_(must(provider.aead(crypto::AeadId::Aes256Gcm))) {
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }

  void write(Bytes bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }
  void end_writing() const { ::shutdown(socket_, SHUT_WR); }

  struct Received {
    wire::FrameHeader header;
    Buffer payload;
  };
  std::optional<Received> read_frame() const {
    Buffer head(wire::kFrameHeaderSize);
    if (!read_exactly(head)) return std::nullopt;
    const auto header = wire::decode_header(std::span(head).first<wire::kFrameHeaderSize>());
    if (!header || header->payload_len > Endpoint::kMaxFrameSize) die("the peer's frame is no frame");
    Received frame{.header = *header, .payload = Buffer(header->payload_len)};
    if (!read_exactly(frame.payload)) return std::nullopt;
    return frame;
  }

  void handshake() {
    rc155::HelloNonce client{};
    rc155::ServerHello server{.nonce = {}, .session_id = 0x1122334455667788};
    if (role_ == Role::Client) {
      Buffer hello(rc155::kClientHelloSize);
      client.fill(7);
      rc155::encode_client_hello(client, std::span(hello).first<rc155::kClientHelloSize>());
      write(frame({.type = FrameType::Handshake}, hello));
      const auto answer = read_frame();
      if (!answer) die("no SHLO");
      server = must(rc155::decode_server_hello(answer->payload));
    } else {
      const auto hello = read_frame();
      if (!hello) die("no CHLO");
      client = must(rc155::decode_client_hello(hello->payload));
      server.nonce.fill(9);
      Buffer answer(rc155::kServerHelloSize);
      rc155::encode_server_hello(server, std::span(answer).first<rc155::kServerHelloSize>());
      write(frame({.type = FrameType::Handshake, .session_id = server.session_id}, answer));
    }
    session_id_ = server.session_id;
    rc155::EpochKey key = must(rc155::first_key(provider_.hkdf(), client, server.nonce));
    must(aead_->set_key(TrafficKey::copy_of(key.reveal())));
  }

  /// A frame around a payload as it is; payload_len is set unless the header has one.
  static Buffer frame(wire::FrameHeader header, Bytes payload) {
    if (header.payload_len == 0) header.payload_len = static_cast<std::uint32_t>(payload.size());
    Buffer bytes(wire::kFrameHeaderSize + payload.size());
    wire::encode(header, std::span(bytes).first<wire::kFrameHeaderSize>());
    std::ranges::copy(payload, bytes.begin() + wire::kFrameHeaderSize);
    return bytes;
  }

  /// A lawful frame of epoch 1 with this number.
  Buffer sealed(FrameType type, std::string_view label, Bytes plaintext, std::uint32_t seq, std::uint32_t epoch = 1) {
    crypto::Nonce nonce{};
    wire::Writer writer(nonce);
    writer.u32(epoch);
    writer.u64(seq);
    Buffer payload(nonce.size() + plaintext.size() + crypto::kTagSize);
    std::ranges::copy(nonce, payload.begin());
    const MutableBytes text = MutableBytes(payload).subspan(nonce.size(), plaintext.size());
    std::ranges::copy(plaintext, text.begin());
    must(aead_->seal(nonce, as_bytes(label), text, MutableBytes(payload).last<crypto::kTagSize>()));
    return frame({.type = type, .session_id = session_id_, .epoch = epoch, .seq = seq}, payload);
  }
  Buffer data(std::uint32_t seq, std::string_view text = "hello") {
    return sealed(FrameType::AppData, rc155::kAppLabel, as_bytes(text), seq);
  }
  Buffer rekey(rc155::RekeyType type, std::uint32_t seq) {
    Buffer message(rc155::kRekeyMessageSize);
    const std::array<std::uint8_t, rc155::kRekeyBodySize> body{};
    rc155::encode_rekey(type, 2, body, std::span(message).first<rc155::kRekeyMessageSize>());
    return sealed(FrameType::Rekey, type == rc155::RekeyType::Init ? rc155::kInitLabel : rc155::kAckLabel, message,
                  seq);
  }
  Buffer close(std::uint32_t seq, Reason reason, std::string_view text) {
    Buffer message(2 + text.size());
    rc155::encode_close(reason, text, message);
    return sealed(FrameType::Close, rc155::kCloseLabel, message, seq);
  }

  /// Reads to the end of the stream; the reason of the peer's CLOSE, if there was one in epoch 1.
  std::string read_to_end() {
    std::string end = "END";
    while (auto got = read_frame()) {
      if (got->header.type != FrameType::Close || got->header.epoch != 1) continue;
      const std::optional<Buffer> text = open(*got, rc155::kCloseLabel);
      if (!text) die("the peer's CLOSE cannot be opened");
      end = std::string(name(must(rc155::decode_close(*text)).reason));
    }
    return end;
  }

 private:
  bool read_exactly(MutableBytes out) const {
    while (!out.empty()) {
      const ssize_t count = ::recv(socket_, out.data(), out.size(), 0);
      if (count <= 0) return false;
      out = out.subspan(static_cast<std::size_t>(count));
    }
    return true;
  }

  std::optional<Buffer> open(const Received& got, std::string_view label) {
    if (got.payload.size() < crypto::kNonceSize + crypto::kTagSize) return std::nullopt;
    crypto::Nonce nonce{};
    std::copy_n(got.payload.begin(), nonce.size(), nonce.begin());
    Buffer text(got.payload.begin() + crypto::kNonceSize, got.payload.end() - crypto::kTagSize);
    const auto tag = std::span(got.payload).last<crypto::kTagSize>();
    if (!aead_->open(nonce, as_bytes(label), text, tag)) return std::nullopt;
    return text;
  }

  int socket_;
  Role role_;
  crypto::Provider& provider_;
  std::unique_ptr<crypto::Aead> aead_;
  std::uint64_t session_id_ = 0;
};

Buffer joined(std::initializer_list<Buffer> parts) {
  Buffer all;
  for (const Buffer& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// `frame` with one byte of its header or payload changed.
Buffer altered(Buffer frame, std::size_t at, std::uint8_t by) {
  frame[at] ^= by;
  return frame;
}

// Where the header's fields are.
constexpr std::size_t kTypeAt = 0;
constexpr std::size_t kFlagsAt = 1;
constexpr std::size_t kSessionAt = 2;
constexpr std::size_t kEpochAt = 10 + 3;
constexpr std::size_t kLengthAt = 18;

using Scenario = std::function<void(Hostile&)>;

/// What an established peer does wrong, by name. Afterwards it reads to the end.
const std::map<std::string_view, Scenario>& scenarios() {
  using enum rc155::RekeyType;
  static const std::map<std::string_view, Scenario> all{
      {"garbage", [](Hostile& peer) { peer.write(Buffer(100'000, 0x5a)); }},
      {"stop-mid-frame",
       [](Hostile& peer) {
         const Buffer frame = peer.data(1);
         peer.write(Bytes(frame).first(frame.size() - 1));
         peer.end_writing();
       }},
      {"huge-length",
       [](Hostile& peer) {
         Buffer frame = peer.data(1);
         std::fill_n(frame.begin() + kLengthAt, 4, std::uint8_t{0xff});
         peer.write(frame);
       }},
      {"unknown-type", [](Hostile& peer) { peer.write(altered(peer.data(1), kTypeAt, 0x40)); }},
      {"flags", [](Hostile& peer) { peer.write(altered(peer.data(1), kFlagsAt, 1)); }},
      {"wrong-session", [](Hostile& peer) { peer.write(altered(peer.data(1), kSessionAt, 1)); }},
      {"wrong-epoch", [](Hostile& peer) { peer.write(altered(peer.data(1), kEpochAt, 2)); }},
      {"altered",
       [](Hostile& peer) {
         const Buffer frame = peer.data(1);
         peer.write(altered(frame, frame.size() - 1, 1));
       }},
      {"replay", [](Hostile& peer) { peer.write(joined({peer.data(1), peer.data(1)})); }},
      {"reorder", [](Hostile& peer) { peer.write(joined({peer.data(2), peer.data(1)})); }},
      {"init", [](Hostile& peer) { peer.write(peer.rekey(Init, 1)); }},
      {"two-inits", [](Hostile& peer) { peer.write(joined({peer.rekey(Init, 1), peer.rekey(Init, 2)})); }},
      {"ack-without-init", [](Hostile& peer) { peer.write(peer.rekey(Ack, 1)); }},
      {"wrong-confirm",
       [](Hostile& peer) {
         peer.write(peer.data(1));
         // The echo, and the INIT that a server of --rekey-after 2 sends behind it.
         for (auto frame = peer.read_frame(); frame && frame->header.type != FrameType::Rekey;
              frame = peer.read_frame()) {
         }
         peer.write(peer.rekey(Ack, 2));
       }},
      {"close-then-data", [](Hostile& peer) { peer.write(joined({peer.close(1, Reason::Normal, ""), peer.data(2)})); }},
      {"close-with-escapes",
       [](Hostile& peer) { peer.write(peer.close(1, Reason::InternalError, "\x1b[31mred\nsecond line")); }},
      {"eof-without-close",
       [](Hostile& peer) {
         peer.write(peer.data(1));
         peer.end_writing();
       }},
      {"wrong-echo", [](Hostile& peer) { peer.write(peer.data(1, "this is not what was sent")); }},
  };
  return all;
}

/// Runs a scenario. Those that begin with "hello-" replace the handshake.
std::string play(Hostile& peer, std::string_view name) {
  if (name == "hello-garbage") {
    peer.write(Buffer(5000, 0x5a));
  } else if (name == "hello-eof") {
    peer.end_writing();
  } else if (name == "hello-silence") {
    // Says nothing at all.
  } else {
    const auto found = scenarios().find(name);
    if (found == scenarios().end()) die("no such scenario");
    peer.handshake();
    found->second(peer);
  }
  return peer.read_to_end();
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("cannot connect");
  return fd;
}

int accept_one() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener, 1) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    die("cannot listen");
  }
  fmt::print("{}\n", ntohs(address.sin_port));
  std::fflush(stdout);
  const int fd = ::accept(listener, nullptr, nullptr);
  ::close(listener);
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> args(argv + 1, argv + argc);
  ::alarm(60);
  auto provider = crypto::make_openssl_provider();
  if (!provider) die(std::string(provider.error().where));
  if (args.size() == 3 && args[0] == "attack") {
    Hostile peer(connect_to(static_cast<std::uint16_t>(std::stoi(std::string(args[1])))), Role::Client, **provider);
    fmt::print("{}\n", play(peer, args[2]));
  } else if (args.size() == 2 && args[0] == "trap") {
    Hostile peer(accept_one(), Role::Server, **provider);
    fmt::print("{}\n", play(peer, args[1]));
  } else {
    die("usage: hostile_peer attack PORT SCENARIO | trap SCENARIO");
  }
  return 0;
}
