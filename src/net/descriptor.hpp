#pragma once

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cstdint>
#include <optional>
#include <utility>

#include "net/loop.hpp"
#include "qsp/error.hpp"

namespace qsp::net {

/// Tells when a descriptor that somebody else owns can be read, or written, without blocking, whatever it is: a file, a
/// pipe or a terminal.
///
/// It watches through an epoll descriptor of its own: Asio would set O_NONBLOCK on the watched one, a flag that a
/// terminal or pipe shares with every other process that has it open.
class Watch {
 public:
  enum class For : std::uint8_t { Reading, Writing };

  /// `fd` stays open as long as the watch lives. Error: that of epoll.
  static Result<Watch, error_code> open(Loop& loop, int fd, For what = For::Reading);

  /// True if the descriptor never blocks (a regular file); wait() is then never needed.
  [[nodiscard]] bool always_ready() const noexcept { return !epoll_; }
  /// Calls `ready` once, on the loop's thread, when the descriptor is ready. Precondition: not always_ready, no wait
  /// under way.
  template <class Ready>
  void wait(Ready&& ready) {
    if (!epoll_) return;
    epoll_->async_wait(Descriptor::wait_read, [ready = std::forward<Ready>(ready)](const error_code& failed) mutable {
      if (!failed) ready();
    });
  }
  /// Forgets a wait under way; its handler is not called.
  void cancel() noexcept;

 private:
  using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

  explicit Watch(std::optional<Descriptor>&& epoll) : epoll_(std::move(epoll)) {}

  std::optional<Descriptor> epoll_;
};

}  // namespace qsp::net
