// Alice calls Bob. The session takes a QKD key from the pad that the two share, or does not come about.
#include <qsp/identity.hpp>
#include <qsp/openssl.hpp>
#include <qsp/qkd.hpp>
#include <qsp/qsp.hpp>
#include <qsp/tcp.hpp>

#include <array>
#include <iostream>

int main() try {
  auto provider = qsp::crypto::make_openssl_provider().value();
  const auto key = qsp::load_signer(*provider, "alice.key").value();
  const auto bob = qsp::load_pin(*provider, "bob.key.pub").value();
  const auto pads = qsp::keysource::open_pads({{.sae_id = "sae-bob", .file = "alice.pad"}}).value();

  const qsp::ClientOptions options{
      .signer = key.get(),
      .peer = {.name = "bob", .keys = {bob}, .may_serve = true, .qkd = qsp::QkdPolicy::Required, .sae_id = "sae-bob"},
      .sae_id = "sae-alice"};
  auto session = qsp::tcp::connect({.host = "127.0.0.1"}, std::move(provider), options, {.keys = pads.get()}).value();
  session.write(qsp::as_bytes("hello bob")).value();
  session.finish().value();

  std::array<std::uint8_t, 4096> buffer;
  while (const auto size = session.read(buffer).value()) {
    std::cout << "alice received: " << qsp::as_text(qsp::Bytes(buffer).first(size)) << '\n';
  }
  const qsp::EpochStatus epoch = session.status().current;
  std::cout << "alice: QKD key " << epoch.key_id.value_or("none") << ", KEM " << (epoch.kem ? "yes" : "no") << ", "
            << pads->status("sae-bob")->keys_left.value() << " keys left\n";
} catch (const std::bad_expected_access<qsp::Failure>& failed) {
  return std::cerr << failed.error().text << '\n', 1;
} catch (const std::bad_expected_access<qsp::Error>& failed) {
  return std::cerr << failed.error().where << '\n', 1;
}
