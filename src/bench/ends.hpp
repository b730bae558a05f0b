#pragma once

#include <array>
#include <memory>
#include <string>

#include "bench/rounds.hpp"
#include "qsp/channel.hpp"

namespace qsp::bench {

/// The private keys of a client and a server, ML-DSA-65, made for one measurement. Threads load their own signers.
struct KeyPair {
  SecretBytes client, server;

  static Outcome<KeyPair> make();
};

/// How the ends of a measurement rekey.
struct Form {
  bool kem = true;
  bool qkd = false;
};

/// Makes clients and servers of QSP 1.0 that know each other: X25519MLKEM768, ML-DSA-65 both ways, AES-256-GCM. Belongs
/// to one thread and outlives what it makes. No trigger of theirs starts a rekey within a measurement.
class Ends {
 public:
  static Outcome<std::unique_ptr<Ends>> make(const KeyPair& keys, Form form = {});
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;

  Result<std::unique_ptr<Channel>> client(Instant now) { return Channel::client(*provider_, client_, now); }
  Result<std::unique_ptr<Channel>> server(Instant now) { return Channel::server(*provider_, server_, now); }

  [[nodiscard]] crypto::Provider& provider() noexcept { return *provider_; }
  [[nodiscard]] const crypto::Signer& client_signer() const noexcept { return *client_signer_; }
  [[nodiscard]] const crypto::Signer& server_signer() const noexcept { return *server_signer_; }

 private:
  class OnePeer final : public PeerDirectory {
   public:
    Peer peer;
    [[nodiscard]] const Peer* find(const Identity& identity) const override {
      return identity == peer.keys.front().identity ? &peer : nullptr;
    }
  };

  explicit Ends(std::unique_ptr<crypto::Provider> provider) noexcept : provider_(std::move(provider)) {}

  std::unique_ptr<crypto::Provider> provider_;
  std::unique_ptr<crypto::Signer> client_signer_, server_signer_;
  OnePeer known_;
  ClientOptions client_;
  ServerOptions server_;
};

/// Stands for a QKD link: what the client's end of it draws, the server's end has.
class MemoryLink {
 public:
  /// Answers an end that asks for a key. Error: the channel's.
  Result<void> answer(Channel& channel, const QkdKeyNeeded& needed);

 private:
  std::array<std::uint8_t, QkdKey::kCapacity> key_{};
  std::string key_id_ = "00000000-0000-4000-8000-000000000000";
  std::uint64_t count_ = 0;
};

/// Memory through which the control frames of two ends pass: no flight of them is longer.
using Wire = std::array<std::uint8_t, std::size_t{32} * 1024>;

/// Both ends of one session, without a network and with a clock that stands still.
class Pair {
 public:
  /// Runs a whole handshake. `wire` is used during calls and outlives the pair.
  static Outcome<Pair> establish(Ends& ends, Wire& wire);

  [[nodiscard]] Channel& client() noexcept { return *client_; }
  [[nodiscard]] Channel& server() noexcept { return *server_; }
  /// Bytes of control frames that have passed, both ways together.
  [[nodiscard]] std::size_t carried() const noexcept { return carried_; }

  /// One rekey by the server. Error: it did not bring both ends into the next epoch.
  Outcome<void> rekey();

 private:
  Pair(std::unique_ptr<Channel> client, std::unique_ptr<Channel> server, Wire& wire) noexcept
      : client_(std::move(client)), server_(std::move(server)), wire_(&wire) {}

  /// Carries control frames to and fro until both ends are silent.
  Result<void> settle();
  /// True if `from` had anything to say.
  Result<bool> pass(Channel& from, Channel& to);
  Result<void> drain(Channel& channel);

  std::unique_ptr<Channel> client_, server_;
  Wire* wire_;
  MemoryLink link_;
  std::size_t carried_ = 0;
};

}  // namespace qsp::bench
