#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstddef>
#include <string_view>

#include "qsp/bytes.hpp"
#include "qsp/error.hpp"

namespace qsp::net {

/// A way to the peer that takes bytes from whoever makes them: a session, or one of several streams in one. A pump
/// knows no more of it than this. It keeps itself alive while an operation of its own is under way, and stays on its
/// loop's thread.
class Carrier : public boost::intrusive_ref_counter<Carrier, boost::thread_unsafe_counter> {
 public:
  /// Bytes queued for the peer above which nobody should make more (SPEC §7 asks for a bound).
  static constexpr std::size_t kHighWater = std::size_t{256} * 1024;

  virtual ~Carrier() = default;

  /// Room for bytes to the peer, where they will be sealed. Empty where it takes none: not yet, or not any more. Valid
  /// until send_reserved or any other call.
  virtual MutableBytes reserve() = 0;
  /// Sends the first `size` bytes of reserve(); `end`: this end has no more. Error: the carrier is over, or about to
  /// be.
  virtual Result<void> send_reserved(std::size_t size, bool end) = 0;
  /// Bytes that wait to be written.
  [[nodiscard]] virtual std::size_t queued() const noexcept = 0;
  /// Something changed outside: input became ready, or there is room again. It asks for more, and writes.
  virtual void wake() = 0;
  /// Ends it; the peer learns why.
  virtual void close(Reason reason, std::string_view text) = 0;
};

using CarrierPtr = boost::intrusive_ptr<Carrier>;

}  // namespace qsp::net
