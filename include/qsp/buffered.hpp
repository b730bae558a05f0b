#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "qsp/channel.hpp"
#include "qsp/export.hpp"

/// A session without I/O that keeps the buffers too: for programs with a socket, or any other stream, and a loop of
/// their own. It costs two copies of each byte; who needs none drives the Channel.
namespace qsp {

class QSP_EXPORT Buffered {
 public:
  /// Of a channel that nobody else drives.
  explicit Buffered(std::unique_ptr<Channel> channel);
  Buffered(Buffered&&) noexcept;
  Buffered& operator=(Buffered&&) noexcept;
  Buffered(const Buffered&) = delete;
  Buffered& operator=(const Buffered&) = delete;
  ~Buffered();

  /// Where the next bytes of the peer's go. It is never empty, if next_event is called until it has none. Valid until
  /// the next call that changes this object.
  MutableBytes room();
  /// What read(2) or recv(2) returned for room(): that many bytes came. Zero or less: the stream has ended or failed. A
  /// call that would have blocked, or that a signal interrupted, is not told.
  void received(std::ptrdiff_t count, Instant now);

  /// Handles what has come and what time it is, up to the next event; nothing once there is none. Call it until then
  /// after received(), and when the time of wait_ms() is over. AppData::data is valid until the next call of this or
  /// room().
  std::optional<Event> next_event(Instant now);
  /// For poll(2): milliseconds until next_event should be called though nothing came; -1 if only input can change
  /// anything.
  [[nodiscard]] int wait_ms(Instant now) const;

  /// Seals a copy of `data`, of any size, behind what waits to be sent. `end`: this end writes no more. How much waits
  /// is for the caller to bound, by unsent().size(). Errors: as Endpoint::seal_app_data.
  Result<void> send(Bytes data, bool end, Instant now);
  /// All that waits to be sent; valid until the next call that changes this object.
  [[nodiscard]] Bytes unsent() const noexcept;
  /// What write(2) or send(2) returned for unsent(): that many bytes are on their way. Less than zero: none is.
  void sent(std::ptrdiff_t count);

  /// Whether the session is over, and all was sent that the peer should hear: then end the stream in this direction,
  /// and read what still comes for 2 s at most, so that no reset overtakes the last words (SPEC §8).
  [[nodiscard]] bool over() const noexcept;

  /// For status, rekey, exports, keys of QKD and close. What these have to send stands in unsent() after next_event.
  [[nodiscard]] Channel& channel() noexcept;

 private:
  struct QSP_HIDDEN State;
  std::unique_ptr<State> state_;
};

}  // namespace qsp
