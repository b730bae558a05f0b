#include "driver/stream.hpp"

#include <utility>

namespace qsp::driver {

net::ConnectionPtr Stream::make(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
                                std::unique_ptr<Channel> channel, net::ConnectionOwner& owner,
                                std::chrono::nanoseconds stall_limit, std::shared_ptr<Mailbox> mailbox) {
  Channel& same = *channel;
  return net::ConnectionPtr(
      new Stream(loop, std::move(socket), peer, std::move(channel), same, owner, stall_limit, std::move(mailbox)));
}

Stream::Stream(net::Loop& loop, net::Socket&& socket, const net::tcp::endpoint& peer,
               std::unique_ptr<Endpoint> endpoint, Channel& channel, net::ConnectionOwner& owner,
               std::chrono::nanoseconds stall_limit, std::shared_ptr<Mailbox> mailbox)
    : Connection(loop, std::move(socket), peer, std::move(endpoint), owner),
      channel_(channel),
      stall_limit_(stall_limit),
      mailbox_(std::move(mailbox)) {
  mailbox_->attach(*this);
}

void Stream::produce() {
  while (queued() < kHighWater && mailbox_->has_output()) {
    const MutableBytes room = reserve();
    if (room.empty()) return;
    const auto [size, end] = mailbox_->fill(room);
    if (!send_reserved(size, end)) return;  // it has closed the session, and its end is told from there
  }
  if (mailbox_->must_close()) close(Reason::Normal, "");
}

std::optional<Instant> Stream::deadline() const {
  const std::optional<Instant> since = mailbox_->full_since();
  if (!since) return std::nullopt;
  return *since + stall_limit_;
}

}  // namespace qsp::driver
