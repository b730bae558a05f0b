#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "files/temp_folder.hpp"
#include "https/authority.hpp"
#include "https/client.hpp"
#include "https/server.hpp"
#include "net/loop.hpp"
#include "qsp/secret_bytes.hpp"

namespace qsp::https {

/// For anything that has to happen: so long that only what never happens takes it, however loaded the machine is.
inline constexpr std::chrono::seconds kPatience{90};

/// What a test's server does with a request; unless told otherwise it answers with the path and the body.
class TestHandler final : public Handler {
 public:
  void handle(Request request, Respond respond) override;

  std::function<void(Request, Respond)> act;
  std::vector<std::string> seen;  ///< the last segment of each request's path
  PeerIdentity last_peer;
};

using Answered = std::expected<Response, CallFailure>;

// Certificates begin an hour ago and end in a day, unless told otherwise. What fails throws.
Authority make_authority(const std::string& name);
Credential issue(Authority& authority, const Subject& subject, std::chrono::hours begins = std::chrono::hours(-1),
                 std::chrono::hours life = std::chrono::hours(25));
/// A revocation list of these certificates, from an hour ago.
std::string revoke(Authority& authority, const std::vector<std::string>& certificates,
                   std::chrono::minutes life = std::chrono::hours(25));

/// One loop in the test's own thread, a CA, and files for a server and a client that trust it.
class World {
 public:
  World();

  /// Runs the loop until this holds. False after half a minute, which no test needs.
  bool until(const std::function<bool()>& holds);

  /// Files for this certificate; `name` tells them from others.
  TlsFiles files(const std::string& name, const Credential& issued);
  static Subject server_certificate();
  /// The server listens on 127.0.0.1.
  std::unique_ptr<Server> serve(HttpServerOptions options = {});
  std::unique_ptr<Server> serve_plain(HttpServerOptions options = {});
  std::unique_ptr<Client> connect_to(std::uint16_t port, HttpClientOptions options = {});
  /// Makes a call and runs the loop until its answer is there.
  Answered ask(Client& client, std::string target, std::string_view body = {},
               std::chrono::nanoseconds within = kPatience);

  test::TempFolder folder;
  Authority authority = make_authority("Test CA");
  net::Loop loop;
  TestHandler handler;
  TlsFiles server_files;
  TlsFiles client_files;
};

Call make_call(std::string target, std::string_view body = {}, std::chrono::nanoseconds within = kPatience);

/// The body, or what failed.
std::string text_of(const Answered& answered);

}  // namespace qsp::https
