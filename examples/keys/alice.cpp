// Alice's key is encrypted, and a peers file says whom she may call. The ends change keys when she says so, and take a
// key out of the session for something else.
#include <qsp/identity.hpp>
#include <qsp/openssl.hpp>
#include <qsp/qsp.hpp>
#include <qsp/tcp.hpp>

#include <iostream>

int main() try {
  auto provider = qsp::crypto::make_openssl_provider().value();
  const auto ask = [] { return std::optional(qsp::SecretBytes::copy_of("correct horse")); };
  const auto key = qsp::load_signer(*provider, "alice.key", ask).value();
  const auto pins = qsp::Pins::load(*provider, "alice.toml").value();
  const qsp::Peer* const bob = pins.find_by_name("bob");
  if (bob == nullptr) return 1;

  auto session =
      qsp::tcp::connect({.host = "127.0.0.1"}, std::move(provider), {.signer = key.get(), .peer = *bob}).value();
  std::cout << "alice: " << session.status().peer << " is " << qsp::fingerprint(bob->keys[0].identity) << '\n';

  session.rekey().value();  // returns when the new keys are in use
  const qsp::Exported exported = session.export_key("example: disk", qsp::as_bytes("volume 7"), 32).value();
  std::cout << "alice: a key of " << exported.key.size() << " bytes from epoch " << exported.epoch << '\n';

  // Bob takes his from the same epoch. Whether the two are the same, a hash tells without giving them away.
  const auto hash = qsp::crypto::make_openssl_provider().value()->hkdf().hash({exported.key.reveal()}).value();
  session.write(hash).value();
  session.finish().value();
  std::uint8_t answer = 0;
  while (session.read({&answer, 1}).value() != 0)
    std::cout << (answer == 'y' ? "alice: the same\n" : "alice: another\n");
} catch (const std::bad_expected_access<qsp::Failure>& failed) {
  return std::cerr << failed.error().text << '\n', 1;
} catch (const std::bad_expected_access<qsp::Error>& failed) {
  return std::cerr << failed.error().where << '\n', 1;
}
