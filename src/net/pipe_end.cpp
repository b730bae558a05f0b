#include "net/pipe_end.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "base/try.hpp"

namespace qsp::net {
namespace {

constexpr std::size_t kMostBuffers = 16;

bool is_ready(int fd, short events) noexcept {
  pollfd ready{.fd = fd, .events = events, .revents = 0};
  return ::poll(&ready, 1, 0) > 0;
}

void enlarge_pipe(int fd) noexcept {
  // NOLINTBEGIN(cppcoreguidelines-pro-type-vararg)
  const int size = ::fcntl(fd, F_GETPIPE_SZ);
  // It only tunes: a user who has many large pipes already gets no more of them.
  if (size > 0 && size < PipeEnd::kPipeSize) ::fcntl(fd, F_SETPIPE_SZ, PipeEnd::kPipeSize);
  // NOLINTEND(cppcoreguidelines-pro-type-vararg)
}

/// The same pipe, opened by this process alone; none where that is not allowed (it belongs to another user, say), or
/// where the other end is gone.
files::Descriptor open_anew(int fd, Watch::For what) noexcept {
  const int access = what == Watch::For::Reading ? O_RDONLY : O_WRONLY;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg)
  return files::Descriptor(
      ::open(fmt::format("/proc/self/fd/{}", fd).c_str(), access | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
}

template <class Call>
ssize_t repeated(Call call) noexcept {
  ssize_t count = 0;
  do count = call();
  while (count < 0 && errno == EINTR);
  return count;
}

}  // namespace

Result<PipeEnd, error_code> PipeEnd::open(Loop& loop, int fd, Watch::For what) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return std::unexpected(error_code(errno, boost::system::system_category()));
  files::Descriptor own;
  Way way = Way::Asked;
  if (S_ISSOCK(info.st_mode)) {
    way = Way::Flagged;
  } else if ((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0) {  // NOLINT(cppcoreguidelines-pro-type-vararg)
    way = Way::Plain;
  } else if (S_ISFIFO(info.st_mode)) {
    own = open_anew(fd, what);
    if (own) way = Way::Plain;
  }
  if (S_ISFIFO(info.st_mode)) enlarge_pipe(fd);
  const int used = own ? own.get() : fd;
  QSP_TRY(auto watch, Watch::open(loop, used, what));
  if (watch.always_ready()) way = Way::Plain;
  return PipeEnd(used, std::move(own), way, std::move(watch));
}

ssize_t PipeEnd::read(MutableBytes into) const noexcept {
  if (way_ == Way::Asked && !is_ready(fd_, POLLIN)) {
    errno = EAGAIN;
    return -1;
  }
  return repeated([&] {
    return way_ == Way::Flagged ? ::recv(fd_, into.data(), into.size(), MSG_DONTWAIT)
                                : ::read(fd_, into.data(), into.size());
  });
}

ssize_t PipeEnd::write(std::span<const asio::const_buffer> buffers) const noexcept {
  std::array<iovec, kMostBuffers> pieces{};
  std::size_t count = 0;
  for (const asio::const_buffer& buffer : buffers.first(std::min(buffers.size(), kMostBuffers))) {
    pieces[count++] = {.iov_base = const_cast<void*>(buffer.data()), .iov_len = buffer.size()};  // it is only read
  }
  if (way_ == Way::Asked) {
    // Up to PIPE_BUF bytes fit where poll(2) says so.
    if (!is_ready(fd_, POLLOUT)) {
      errno = EAGAIN;
      return -1;
    }
    pieces[0].iov_len = std::min<std::size_t>(pieces[0].iov_len, PIPE_BUF);
    count = 1;
  }
  return repeated([&] {
    if (way_ != Way::Flagged) return ::writev(fd_, pieces.data(), static_cast<int>(count));
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    return ::sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  });
}

}  // namespace qsp::net
