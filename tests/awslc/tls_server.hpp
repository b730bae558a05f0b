#pragma once

#include <cstdint>
#include <string>
#include <thread>

namespace qsp::test {

/// As much of a PostgreSQL server as it takes to shake hands over TLS with one client, by this program's libssl: it
/// lets whoever comes in, and waits until they go.
class TlsServer {
 public:
  /// Certificate and key as PEM.
  TlsServer(const std::string& certificate, const std::string& key);
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  /// Nobody is waited for who has not come by now.
  ~TlsServer();

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  void serve(const std::string& certificate, const std::string& key) const;

  int listening_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace qsp::test
