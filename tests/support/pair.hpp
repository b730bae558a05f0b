#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/role.hpp"
#include "qsp/endpoint.hpp"

namespace qsp::test {

/// One frame as bytes, header included.
using Frame = std::vector<std::uint8_t>;

/// What one end of a Pair has told its driver so far.
struct Seen {
  std::optional<std::uint64_t> session_id;  ///< of Established
  std::vector<std::uint32_t> epochs;        ///< of every EpochChanged
  std::vector<Frame> data;                  ///< plaintext of every AppData
  std::vector<QkdKeyNeeded> qkd;            ///< every QkdKeyNeeded; the test answers through `at`
  bool end = false;                         ///< an AppData said that the peer's data is complete
  std::optional<Closed> closed;

  /// All plaintext joined.
  [[nodiscard]] std::vector<std::uint8_t> received() const;
};

/// Two endpoints, a virtual clock, and a wire between them that keeps whole frames until somebody delivers them.
///
/// A test alters, drops, duplicates, swaps or injects frames by editing `in_flight(from)` before it delivers. Nothing
/// here knows a profile: frames are told apart by the length in their header alone. Every breach of Endpoint's contract
/// (a frame not consumed though whole, say) is kept in `defect()`, which every test should find empty.
class Pair {
 public:
  Pair(std::unique_ptr<Endpoint> client, std::unique_ptr<Endpoint> server);

  [[nodiscard]] Endpoint& at(Role role) noexcept { return *end(role).endpoint; }
  [[nodiscard]] const Seen& seen(Role role) const noexcept { return ends_[static_cast<std::size_t>(role)].seen; }
  /// Frames on their way from this end, oldest first.
  [[nodiscard]] std::deque<Frame>& in_flight(Role from) noexcept { return end(from).in_flight; }
  /// Every frame that this end ever made, as made: what an observer records.
  [[nodiscard]] const std::vector<Frame>& made(Role from) const noexcept {
    return ends_[static_cast<std::size_t>(from)].made;
  }
  [[nodiscard]] std::string_view defect() const noexcept { return defect_; }
  [[nodiscard]] Instant now() const noexcept { return now_; }

  /// At most so many bytes are handed over in one go from now on.
  void split_every(std::size_t bytes) noexcept { chunk_ = bytes; }

  /// Seals plaintext into one frame and puts it on the wire.
  Result<void> send(Role from, Bytes plaintext, bool end_of_data = false);
  Result<void> send(Role from, std::string_view text) { return send(from, as_bytes(text)); }
  Result<void> rekey(Role who);
  void close(Role who, Reason reason, std::string_view text);

  /// Hands the oldest frame over to the other end. False: there is none.
  bool deliver(Role from);
  /// Delivers both ways, frame by frame, until nothing is in flight.
  void run();
  /// Hands over bytes that come from nobody's queue.
  void inject(Role to, Bytes bytes);
  /// Hands over the first `bytes` of what is in flight, drops the rest and ends the stream.
  void cut(Role from, std::size_t bytes);
  /// The other end sees the stream end.
  void end_of_stream(Role from);
  /// Moves the clock and calls handle_timeout wherever it is due.
  void advance(Instant by);
  /// Takes events and control bytes off an end on which a test called something itself, through `at`.
  void drain(Role role);

 private:
  struct End {
    std::unique_ptr<Endpoint> endpoint;
    Seen seen;
    std::deque<Frame> in_flight;
    std::vector<Frame> made;
    std::vector<std::uint8_t> unread;  ///< delivered, but not yet a whole frame
  };

  End& end(Role role) noexcept { return ends_[static_cast<std::size_t>(role)]; }
  void note(Role role, Event&& event);
  void feed(Role to, Bytes bytes);
  void breach(std::string_view what) noexcept {
    if (defect_.empty()) defect_ = what;
  }

  std::array<End, 2> ends_;
  Instant now_ = std::chrono::seconds(1);
  std::size_t chunk_ = std::numeric_limits<std::size_t>::max();
  std::string_view defect_;
};

}  // namespace qsp::test
