#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "files/file.hpp"
#include "https/https.hpp"
#include "net/loop.hpp"

namespace qsp::https {

struct HttpClientOptions {
  std::string url;  ///< "https://HOST[:PORT][/PREFIX]"; no query; an IPv6 host stands in brackets. "http://" and an
                    ///< address of the loopback interface: without TLS, and `tls` is not read
  TlsFiles tls;
  std::string server_name;  ///< what the server's certificate must be for; empty: the URL's host, or its IP address
  std::size_t max_body = std::size_t{1} << 20;  ///< bytes of an answer's body; more is a failure
  std::size_t connections = 4;                  ///< kept open at most, and used at once; further calls wait
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(3);  ///< for name, TCP and TLS together
  /// No call goes over a connection that has been open for longer: the server's certificate may be over by now. Longer
  /// than a call takes to be given to a connection that is free.
  std::chrono::nanoseconds max_life = std::chrono::minutes(10);
  /// Whether a body is whole by itself. It is asked where a body has no length, ends with the connection, and TLS ended
  /// without close_notify, so that nobody vouches for that end. Null: no such body is taken.
  std::function<bool(std::string_view body)> whole_by_itself{};
};

struct Call {
  Method method = Method::Get;
  std::string target;  ///< behind the URL's prefix, already escaped, such as "/api/v1/keys/bob/status"
  SecretBytes body;    ///< of a POST, JSON
  Instant deadline{};  ///< on net::Loop's clock; the call ends by then
};

/// A call that brought no whole answer.
struct CallFailure {
  bool sent;         ///< the server may have acted on it: a key may be burned. False: it surely never saw the request
  std::string text;  ///< for a person, names the URL; holds nothing of a body. Escape it to print it
  /// The same call would fail alike: the form of the answer is wrong, or the two ends' TLS does not meet.
  bool lasting = false;
};

/// A client of one server, on one event loop: every member is called from the loop's thread. Connections are kept open
/// and reused. A call is written at most once: where a kept connection turns out to be closed after the request was
/// written, the call fails with `sent` and is not repeated.
class Client {
 public:
  using Done = std::move_only_function<void(std::expected<Response, CallFailure>)>;

  /// Reads and checks the files. The error names the file and the remedy. `loop` outlives the client.
  static files::OrText<std::unique_ptr<Client>> make(net::Loop& loop, const HttpClientOptions& options);
  virtual ~Client() = default;  ///< calls under way end; their `done` is not called
  /// The same now, for an owner that its own calls keep alive. Nothing may be called afterwards.
  virtual void close() {}

  /// Calls `done` exactly once unless cancelled, never from within this call. Any HTTP status is an answer.
  virtual std::uint64_t call(Call call, Done done) = 0;
  /// `done` will not be called any more. True: the call was written and not answered, so that the server may have acted
  /// on it. Does nothing for a call that has ended.
  virtual bool cancel(std::uint64_t id) = 0;
};

}  // namespace qsp::https
