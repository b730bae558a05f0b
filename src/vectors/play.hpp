#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "vectors/ends.hpp"
#include "wire/frame.hpp"

/// A scenario played from CLIENT_HELLO to CLOSE, and what an observer with every key sees of it.
namespace qsp::vectors {

/// A frame as it went over the wire.
struct Sent {
  Role from;
  Buffer frame;
};

struct ExportedKey {
  std::uint32_t epoch;
  std::string label;
  Buffer context;
  Buffer key;
};

/// A frame that arrives in place of the one at `index`.
struct Swap {
  std::size_t index;
  Buffer frame;
};

/// Plays in lockstep: a frame is delivered and processed before an application seals the next one.
class Play {
 public:
  explicit Play(Ends& ends) : ends_(ends) {}

  /// To the end of the session; with `swap`, to the end of the session that its frame brings about.
  /// Error: a session that went another way than the scenario says.
  std::expected<void, std::string> run(const Scenario& scenario, std::optional<Swap> swap = std::nullopt);

  [[nodiscard]] const std::vector<Sent>& wire() const noexcept { return wire_; }
  [[nodiscard]] const std::vector<ExportedKey>& exports() const noexcept { return exports_; }
  /// Why the receiver of the swapped frame refused it.
  [[nodiscard]] std::optional<Reason> refusal() const noexcept { return refusal_; }

 private:
  [[nodiscard]] bool stopped() const noexcept { return !failure_.empty() || refusal_; }
  void fail(std::string_view what);
  void say(Role from, std::string_view text, bool end = false);
  void rekey(const PlannedRekey& plan);
  void export_key();
  void finish();
  void pump();
  void deliver(std::size_t index);
  void drain(Role role);
  void answer(Role role, const QkdKeyNeeded& need);

  Ends& ends_;
  std::optional<Swap> swap_;
  std::vector<Sent> wire_;
  std::size_t delivered_ = 0;
  std::vector<ExportedKey> exports_;
  std::optional<QkdPair> qkd_;  ///< drawn by one end and not yet fetched by the other
  Kme kme_ = Kme::Delivers;
  std::optional<Closed> closed_[2];
  std::optional<Reason> refusal_;
  std::string failure_;
};

/// A frame opened by the observer.
struct Opened {
  Role from;
  wire::FrameHeader header;
  std::uint64_t n;
  Buffer frame;
  Buffer plaintext;
};

/// Opens every frame of a session. Error: one that does not open.
Result<std::vector<Opened>> open_all(const std::vector<Sent>& wire, const Secrets& secrets, crypto::Provider& provider,
                                     crypto::AeadId aead);

/// The frame with another plaintext, under the same key and nonce. Precondition: a sealed frame.
Result<Buffer> reseal(const Opened& original, Bytes plaintext, const Secrets& secrets, crypto::Provider& provider,
                      crypto::AeadId aead);

}  // namespace qsp::vectors
