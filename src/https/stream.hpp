#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <tuple>
#include <utility>

#include "https/tls.hpp"
#include "net/loop.hpp"
#include "qsp/bytes.hpp"

namespace qsp::https {

template <class T>
using Awaited = net::asio::awaitable<T>;
using Outcome = std::tuple<net::error_code>;
using Transfer = std::tuple<net::error_code, std::size_t>;

/// A TCP stream, under TLS once it was told to be. At most one read and one write are under way at a time; what they
/// work on, and the stream, stay until they end. close() ends them soon, with an error.
class Stream {
 public:
  explicit Stream(net::Socket&& socket);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  /// Takes a connected socket in place of its own. Precondition: nothing is under way.
  void take(net::Socket&& socket) { socket_ = std::move(socket); }
  /// What is small goes out at once.
  void set_no_delay();
  /// Acknowledges at once what was received, where the system can be told to (Linux); else within its own 40 ms or so.
  void acknowledge();

  enum class End : std::uint8_t { Client, Server };
  /// From here on everything is TLS. Precondition: `ssl` is not null.
  Awaited<Outcome> handshake(Ssl ssl, End end);
  [[nodiscard]] const SSL* ssl() const noexcept;

  Awaited<Transfer> read_some(MutableBytes into);
  Awaited<Transfer> write(std::string_view all);

  /// Says that nothing follows, then takes and forgets what the peer still sends until it ends too; so that what was
  /// written last is read before the kernel answers unread bytes with a reset. A peer may be slow: bound the time.
  /// `tls_is_sound` is false where the handshake failed.
  Awaited<void> linger(bool tls_is_sound, MutableBytes scratch);

  /// True where a kept connection, which should be silent, has something to say: its end, as a rule.
  [[nodiscard]] bool has_input();
  void close();

 private:
  struct Tls;

  net::Socket socket_;
  std::unique_ptr<Tls> tls_;
};

}  // namespace qsp::https
