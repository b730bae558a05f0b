#include "node/echo_client.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "text/units.hpp"

namespace qsp::node {
namespace {

std::string system_text(int error) { return std::generic_category().message(error); }

/// Writes all of it, however often the system takes a part only. 0 or errno.
int write_all(int fd, Bytes bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return errno;
    if (count > 0) bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace

void EchoWindow::push(Bytes sent) noexcept {
  const std::size_t at = (begin_ + size_) % ring_.size();
  const std::size_t straight = std::min(sent.size(), ring_.size() - at);
  std::ranges::copy(sent.first(straight), ring_.begin() + static_cast<std::ptrdiff_t>(at));
  std::ranges::copy(sent.subspan(straight), ring_.begin());
  size_ += sent.size();
}

bool EchoWindow::match(Bytes echoed) noexcept {
  if (echoed.size() > size_) return false;
  const Bytes ring(ring_);
  const std::size_t straight = std::min(echoed.size(), ring_.size() - begin_);
  if (!std::ranges::equal(echoed.first(straight), ring.subspan(begin_, straight)) ||
      !std::ranges::equal(echoed.subspan(straight), ring.first(echoed.size() - straight))) {
    return false;
  }
  begin_ = (begin_ + echoed.size()) % ring_.size();
  size_ -= echoed.size();
  return true;
}

EchoClient::EchoClient(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                       std::unique_ptr<Endpoint> endpoint, net::ConnectionOwner& owner, Files files,
                       const Options& options)
    : Connection(loop, std::move(socket), peer, std::move(endpoint), owner),
      files_(std::move(files)),
      half_close_(options.half_close),
      window_(options.window) {}

void EchoClient::handle_data(const AppData& data) {
  if (!window_.match(data.data)) {
    give_up(fmt::format("the echo differs from what was sent, {} to {} bytes into it",
                        text::grouped(report_.compared_bytes),
                        text::grouped(report_.compared_bytes + data.data.size())));
    return;
  }
  report_.compared_bytes += data.data.size();
  end_received_ |= data.end;
  if (files_.show) files_.show(data.data);
  if (files_.output < 0) return;
  if (const int error = write_all(files_.output, data.data); error != 0) {
    give_up(fmt::format("cannot write the echo: {}", system_text(error)));
  }
}

/// Whether a read of the input would not block; if it would, this calls wake() later.
bool EchoClient::input_ready() {
  if (ready_ || files_.watch.always_ready()) return true;
  if (!std::exchange(watching_, true)) {
    files_.watch.wait([self = net::ConnectionPtr(this), this] {
      watching_ = false;
      ready_ = true;
      wake();
    });
  }
  return false;
}

void EchoClient::produce() {
  // A whole frame of room, or an almost full window would be sent in dribs and drabs.
  while (!report_.input_done && queued() < kHighWater && window_.room() >= Endpoint::kMaxPlaintext && input_ready()) {
    send_input();
  }
  if (report_.input_done && window_.empty() && (end_received_ || !half_close_)) close(Reason::Normal, "");
}

void EchoClient::send_input() {
  ready_ = false;
  const MutableBytes room = reserve();
  ssize_t count = 0;
  do {
    count = ::read(files_.input, room.data(), room.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    give_up(fmt::format("cannot read the input: {}", system_text(errno)));
    return;
  }
  report_.input_done = count == 0;
  if (report_.input_done && !half_close_) return;
  // Sealing is in place; so the copy to compare with is taken before it.
  const auto size = static_cast<std::size_t>(count);
  window_.push(room.first(size));
  if (const Result<void> sent = send_reserved(size, report_.input_done); !sent)
    give_up(std::string(sent.error().where));
}

void EchoClient::give_up(std::string why) {
  if (report_.failure.empty()) report_.failure = std::move(why);
  report_.input_done = true;
  close(Reason::InternalError, "the client gave up");
}

}  // namespace qsp::node
