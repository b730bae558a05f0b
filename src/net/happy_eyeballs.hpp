#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/address.hpp"
#include "net/loop.hpp"
#include "qsp/error.hpp"

namespace qsp::net {

/// A connected socket and the address that answered.
struct Dialled {
  Socket socket;
  tcp::endpoint peer;
};

/// How long a dial may take. RFC 8305 §5 and §8.
struct DialLimits {
  std::chrono::nanoseconds overall = std::chrono::seconds(10);      ///< for name and connections together
  std::chrono::nanoseconds each = std::chrono::seconds(5);          ///< for one address, where there are others
  std::chrono::nanoseconds delay = std::chrono::milliseconds(250);  ///< before the next address is tried as well
  std::size_t addresses = 16;                                       ///< of a name that are tried at most
};

/// An address that did not answer, and why: timed_out where it said nothing.
struct Unreached {
  tcp::endpoint address;
  error_code why;
};

/// Why a dial failed. Either the name has no address (`unresolved`), or none of its addresses answered.
struct DialFailure {
  error_code unresolved;
  std::vector<Unreached> tried;
};

/// One dial: resolves a name and connects to its addresses, families in turn, the next one as soon as the last has
/// failed or has been silent for `delay`. The first that answers wins; the others are closed (RFC 8305, "Happy
/// Eyeballs"). So an address that swallows packets costs a quarter of a second and not the dial.
class HappyEyeballs {
 public:
  /// Connects an open socket; the handler is called once, later. Tests bring their own.
  using Connect = std::function<void(Socket&, const tcp::endpoint&, std::function<void(const error_code&)>)>;

  explicit HappyEyeballs(const Executor& executor, const DialLimits& limits = {}, Connect connect = {});
  HappyEyeballs(const HappyEyeballs&) = delete;
  HappyEyeballs& operator=(const HappyEyeballs&) = delete;
  ~HappyEyeballs();

  /// Call one of these, once. The object stays until it has ended.
  asio::awaitable<Result<Dialled, DialFailure>> run(Address address);
  asio::awaitable<Result<Dialled, DialFailure>> run(std::vector<tcp::endpoint> addresses);
  /// Ends what runs, soon and with a failure.
  void cancel();

 private:
  struct Race;

  asio::awaitable<void> race();
  void start_next();
  void answered(std::size_t attempt, const error_code& failed);
  void expire(Instant now);
  [[nodiscard]] Instant wake_at() const;

  std::shared_ptr<Race> race_;
};

/// In the order of RFC 8305 §4: the resolver's, but families alternate.
std::vector<tcp::endpoint> interleave(const std::vector<tcp::endpoint>& addresses);

/// Each address that was tried with what came of it: "[::1]:7155: refused, nothing listens there; …".
std::string describe(const std::vector<Unreached>& tried);

}  // namespace qsp::net
