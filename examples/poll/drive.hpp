// Drives one session over a connected socket with poll(2), until it is over. Both ends use it.
#include <poll.h>
#include <sys/socket.h>
#include <qsp/qsp.hpp>

#include <utility>

inline qsp::Instant now() { return std::chrono::steady_clock::now().time_since_epoch(); }
inline void write_all(int fd, qsp::Bytes bytes) {
  for (ssize_t n = 0; !bytes.empty() && (n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL)) > 0;)
    bytes = bytes.subspan(static_cast<std::size_t>(n));
}
inline void write_control(int fd, qsp::Channel& channel) {
  std::vector<std::uint8_t> out(65'536);
  while (const std::size_t n = channel.poll_transmit(out)) write_all(fd, qsp::Bytes(out).first(n));
}
inline void send_last(int fd, qsp::Channel& channel, std::string_view text) {
  write_control(fd, channel);  // bytes leave in the order in which they were made
  const auto [head, tail] = channel.frame_room();
  std::vector<std::uint8_t> frame(head + text.size() + tail);
  std::copy(text.begin(), text.end(), frame.data() + head);
  channel.seal_app_data(frame, text.size(), true, now()).value();
  write_all(fd, frame);
}

template <class OnEvent>
void drive(int fd, qsp::Channel& channel, OnEvent on_event) {
  std::vector<std::uint8_t> in(qsp::Endpoint::kMaxFrameSize);  // nobody has looked yet at what is from `from` to `to`
  for (std::size_t from = 0, to = 0; true;) {
    while (const auto event = channel.poll_event()) on_event(*event);
    write_control(fd, channel);
    if (channel.phase() == qsp::Phase::Closed) break;
    const std::size_t used = channel.handle_bytes(qsp::MutableBytes(in).subspan(from, to - from), now());
    from += used;
    if (used != 0) continue;
    std::copy(in.data() + from, in.data() + to, in.data());
    to -= std::exchange(from, 0);
    const auto timer = channel.next_timeout().value_or(now() + std::chrono::hours(1)) - now();
    pollfd socket{fd, POLLIN, 0};
    if (::poll(&socket, 1, static_cast<int>(std::max<std::int64_t>(timer / std::chrono::milliseconds(1) + 1, 0))) == 0)
      channel.handle_timeout(now());
    else if (const ssize_t n = ::recv(fd, in.data() + to, in.size() - to, 0); n > 0)
      to += static_cast<std::size_t>(n);
    else
      channel.handle_end_of_stream(now());
  }
  ::shutdown(fd, SHUT_WR);  // what the peer still says is read, so that no reset overtakes the last words
  pollfd socket{fd, POLLIN, 0};
  while (::poll(&socket, 1, 2'000) > 0 && ::recv(fd, in.data(), in.size(), 0) > 0) continue;
}
