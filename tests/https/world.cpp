#include "https/world.hpp"

#include <csignal>
#include <optional>
#include <stdexcept>
#include <utility>

namespace qsp::https {
namespace {

template <class T>
T must(files::OrText<T> made) {
  if (!made) throw std::runtime_error(made.error());
  return std::move(*made);
}

std::chrono::system_clock::time_point from_now(std::chrono::hours later) {
  return std::chrono::system_clock::now() + later;
}

}  // namespace

Authority make_authority(const std::string& name) {
  return must(Authority::make(name, from_now(std::chrono::hours(-1)), std::chrono::hours(25)));
}

Credential issue(Authority& authority, const Subject& subject, std::chrono::hours begins, std::chrono::hours life) {
  return must(authority.issue(subject, from_now(begins), life));
}

std::string revoke(Authority& authority, const std::vector<std::string>& certificates, std::chrono::minutes life) {
  return must(authority.revoke(certificates, from_now(std::chrono::hours(-1)), life));
}

void TestHandler::handle(Request request, Respond respond) {
  seen.push_back(request.target.path.back());
  last_peer = request.peer;
  if (act) {
    act(std::move(request), std::move(respond));
    return;
  }
  std::string text = "/" + request.target.path.back() + " ";
  text += request.body.reveal_text();
  respond(Response{.status = 200, .body = SecretBytes::copy_of(text), .retry_after = {}});
}

World::World() {
  std::signal(SIGPIPE, SIG_IGN);  // the sockets of OpenSSL's own that some tests use raise it
  server_files = files("server", issue(authority, server_certificate()));
  client_files = files("client", issue(authority, {.common_name = "alice", .uris = {"sae:alice"}}));
}

bool World::until(const std::function<bool()>& holds) {
  const Instant end = net::Loop::now() + kPatience;
  while (!holds() && net::Loop::now() < end) {
    loop.io().restart();
    loop.io().run_one_for(std::chrono::milliseconds(20));
  }
  return holds();
}

TlsFiles World::files(const std::string& name, const Credential& issued) {
  return {.certificate = folder.with(name + ".crt", issued.certificate),
          .key = folder.with(name + ".key", issued.key.reveal_text()),
          .authorities = folder.with(name + ".ca", authority.credential().certificate),
          .revoked = {}};
}

Subject World::server_certificate() {
  return {.common_name = "kme", .dns_names = {"localhost"}, .addresses = {"127.0.0.1"}, .uris = {}};
}

std::unique_ptr<Server> World::serve(HttpServerOptions options) {
  if (!options.tls) options.tls = server_files;
  auto server = Server::open(loop, options, handler);
  if (!server) throw std::runtime_error(server.error());
  return std::move(*server);
}

std::unique_ptr<Server> World::serve_plain(HttpServerOptions options) {
  auto server = Server::open(loop, options, handler);
  if (!server) throw std::runtime_error(server.error());
  return std::move(*server);
}

std::unique_ptr<Client> World::connect_to(std::uint16_t port, HttpClientOptions options) {
  if (options.url.empty()) options.url = "https://127.0.0.1:" + std::to_string(port);
  if (options.tls.certificate.empty()) options.tls = client_files;
  auto client = Client::make(loop, options);
  if (!client) throw std::runtime_error(client.error());
  return std::move(*client);
}

Answered World::ask(Client& client, std::string target, std::string_view body, std::chrono::nanoseconds within) {
  std::optional<Answered> outcome;
  client.call(make_call(std::move(target), body, within), [&](Answered answered) { outcome = std::move(answered); });
  until([&] { return outcome.has_value(); });
  if (!outcome) return std::unexpected(CallFailure{.sent = false, .text = "done was never called"});
  return std::move(*outcome);
}

Call make_call(std::string target, std::string_view body, std::chrono::nanoseconds within) {
  return {.method = body.empty() ? Method::Get : Method::Post,
          .target = std::move(target),
          .body = SecretBytes::copy_of(body),
          .deadline = net::Loop::now() + within};
}

std::string text_of(const Answered& answered) {
  return answered ? std::string(answered->body.reveal_text()) : answered.error().text;
}

}  // namespace qsp::https
