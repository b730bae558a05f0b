#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "qsp/bytes.hpp"
#include "qsp/crypto.hpp"
#include "rc155/observer.hpp"
#include "rc155/session.hpp"
#include "wire/cursor.hpp"

namespace qsp::fuzz {

/// Plays a scripted peer against one rc155 session and checks, after every call, what must hold whatever comes in.
///
/// The script is the fuzzer's input: raw bytes in any pieces, and, so that more than the first tag check is reached,
/// hellos and sealed frames that authenticate, with any plaintext and any alteration of their numbers.
class Rc155Peer {
 public:
  Rc155Peer(Role session_role, crypto::Provider& provider);

  /// Runs the whole script.
  void play(Bytes script);

 private:
  void step(wire::Reader& script);
  void say_hello();
  void send_sealed(wire::Reader& script);
  void send_lawful_rekey(std::uint8_t seed);
  void write_data(std::size_t size);
  void give(Bytes bytes);
  void drain();
  void check_state();

  [[nodiscard]] wire::FrameHeader next_header(wire::FrameType type) const;
  [[nodiscard]] bool has_keys() const noexcept { return watching_; }

  Role role_;
  crypto::Provider* provider_;
  std::unique_ptr<rc155::Session> session_;
  rc155::Observer observer_;
  bool watching_ = false;
  std::vector<test::Frame> from_session_, from_peer_;  ///< what the observer needs: hellos and rekeys
  std::vector<std::uint8_t> unread_;
  std::vector<test::Frame> sealed_data_;  ///< plaintext that a session may lawfully deliver
  rc155::Snapshot last_{};
  bool closed_event_ = false;
  Instant now_{};
};

}  // namespace qsp::fuzz
