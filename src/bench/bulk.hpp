#pragma once

#include <cstdint>
#include <string>

#include "bench/child.hpp"
#include "bench/ends.hpp"
#include "bench/rounds.hpp"
#include "bench/tls.hpp"

/// One direction of bulk data over loopback TCP. Each call sends `bytes` zeros from one thread or process to another
/// over a connection of its own, and returns the seconds from dialling until all of them have arrived.
namespace qsp::bench {

/// QSP 1.0: two threads, each with an event loop of src/net.
Outcome<double> send_with_qsp(const KeyPair& keys, std::uint64_t bytes);

/// TLS 1.3: two threads with blocking sockets, SSL_write and SSL_read.
Outcome<double> send_with_tls(const tls::Contexts& contexts, std::uint64_t bytes);

/// TLS 1.3 by OpenSSL's program: `openssl s_client | s_server`, two processes. Their key, certificate and input are
/// unnamed files in memory, so nothing has to be cleaned up.
class OpensslProgram {
 public:
  /// Tries it out. Error: one line that says why it cannot serve.
  static Outcome<OpensslProgram> make(const tls::Credential& credential);

  /// The time that both processes take to start and shake hands is included: ask for 0 bytes to learn it.
  Outcome<double> send(std::uint64_t bytes) const;

 private:
  OpensslProgram(Descriptor key, Descriptor certificate) noexcept
      : key_(std::move(key)), certificate_(std::move(certificate)) {}
  Outcome<double> send(std::uint64_t bytes, int sink) const;

  Descriptor key_, certificate_;
};

}  // namespace qsp::bench
