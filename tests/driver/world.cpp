#include "driver/world.hpp"

#include <array>

#include "qsp/openssl.hpp"

namespace qsp::tcp::test {

std::unique_ptr<crypto::Provider> make_provider() { return crypto::make_openssl_provider().value(); }

World::World() {
  const auto provider = make_provider();
  const auto make_key = [&] {
    const SecretBytes pem = provider->generate_private_key(crypto::SignatureId::MlDsa65, {}).value();
    return provider->load_signer(pem.reveal_text(), {}).value();
  };
  alice_key = make_key();
  bob_key = make_key();
  alice = {.name = "alice", .keys = {pin(alice_key->public_key(), provider->hkdf()).value()}, .may_connect = true};
  bob = {.name = "bob", .keys = {pin(bob_key->public_key(), provider->hkdf()).value()}, .may_serve = true};
}

World::Ends World::meet(const ConnectOptions& dial, const ServeOptions& serving) {
  listening.emplace(serve({.host = "127.0.0.1", .port = 0}, make_provider(), server(), serving).value());
  Session dialled = connect(listening->address(), make_provider(), client(), dial).value();
  return {.alice = std::move(dialled), .bob = listening->accept().value()};
}

Result<std::string, Failure> read_all(Session& session) {
  std::string all;
  std::array<std::uint8_t, 10'000> buffer{};
  while (true) {
    const auto size = session.read(buffer);
    if (!size) return std::unexpected(size.error());
    if (*size == 0) return all;
    all += as_text(Bytes(buffer).first(*size));
  }
}

}  // namespace qsp::tcp::test
