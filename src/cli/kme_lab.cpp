#include <fmt/format.h>

#include <string>

#include "cli/kme.hpp"
#include "cli/lab.hpp"

namespace qsp::cli {
namespace {

using files::OrText;

std::string readme_of(const std::string& folder, const LabSite& a, const LabSite& b) {
  return fmt::format(
      R"(# A laboratory of two KMEs

Two key management entities that speak ETSI GS QKD 014, one for each end of a link, and an SAE at each. Run these from the
folder in which you made the laboratory. The keys are **simulated**: {kme_a} draws them and sends them to {kme_b}.

Start both, each in a terminal of its own:

    qsp kme serve {dir}/kme-a/kme.toml
    qsp kme serve {dir}/kme-b/kme.toml

See that they have found each other, and that keys are there:

    qsp kme status {dir}/kme-a/kme.toml

As SAE {sae_a}, ask for a new key that SAE {sae_b} shall have too:

    curl --cacert {dir}/ca.pem --cert {dir}/{sae_a}/cert.pem --key {dir}/{sae_a}/key.pem \
      https://127.0.0.1:{port_a}/api/v1/keys/{sae_b}/enc_keys

As SAE {sae_b}, fetch the same key at the other end by its key_ID:

    curl --cacert {dir}/ca.pem --cert {dir}/{sae_b}/cert.pem --key {dir}/{sae_b}/key.pem \
      'https://127.0.0.1:{port_b}/api/v1/keys/{sae_a}/dec_keys?key_ID=KEY-ID'

Let QSP use them, here at {sae_a}'s end:

    qsp connect HOST:PORT --sae-id {sae_a} --kme https://127.0.0.1:{port_a} --kme-ca {dir}/ca.pem \
      --kme-cert {dir}/{sae_a}/cert.pem --kme-key {dir}/{sae_a}/key.pem …

| file | what it is |
| --- | --- |
| ca.pem, ca-key.pem | the laboratory's certificate authority; who has the key can be anybody here |
| kme-a/, kme-b/ | configuration, certificate and key of each KME; its key store once it has run |
| {sae_a}/, {sae_b}/ | certificate and key of each SAE |
)",
      fmt::arg("kme_a", a.kme), fmt::arg("kme_b", b.kme), fmt::arg("dir", folder), fmt::arg("sae_a", a.sae),
      fmt::arg("sae_b", b.sae), fmt::arg("port_a", a.port), fmt::arg("port_b", b.port));
}

OrText<void> make_lab(const KmeLabOptions& options) {
  auto lab = Lab::make(options.folder);
  if (!lab) return std::unexpected(lab.error());
  const auto [a, b] = lab_sites(options.port);
  if (auto done = lab->write_site(a, b, {.producer = "producer = \"random\"\n"}); !done) return done;
  if (auto done = lab->write_site(b, a, {.producer = "producer = \"peer\"\n"}); !done) return done;
  return lab->write("README.md", readme_of(options.folder, a, b), kLabPublic);
}

}  // namespace

int run_kme_lab(const KmeLabOptions& options, bool json) {
  return tell_of_lab(make_lab(options), options.folder, "two KMEs and two SAEs", json);
}

}  // namespace qsp::cli
