#include "net/descriptor.hpp"

#include <sys/epoll.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "files/descriptor.hpp"

namespace qsp::net {
namespace {

error_code last_error() noexcept { return {errno, boost::system::system_category()}; }

}  // namespace

Result<Watch, error_code> Watch::open(Loop& loop, int fd, For what) {
  files::Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return std::unexpected(last_error());
  epoll_event interest{};
  interest.events = what == For::Reading ? EPOLLIN : EPOLLOUT;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &interest) != 0) {
    const error_code refused = last_error();
    // epoll_ctl(2): EPERM is a file that cannot be waited for, because it never blocks.
    if (refused.value() == EPERM) return Watch(std::nullopt);
    return std::unexpected(refused);
  }
  Descriptor descriptor(loop.executor());
  error_code failed;
  descriptor.assign(epoll.get(), failed);
  if (failed) return std::unexpected(failed);
  static_cast<void>(epoll.release());
  return Watch(std::move(descriptor));
}

void Watch::cancel() noexcept {
  error_code ignored;  // nothing waits any more, whatever it says
  if (epoll_) epoll_->cancel(ignored);
}

}  // namespace qsp::net
