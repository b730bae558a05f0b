#pragma once

#include <sys/types.h>

#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <span>
#include <utility>

#include "files/descriptor.hpp"
#include "net/descriptor.hpp"
#include "net/loop.hpp"
#include "qsp/error.hpp"

namespace qsp::net {

/// One direction of a program's data: a descriptor that is read or written without ever blocking, whatever it is, and
/// without changing the flags of what other processes have open as well.
///
/// A pipe is opened once more, since its flags belong to one opening of it; a socket is told with each call; a file
/// never blocks; a terminal is asked first.
class PipeEnd {
 public:
  /// What a pipe should hold, where the system allows it: four frames, so that neither side of it waits for the other
  /// after each.
  static constexpr int kPipeSize = 256 * 1024;

  /// `fd` stays the caller's, and open as long as this. Error: it cannot be watched.
  static Result<PipeEnd, error_code> open(Loop& loop, int fd, Watch::For what);

  /// As read(2) and writev(2) do of a non-blocking descriptor: -1 with errno EAGAIN, and not EINTR.
  [[nodiscard]] ssize_t read(MutableBytes into) const noexcept;
  [[nodiscard]] ssize_t write(std::span<const asio::const_buffer> buffers) const noexcept;
  /// Tells when it is worth trying again.
  [[nodiscard]] Watch& watch() noexcept { return watch_; }

 private:
  /// Straight on; with a flag for each call; after poll(2) said that it does not block.
  enum class Way : std::uint8_t { Plain, Flagged, Asked };

  PipeEnd(int fd, files::Descriptor&& own, Way way, Watch&& watch) noexcept
      : fd_(fd), own_(std::move(own)), way_(way), watch_(std::move(watch)) {}

  int fd_;                 ///< the one that is used
  files::Descriptor own_;  ///< the same where it was opened once more
  Way way_;
  Watch watch_;
};

}  // namespace qsp::net
