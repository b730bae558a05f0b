#include "net/pipe_ends.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace qsp::net {

PipeEnds::PipeEnds(PipeEnds&& other) noexcept
    : kind_(other.kind_), input_(std::exchange(other.input_, -1)), output_(std::exchange(other.output_, -1)) {}

void PipeEnds::end_output() noexcept {
  if (output_ < 0) return;
  if (kind_ == Kind::Stream) {
    ::shutdown(output_, SHUT_WR);
    return;
  }
  // Standard output is closed as well: the next program of a pipeline waits for that.
  ::close(std::exchange(output_, -1));
}

void PipeEnds::close() noexcept {
  const int input = std::exchange(input_, -1);
  const int output = std::exchange(output_, -1);
  if (kind_ == Kind::Standard) return;
  if (input >= 0) ::close(input);
  if (output >= 0 && output != input) ::close(output);
}

}  // namespace qsp::net
