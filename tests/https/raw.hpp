#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "files/file.hpp"
#include "https/tls.hpp"

namespace qsp::https {

/// A TCP client without manners, which never blocks: the server runs in the same thread.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port);

  void send(std::string_view bytes) const;
  /// Says that nothing follows.
  void end() const;
  /// Takes what has arrived into `received`, and notices the end.
  void poll();
  /// "HTTP/1.1 413 …" → "413", of the last answer.
  [[nodiscard]] std::string last_status() const;
  [[nodiscard]] std::size_t answers() const;

  std::string received;
  bool ended = false;

 private:
  files::Descriptor fd_;
};

/// A TLS server in a thread of its own that plays one script for each connection in turn, then is gone.
class ScriptedServer {
 public:
  using Script = std::function<void(SSL*)>;

  /// `configure` may change what TLS it speaks.
  ScriptedServer(const TlsFiles& files, std::vector<Script> scripts,
                 const std::function<void(SSL_CTX*)>& configure = nullptr);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  void run(const std::vector<Script>& scripts) const;

  TlsContext context_;
  files::Descriptor listener_;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

/// Of scripts: reads to the end of a request without a body; writes.
bool read_request(SSL* ssl);
/// A script that reads a request, writes this and, where `vouched`, ends TLS properly.
ScriptedServer::Script answer_with(std::string text, bool vouched = true);
/// Of `configure`: writes this instead of TLS and closes.
void speak_plainly(SSL_CTX* context, const char* text);
void write_text(SSL* ssl, std::string_view text);

}  // namespace qsp::https
