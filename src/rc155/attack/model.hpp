#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/split_mix.hpp"
#include "crypto/other_rng.hpp"
#include "crypto/seeded_rng.hpp"
#include "qsp/endpoint.hpp"
#include "rc155/keys.hpp"
#include "rc155/session.hpp"
#include "wire/frame.hpp"

/// What the rekey fuzzer compares a session with, and what it attacks it with. The model is written from SPEC_155 and
/// protocol.md §11 and shares no code with the session beyond types and sizes.
namespace qsp::rc155::attack {

using Frame = std::vector<std::uint8_t>;

/// A generator that depends on seed and stream alone, on any machine.
class Prng : public SplitMix64 {
 public:
  Prng(std::uint64_t seed, std::uint64_t stream) noexcept : SplitMix64(mix64(seed) ^ mix64(~stream)) {}
  /// 0 … bound - 1. Precondition: bound > 0.
  std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }
  bool chance(double probability) noexcept { return static_cast<double>(next() >> 11) * 0x1p-53 < probability; }
  Role role() noexcept { return (next() & 1) != 0 ? Role::Server : Role::Client; }
};

/// `inner` with its randomness replaced, so that a run repeats. `inner` outlives it.
class SeededProvider final : public crypto::OtherRngProvider {
 public:
  SeededProvider(crypto::Provider& inner, std::uint64_t seed) noexcept : OtherRngProvider(inner), rng_(Prng(seed, 0)) {}

  [[nodiscard]] crypto::Rng& rng() noexcept override { return rng_; }

 private:
  crypto::SeededRng rng_;
};

/// Damages one frame of a queue: a header field (with or without the nonce prefix that repeats it), prefix, ciphertext,
/// tag, length; or drops, repeats, moves or reflects it. `reverse` holds the frames of the other direction.
/// Precondition: at < queue.size().
void damage(Prng& prng, std::deque<Frame>& queue, std::size_t at, std::deque<Frame>& reverse);

/// An attacker who recorded the hellos, and so holds every key of the session (docs/rc155.md): forges frames that
/// authenticate.
class Attacker {
 public:
  /// `provider` outlives this object.
  explicit Attacker(crypto::Provider& provider) noexcept : provider_(&provider) {}

  /// Both hello frames, joined. False: they cannot be read.
  bool watch_handshake(Bytes hellos);
  /// A genuine INIT frame, from which the next epoch's key follows.
  bool watch_init(Bytes frame);
  /// Replaces a genuine frame on its way from an end by one with a damaged rekey message inside. False: not this one.
  bool forge(Prng& prng, Role from, Frame& frame);
  /// The reason with which the receiver of a forged frame must close.
  [[nodiscard]] std::optional<Reason> forged(Role from, Bytes frame) const;

 private:
  struct Forgery {
    Role from;
    Frame frame;
    Reason reason;
  };

  std::optional<Frame> open(Role from, Bytes frame);
  bool seal(wire::FrameHeader header, Bytes plaintext, std::string_view label, Frame& out);
  bool set_key(std::uint32_t epoch);

  crypto::Provider* provider_;
  std::unique_ptr<crypto::Aead> aead_;
  std::uint64_t session_id_ = 0;
  std::vector<rc155::EpochKey> keys_;  ///< of epoch 1, 2, …
  std::vector<Forgery> forged_;
};

/// A frame that an end has made; the one with seq n is the n-th.
struct Made {
  Frame bytes;
  Frame plaintext;  ///< of APP_DATA
};

/// What the model expects handle_bytes to do.
struct Verdict {
  enum class Kind : std::uint8_t {
    Wait,     ///< the frame is not whole
    Swallow,  ///< the session is closed
    Accept,   ///< a frame exactly as the profile lets it pass
    Refuse,   ///< the session closes with the model's reason
  };
  Kind kind;
  std::string_view what;
  std::size_t size = 0;                               ///< Accept: of the frame
  wire::FrameType type = wire::FrameType::Handshake;  ///< Accept
  Bytes plaintext{};                                  ///< Accept, APP_DATA: what must be delivered
  bool by_peer = false;                               ///< Accept, CLOSE
};

/// One end as the specification has it, after the handshake.
class Model {
 public:
  Model(Role role, std::uint64_t session_id) noexcept : role_(role), session_id_(session_id) {}

  void made(Made&& frame) { made_.push_back(std::move(frame)); }
  /// The session's own close().
  void closed_by(Reason reason) noexcept {
    if (!closed_) closed_ = reason;
  }
  void stream_ended() noexcept { closed_by(Reason::ProtocolError); }
  /// Whether request_rekey must succeed.
  bool request_rekey() noexcept;
  /// What must happen to the frame at the start of `unread`, and makes it so. `peer` is the model of the other end.
  Verdict judge(Bytes unread, const Model& peer, const Attacker& attacker);

  [[nodiscard]] rc155::Snapshot snapshot() const noexcept;
  [[nodiscard]] std::optional<Reason> closed() const noexcept { return closed_; }

 private:
  [[nodiscard]] std::optional<std::pair<Reason, std::string_view>> refuse_header(
      const wire::FrameHeader& header) const noexcept;
  [[nodiscard]] const Made* find(std::uint32_t seq, Bytes frame) const noexcept;
  Verdict accept(const wire::FrameHeader& header, const Made& frame, const Model& peer) noexcept;
  Verdict refuse(Reason reason, std::string_view what) noexcept;

  Role role_;
  std::uint64_t session_id_;
  std::vector<Made> made_;
  std::uint32_t epoch_ = 1;
  std::uint32_t received_ = 0;
  bool init_in_flight_ = false;     ///< server
  bool receives_previous_ = false;  ///< client
  std::optional<Reason> closed_;
};

}  // namespace qsp::rc155::attack
