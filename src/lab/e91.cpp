#include "lab/e91.hpp"

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>

#include "base/try.hpp"
#include "crypto/routed/provider.hpp"
#include "identity/key_files.hpp"

namespace qsp::lab {
namespace {

using files::OrText;

constexpr std::string_view kStationA = "e91-alice";
constexpr std::string_view kStationB = "e91-bob";

/// Two sites in one town. Dark counts, loss and a source that is not perfect: some 2 % errors.
constexpr std::string_view kLinkFile =
    R"(# A laboratory's link: a source at Alice's, five kilometres of fibre to Bob, silicon detectors.

[source]
title = "Laboratory, 5 km of fibre"

[pairs]
statistics = "spdc"
slots_per_s = 100e6
mean_pairs = 0.02
visibility = 0.985
intrinsic_error = 0.005

[settings]
mode = "biased"
p_z = 0.75

[alice]
extra_loss_db = 1
detector_efficiency = 0.6
dark_counts_per_s = 200

[bob]
fibre_km = 5
extra_loss_db = 1
detector_efficiency = 0.6
dark_counts_per_s = 200
)";

struct Ports {
  std::uint16_t link, alice;
};

/// A pin: who, by which key file, and what it may.
std::string pin(std::string_view name, std::string_view file, std::string_view rights) {
  return fmt::format("[[peer]]\nname = \"{}\"\nkey_file = \"../{}/qsp.key.pub\"\n{}\n", name, file, rights);
}

std::string identity_of(const std::string& folder, std::string_view name) {
  return fmt::format("key = \"{0}/{1}/qsp.key\"\npeers = \"{0}/{1}/peers.toml\"\n", folder, name);
}

std::string link_options(const std::string& folder, const Ports& ports) {
  return fmt::format("listen = \"127.0.0.1:{}\"\n{}link-file = \"{}/link.toml\"\neve-file = \"{}/eve\"\n", ports.link,
                     identity_of(folder, "link"), folder, folder);
}

std::string station_options(const std::string& folder, const Site& site, const Ports& ports) {
  const bool alice = site.side == 'a';
  const std::string_view name = alice ? kStationA : kStationB;
  return fmt::format(
      "{} = \"127.0.0.1:{}\"\n"
      "link = \"127.0.0.1:{}\"\n"
      "{}"
      "link-file = \"{}/link.toml\"\n"
      "{}"
      "kme = \"https://127.0.0.1:{}\"\n"
      "kme-ca = \"{}/ca.pem\"\n"
      "kme-cert = \"{}/{}/cert.pem\"\n"
      "kme-key = \"{}/{}/key.pem\"\n"
      "kme-link = \"a-b\"\n",
      alice ? "listen" : "alice", ports.alice, ports.link, identity_of(folder, name), folder,
      alice ? "block-bits = 100000\n" : "", site.port, folder, folder, name, folder, name);
}

std::string feed_options(const std::string& folder, const Site& a, const Site& b) {
  return fmt::format(
      "link-file = \"{0}/link.toml\"\n"
      "eve-file = \"{0}/eve\"\n"
      "block-bits = 100000\n"
      "kme-a = \"https://127.0.0.1:{1}\"\n"
      "kme-a-cert = \"{0}/{3}/cert.pem\"\n"
      "kme-a-key = \"{0}/{3}/key.pem\"\n"
      "kme-b = \"https://127.0.0.1:{2}\"\n"
      "kme-b-cert = \"{0}/{4}/cert.pem\"\n"
      "kme-b-key = \"{0}/{4}/key.pem\"\n"
      "kme-ca = \"{0}/ca.pem\"\n"
      "kme-link = \"a-b\"\n",
      folder, a.port, b.port, kStationA, kStationB);
}

std::string link_readme(const std::string& folder, const Site& a, const Site& b) {
  return fmt::format(
      R"(# A laboratory of an E91 link

A simulated link of entangled photons, its two stations, a KME at each end that hands the link's keys out (ETSI GS QKD 014), and
a QSP session that uses them. Run the commands from the folder in which you made the laboratory. The photons are **simulated**, so the
keys give no quantum security; the post-processing is real.

Start these, each in a terminal of its own; Ctrl-C ends one:
```sh
qsp kme serve {dir}/kme-a/kme.toml
qsp kme serve {dir}/kme-b/kme.toml
qsp e91 link --config {dir}/link/e91.toml
qsp e91 alice --config {dir}/e91-alice/e91.toml
qsp e91 bob --config {dir}/e91-bob/e91.toml
```
(`qsp e91 feed --config {dir}/feed.toml` runs the last three in one process, where that is enough.)

Wait for the first keys, and see S, the error rate and the number of keys:
```sh
qsp kme status {dir}/kme-a/kme.toml --wait 60
```
Bob serves an echo and demands QKD keys. In another terminal:
```sh
qsp serve --listen 127.0.0.1:7155 --key {dir}/bob/qsp.key --peers {dir}/bob/peers.toml --qkd required --sae-id bob \
  --rekey-interval 20 --kme https://127.0.0.1:{port_b} --kme-ca {dir}/ca.pem --kme-cert {dir}/bob/cert.pem --kme-key {dir}/bob/key.pem
```
Alice connects, in another terminal. What you type comes back, and every 20 seconds the session takes a new key:
```sh
qsp connect 127.0.0.1:7155 --key {dir}/alice/qsp.key --peers {dir}/alice/peers.toml --peer bob --sae-id alice \
  --kme https://127.0.0.1:{port_a} --kme-ca {dir}/ca.pem --kme-cert {dir}/alice/cert.pem --kme-key {dir}/alice/key.pem
```
Attack the link. S falls below its floor, no block yields a key, the pools run dry, and the session closes with QKD_UNAVAILABLE:
```sh
echo intercept:1 > {dir}/eve
```
End the attack:
```sh
echo none > {dir}/eve
```

| file | what it is |
| --- | --- |
| ca.pem, ca-key.pem | the laboratory's certificate authority; anyone who has its key can pass for anybody here |
| kme-a/, kme-b/ | configuration, certificate and key of each KME; its key store once it has run |
| link/, e91-alice/, e91-bob/ | options, QSP key and pins of the three processes; the stations' certificates for their KMEs |
| alice/, bob/ | the applications: certificate for the KME, QSP key and pins |
| link.toml, eve | description of the link, and the attack on it |
)",
      fmt::arg("dir", folder), fmt::arg("port_a", a.port), fmt::arg("port_b", b.port));
}

