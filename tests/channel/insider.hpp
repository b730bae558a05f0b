#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qsp/crypto.hpp"
#include "schedule/schedule.hpp"
#include "support/pair.hpp"
#include "wire/frame.hpp"

namespace qsp::test {

/// A plaintext: a handshake or rekey message, application data, or what a CLOSE says.
using Message = std::vector<std::uint8_t>;

/// Learns a session's secrets as they are derived, and seals and opens frames with any header under its traffic keys:
/// what a dishonest peer can do, and an attacker who has broken the KEM. It shares no code with src/record, so the two
/// check each other's nonces and aad.
class Insider final : public schedule::DangerousKeyLog {
 public:
  /// `provider` outlives it.
  explicit Insider(crypto::Provider& provider) noexcept : provider_(provider) {}
  Insider(const Insider&) = delete;
  Insider& operator=(const Insider&) = delete;
  /// Wipes what it knows: a test that looks for secrets in memory must not find its own.
  ~Insider() override {
    for (auto& [name, value] : secrets_) wipe(value);
  }

  void use(crypto::AeadId aead) noexcept { aead_ = aead; }
  void secret(std::string_view name, std::uint32_t epoch, Bytes value) override;

  /// A secret by its name in the SPEC, or null.
  [[nodiscard]] const Message* known(std::string_view name, std::uint32_t epoch) const;
  /// True if the key is known that seals frames of this end in this epoch.
  [[nodiscard]] bool knows(Role from, std::uint32_t epoch) const { return traffic_key(from, epoch) != nullptr; }

  /// A frame of `from` whose header is as given but for payload_len, and whose nonce holds `n`. The key is that of the
  /// header's epoch, which must be known.
  Frame seal(Role from, wire::FrameHeader header, std::uint64_t n, Bytes plaintext);
  /// The plaintext of a frame of `from`, or nothing where it does not open with this `n`.
  std::optional<Message> open(Role from, const Frame& frame, std::uint64_t n);

 private:
  [[nodiscard]] const Message* traffic_key(Role from, std::uint32_t epoch) const;
  std::unique_ptr<crypto::Aead> keyed(Role from, std::uint32_t epoch);

  crypto::Provider& provider_;
  crypto::AeadId aead_ = crypto::AeadId::Aes256Gcm;
  std::map<std::pair<std::string, std::uint32_t>, Message, std::less<>> secrets_;
};

wire::FrameHeader header_of(const Frame& frame);
/// A frame of this header, whose payload_len is set, around this payload.
Frame framed(wire::FrameHeader header, Bytes payload);
/// The payload of a frame as it stands on the wire.
Message payload_of(const Frame& frame);

}  // namespace qsp::test
