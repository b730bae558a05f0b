#pragma once

#include <cstdint>

namespace qsp::net {

/// The two descriptors of a pump's near side: standard input and output, a child's pipes, or one socket twice.
class PipeEnds {
 public:
  /// Whose descriptors they are: ours are non-blocking and closed by us; the process's own may block, and stay open.
  enum class Kind : std::uint8_t { Standard, Pipes, Stream };

  PipeEnds(Kind kind, int input, int output) noexcept : kind_(kind), input_(input), output_(output) {}
  PipeEnds(PipeEnds&& other) noexcept;
  PipeEnds& operator=(PipeEnds&&) = delete;
  PipeEnds(const PipeEnds&) = delete;
  PipeEnds& operator=(const PipeEnds&) = delete;
  ~PipeEnds() { close(); }

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] int input() const noexcept { return input_; }
  [[nodiscard]] int output() const noexcept { return output_; }
  /// The reader of the output sees its end: the descriptor is closed, or a socket shut for writing.
  void end_output() noexcept;
  void close() noexcept;

 private:
  Kind kind_;
  int input_;
  int output_;
};

}  // namespace qsp::net
