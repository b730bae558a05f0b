#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "qsp/crypto.hpp"
#include "qsp/endpoint.hpp"
#include "support/pair.hpp"
#include "wire/frame.hpp"

namespace qsp::rc155 {

/// Somebody who recorded an rc155 session and has no key of it: derives every key from the recording alone.
///
/// It shares no code with src/rc155: what it does is what docs/rc155.md tells. Tests use it as an attacker, and to make
/// frames that authenticate.
class Observer {
 public:
  /// `provider` outlives it; only its public algorithms are used.
  explicit Observer(crypto::Provider& provider) : provider_(provider) {}

  /// Reads the recording from its first byte, all frames of both directions. False: it does not understand something.
  bool watch(const std::vector<test::Frame>& client, const std::vector<test::Frame>& server);

  [[nodiscard]] std::uint64_t session_id() const noexcept { return session_id_; }
  /// K[epoch], or nothing where the recording does not go so far.
  [[nodiscard]] std::optional<crypto::Digest> key(std::uint32_t epoch) const;

  /// The plaintext of a recorded frame.
  std::optional<test::Frame> open(Role from, const test::Frame& frame);
  /// A frame that authenticates under K[key_epoch] (default: the header's epoch). `payload_len` is filled in.
  test::Frame seal(wire::FrameHeader header, std::string_view label, Bytes plaintext,
                   std::optional<std::uint32_t> key_epoch = {});

 private:
  crypto::Digest derive(Bytes ikm, Bytes salt, crypto::Parts info);

  crypto::Provider& provider_;
  std::uint64_t session_id_ = 0;
  std::vector<crypto::Digest> keys_;
};

/// What a REKEY frame holds inside.
test::Frame rekey_message(std::uint8_t type, std::uint32_t new_epoch, Bytes body, std::string_view magic = "RK54");

/// The header of a whole frame.
wire::FrameHeader header_of(const test::Frame& frame);

/// A frame of which nothing is sealed.
test::Frame clear_frame(wire::FrameHeader header, Bytes payload);

}  // namespace qsp::rc155
