#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "channel/insider.hpp"
#include "channel/world.hpp"
#include "wire/handshake.hpp"
#include "wire/rekey.hpp"

namespace qsp::test {

/// Changes a message before it is signed, confirmed, hashed or sent.
using Edit = std::function<void(Message&)>;

/// An end that says what a test wants: dishonest, of another version, or broken. It has a key of its own, keeps its own
/// view of the transcript, and signs and confirms whatever it says; so what it says is wrong in that one place only.
///
/// Steps are called in the protocol's order. They expect lawful input and do not check it.
class Puppet {
 public:
  /// All outlive it.
  Puppet(Role role, crypto::Provider& provider, const Party& self);

  /// What it offers or chooses; set before the step that says it.
  struct Script {
    std::vector<crypto::KemId> kems{crypto::KemId::X25519MlKem768};  ///< a client's offers; a server takes the first
    std::vector<crypto::AeadId> aeads{crypto::AeadId::Aes256Gcm};    ///< likewise
    std::vector<std::uint16_t> signatures{0x0905};                   ///< what it accepts from the other end
    std::uint8_t qkd = 0;                                            ///< qkd_offer or qkd_mode
    std::uint64_t session_id = 0x1122'3344'5566'7788;
    std::string sae_id;
    std::string application;
    std::string key_id;
    std::optional<std::array<std::uint8_t, 32>> qkd_key;
    std::optional<std::uint16_t> signature;  ///< the algorithm that it names; its key's where absent
    std::optional<Identity> identity;        ///< that it claims; its own where absent
  } script;

  // The client's steps.
  Frame client_hello(const Edit& edit = {});
  void take_server_hello(const Frame& frame);
  void take_server_auth(const Frame& frame);
  /// `edit` changes the part that is signed, `after` the rest: signature and confirm.
  Frame client_auth(const Edit& edit = {}, const Edit& after_signing = {}, const Edit& after = {});
  void take_server_finish(const Frame& frame);

  // The server's.
  Frame server_hello(const Frame& client_hello, const Edit& edit = {});
  Frame server_auth(const Edit& edit = {}, const Edit& after_signing = {});
  void take_client_auth(const Frame& frame);
  /// `edit` changes what confirm covers, `after` the confirm.
  Frame server_finish(const Edit& edit = {}, const Edit& after = {});

  // Rekey. `kem`: with a share; `key`: with script.key_id and script.qkd_key.
  Frame init(bool kem, bool key, const Edit& edit = {});
  /// Answers an INIT and moves to the new epoch. `edit` changes what confirm covers, `after` the confirm.
  Frame ack(const Frame& init, const Edit& edit = {}, const Edit& after = {});
  /// Takes the other end's ACK to the last INIT and moves to the new epoch.
  void take_ack(const Frame& ack);
  Frame done();

  /// The header of its next frame: its session, epoch and count.
  [[nodiscard]] wire::FrameHeader next_header(wire::FrameType type) const;
  /// A frame under its current key, at its next count; clear before it has one.
  Frame say(wire::FrameType type, Bytes plaintext, std::uint8_t flags = 0);
  /// The same with another header or count, which leaves its own count as it was.
  Frame forge(const wire::FrameHeader& header, std::uint64_t n, Bytes plaintext);
  /// Opens the other end's next frame. Nothing: it does not open, or is clear.
  std::optional<Message> hear(const Frame& frame);

  /// TH over the handshake so far and the first part of a message.
  [[nodiscard]] schedule::Digest hash(Bytes partial = {}) const;
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
  [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] Insider& insider() noexcept { return insider_; }

 private:
  [[nodiscard]] schedule::Context context() noexcept { return {provider_.hkdf(), &insider_}; }
  void add(Bytes message) { transcript_.insert(transcript_.end(), message.begin(), message.end()); }
  void derive(SharedSecret&& secret);
  void derive_master(const schedule::Digest& th4);
  void finish();
  void sign(Message& message, std::string_view signing_context);
  void next_epoch(schedule::NextEpoch&& next);
  [[nodiscard]] schedule::NextEpoch ratchet(std::optional<SharedSecret>&& secret, bool key, Bytes ack);
  [[nodiscard]] std::optional<QkdKey> qkd_key() const;

  const Role role_;
  crypto::Provider& provider_;
  const Party& self_;
  Insider insider_;
  std::uint64_t sent_ = 0, heard_ = 0;
  std::uint64_t session_id_ = 0;
  std::uint32_t epoch_ = 0;
  bool sealing_ = false;
  Message transcript_;
  std::vector<std::unique_ptr<crypto::KemPrivateKey>> shares_;
  std::optional<schedule::HandshakeSecret> secret_;
  std::optional<schedule::MasterSecret> master_;
  schedule::Digest th4_{};
  std::optional<schedule::Ratchet> ratchet_;
  Message init_;
  bool init_key_ = false;
};

/// Puts an extension into a message whose extensions are empty and end `behind` bytes before its end, and mends both
/// lengths.
void add_extension(Message& message, std::uint16_t type, Bytes data, std::size_t behind = 0);
/// Sets a handshake message's length field to its size.
void mend_length(Message& message);
Message alert(std::uint16_t reason, std::string_view text = "");
Message close_text(std::uint16_t reason, std::string_view text = "");

}  // namespace qsp::test
