#pragma once

#include <unistd.h>

#include <utility>

namespace qsp::files {

/// An open file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  /// Takes one over; a negative number is none, so that what open(2) returned can be given at once.
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    Descriptor old(std::exchange(fd_, other.release()));
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

  /// Gives it up to somebody who closes it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  /// Closes it now. What close(2) says of it is not asked: the descriptor is gone whatever it says.
  void close() noexcept {
    if (const int fd = release(); fd >= 0) ::close(fd);
  }

 private:
  int fd_ = -1;
};

}  // namespace qsp::files
