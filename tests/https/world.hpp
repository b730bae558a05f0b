#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "files/temp_folder.hpp"
#include "https/certificates.hpp"
#include "https/client.hpp"
#include "https/server.hpp"
#include "https/wiped.hpp"
#include "net/loop.hpp"

namespace qsp::https {

/// What a test's server does with a request; unless told otherwise it answers with the path and the body.
class TestHandler final : public Handler {
 public:
  void handle(Request request, Respond respond) override;

  std::function<void(Request, Respond)> act;
  std::vector<std::string> seen;  ///< the last segment of each request's path
  PeerIdentity last_peer;
};

using Answered = std::expected<Response, Failure>;

/// One loop in the test's own thread, a CA, and files for a server and a client that trust it.
class World {
 public:
  World();

  /// Runs the loop until this holds. False after half a minute, which no test needs.
  bool until(const std::function<bool()>& holds);

  /// Files for this certificate; `name` tells them from others.
  TlsFiles files(const std::string& name, const test::IssuedCertificate& issued, const std::string& authorities = "");
  test::CertificateOptions server_certificate() const;
  /// The server listens on 127.0.0.1.
  std::unique_ptr<Server> serve(ServerOptions options = {});
  std::unique_ptr<Server> serve_plain(ServerOptions options = {});
  std::unique_ptr<Client> connect_to(std::uint16_t port, ClientOptions options = {});
  /// Makes a call and runs the loop until its answer is there.
  Answered ask(Client& client, std::string target, std::string_view body = {},
               std::chrono::nanoseconds within = std::chrono::seconds(20));

  test::TempFolder folder;
  test::CertificateAuthority authority{"Test CA"};
  net::Loop loop;
  TestHandler handler;
  TlsFiles server_files;
  TlsFiles client_files;
};

Call make_call(std::string target, std::string_view body = {},
               std::chrono::nanoseconds within = std::chrono::seconds(20));

/// The body, or what failed.
std::string text_of(const Answered& answered);

}  // namespace qsp::https
