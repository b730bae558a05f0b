#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "files/file.hpp"
#include "https/https.hpp"
#include "net/loop.hpp"

namespace qsp::https {

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;       ///< 0: any free one
  std::optional<TlsFiles> tls;  ///< nothing: plain HTTP, for an address of the loopback interface alone
  std::size_t max_body = std::size_t{64} * 1024;  ///< bytes of a request's body, else 413
  /// Bounds on connections. One that has not authenticated itself, or on a plain server has no whole request under
  /// way, gives way to a newcomer where there is no room; then one that is kept between two requests (net::Admission).
  std::size_t max_connections = 1024;
  std::size_t max_connections_per_source = 256;
  std::size_t max_strangers = 256;  ///< of these, not authenticated; so there is always room for those who are
  std::size_t max_strangers_per_source = 128;
  std::chrono::nanoseconds handshake_timeout =
      std::chrono::seconds(5);                                          ///< of TLS; on a plain server to the first byte
  std::chrono::nanoseconds header_timeout = std::chrono::seconds(5);    ///< first byte of a request to its last field
  std::chrono::nanoseconds request_timeout = std::chrono::seconds(10);  ///< first byte of a request to its last
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(60);     ///< between two requests
  std::chrono::nanoseconds answer_timeout = std::chrono::seconds(30);   ///< of writing an answer
  /// A connection ends with an answer once it is so old, or has had so many: what was true of its peer's certificate
  /// when it began is not taken for true for ever.
  std::chrono::nanoseconds max_life = std::chrono::minutes(10);
  std::uint64_t max_requests = 10'000;
  std::function<void(const std::string&)> report{};  ///< a line for the operator's log
};

struct Request {
  Method method;
  Target target;
  SecretBytes body;
  PeerIdentity peer;   ///< empty on a plain server
  std::string source;  ///< the peer's IP address, for logs and limits
};

/// Answers one request; may be called from any thread, once. Dropped without a call, the connection is closed
/// unanswered.
using Respond = std::move_only_function<void(Response)>;

class Handler {
 public:
  virtual ~Handler() = default;
  /// From the loop's thread.
  virtual void handle(Request request, Respond respond) = 0;
};

/// The second half of a reload, which cannot fail.
using Renewal = std::move_only_function<void()>;

/// What a server has seen; for metrics.
struct ServerCounts {
  std::uint64_t connections = 0, refused = 0, displaced = 0, tls_failures = 0, requests = 0, timeouts = 0;
  std::size_t open = 0;
};

/// A server on one event loop. A plain one is for programs of this machine and for pages that it served: a request
/// whose Host is another name, or whose Origin is another page, is answered 403, so that no web site that a browser
/// here shows can reach it, under a name of its own (DNS rebinding) or not. Requests of one connection are answered in
/// turn; a peer that is slow, silent or sends garbage is cut off by the limits above and holds up nobody else.
class Server {
 public:
  /// Listens. The error names address or file and the remedy. `loop` and `handler` outlive the server.
  static files::OrText<std::unique_ptr<Server>> open(net::Loop& loop, const HttpServerOptions& options,
                                                     Handler& handler);
  virtual ~Server() = default;

  [[nodiscard]] virtual std::uint16_t port() const noexcept = 0;
  [[nodiscard]] virtual ServerCounts counts() const noexcept = 0;
  /// Takes no more connections, lets answers under way go out for at most `grace`, then closes the rest.
  virtual void stop(std::chrono::nanoseconds grace) = 0;
  /// Reads the TLS files again. Nothing has changed until what it returns is called: then they count for connections
  /// from now on, and those whose peers they do not admit are closed. On an error the old ones stay.
  virtual files::OrText<Renewal> prepare_reload() = 0;
  /// Both halves at once.
  files::OrText<void> reload();
};

}  // namespace qsp::https
