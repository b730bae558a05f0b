#pragma once

#include <memory>

#include "net/connection.hpp"
#include "qsp/key_source.hpp"

namespace qsp::driver {

/// Brings the sessions of one loop the QKD keys that they ask for. A source may answer on any thread, and when nobody
/// waits any more: what it brings then is wiped.
class Keys final : public net::KeyDelivery {
 public:
  explicit Keys(keysource::KeySource& source);
  ~Keys() override;
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

  void fetch(net::Connection& connection, const QkdKeyNeeded& needed) override;
  void forget(net::Connection& connection) override;

 private:
  class Waiting;

  keysource::KeySource& source_;
  std::shared_ptr<Waiting> waiting_;  ///< shared with the answers that are under way
};

}  // namespace qsp::driver