/// QSP keys, and who pins whom.
OrText<void> write_keys(const Lab& lab) {
  QSP_TRY(const auto provider, crypto::make_provider());
  QSP_TRY(lab.make_folder("link"));
  for (const std::string_view name :
       {std::string_view("link"), kStationA, kStationB, std::string_view("alice"), std::string_view("bob")}) {
    QSP_TRY(identity::write_new_key_pair(*provider, crypto::SignatureId::MlDsa65,
                                         lab.folder() + '/' + std::string(name) + "/qsp.key", std::nullopt));
  }
  constexpr std::string_view kConnects = "connect = true\n";
  constexpr std::string_view kServes = "serve = true\n";
  constexpr std::string_view kDemandsQkd = "qkd = \"required\"\nsae_id = ";
  const std::array<std::pair<std::string, std::string>, 5> files{{
      {"link/peers.toml", pin("alice", kStationA, kConnects) + pin("bob", kStationB, kConnects)},
      {"e91-alice/peers.toml", pin("bob", kStationB, kConnects) + pin("link", "link", kServes)},
      {"e91-bob/peers.toml", pin("alice", kStationA, kServes) + pin("link", "link", kServes)},
      {"alice/peers.toml", pin("bob", "bob", fmt::format("{}{}\"bob\"\n", kServes, kDemandsQkd))},
      {"bob/peers.toml", pin("alice", "alice", fmt::format("{}{}\"alice\"\n", kConnects, kDemandsQkd))},
  }};
  for (const auto& [name, text] : files) {
    QSP_TRY(lab.write(name, text, kPublic));
  }
  return {};
}

}  // namespace

OrText<void> make_e91_lab(const std::string& folder, std::uint16_t port) {
  QSP_TRY(auto lab, Lab::make(folder));
  const auto [a, b] = sites(port);
  const Ports ports{.link = static_cast<std::uint16_t>(port + 4), .alice = static_cast<std::uint16_t>(port + 5)};
  for (const Site* const site : {&a, &b}) {
    const std::string_view station = site->side == 'a' ? kStationA : kStationB;
    const SiteKeys keys{.producer = fmt::format("producer = \"feed\"\nfeeders = [\"{}\"]\n", station), .key_life = 600};
    QSP_TRY(lab.write_site(*site, site == &a ? b : a, keys));
    QSP_TRY(lab.write_credential(station, false));
    const std::string name = std::string(station) + "/e91.toml";
    QSP_TRY(lab.write(name, station_options(folder, *site, ports), kPublic));
  }
  QSP_TRY(write_keys(lab));
  const std::array<std::pair<std::string, std::string>, 5> files{{
      {"link.toml", std::string(kLinkFile)},
      {"link/e91.toml", link_options(folder, ports)},
      {"feed.toml", feed_options(folder, a, b)},
      {"eve", "none\n"},
      {"README.md", link_readme(folder, a, b)},
  }};
  for (const auto& [name, text] : files) {
    QSP_TRY(lab.write(name, text, kPublic));
  }
  return {};
}

}  // namespace qsp::lab
