#include "lab/kme.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/try.hpp"

namespace qsp::lab {
namespace {

using files::OrText;

constexpr std::string_view kKmeReadme =
    R"md(# A laboratory of two KMEs

Two key management entities that speak ETSI GS QKD 014, one for each end of a link, and an SAE at each. Run the commands from the
folder in which you made the laboratory. The keys are **simulated**: {kme_a} draws them and sends them to {kme_b}.

Start both, each in a terminal of its own; Ctrl-C ends one:
```sh
qsp kme serve {dir}/kme-a/kme.toml
qsp kme serve {dir}/kme-b/kme.toml
```
Check that they have found each other and have keys:
```sh
qsp kme status {dir}/kme-a/kme.toml --wait 30
```
As SAE {sae_a}, get a new key to share with SAE {sae_b}:
```sh
umask 077      # the answer is a key, which nobody else may read
curl -sS --cacert {dir}/ca.pem --cert {dir}/{sae_a}/cert.pem --key {dir}/{sae_a}/key.pem \
  https://127.0.0.1:{port_a}/api/v1/keys/{sae_b}/enc_keys | tee answer
```
As SAE {sae_b}, get the same key at the other end, by its key_ID:
```sh
key_id=$(sed -E 's/.*"key_ID":"([^"]+)".*/\1/' answer)
curl -sS --cacert {dir}/ca.pem --cert {dir}/{sae_b}/cert.pem --key {dir}/{sae_b}/key.pem \
  "https://127.0.0.1:{port_b}/api/v1/keys/{sae_a}/dec_keys?key_ID=$key_id"
rm answer
```

## A QSP session that uses them

Each end needs a key pair of its own, and pins the public key of the other end. `sae_id` is the name by which the KMEs know the other end:
```sh
mkdir -m 700 {dir}/qsp
qsp keygen --out {dir}/qsp/{sae_a}.key
qsp keygen --out {dir}/qsp/{sae_b}.key
cat > {dir}/qsp/{sae_a}-peers.toml <<'END'
[[peer]]
name = "{sae_b}"
key_file = "{sae_b}.key.pub"
serve = true
qkd = "required"
sae_id = "{sae_b}"
END
cat > {dir}/qsp/{sae_b}-peers.toml <<'END'
[[peer]]
name = "{sae_a}"
key_file = "{sae_a}.key.pub"
connect = true
qkd = "required"
sae_id = "{sae_a}"
END
```
{sae_b} serves, and echoes what it receives. In another terminal:
```sh
qsp serve --listen 127.0.0.1:7155 --key {dir}/qsp/{sae_b}.key --peers {dir}/qsp/{sae_b}-peers.toml --qkd required --sae-id {sae_b} \
  --kme https://127.0.0.1:{port_b} --kme-ca {dir}/ca.pem --kme-cert {dir}/{sae_b}/cert.pem --kme-key {dir}/{sae_b}/key.pem
```
{sae_a} connects:
```sh
echo hello | qsp connect 127.0.0.1:7155 --key {dir}/qsp/{sae_a}.key --peers {dir}/qsp/{sae_a}-peers.toml --peer {sae_b} --sae-id {sae_a} \
  --kme https://127.0.0.1:{port_a} --kme-ca {dir}/ca.pem --kme-cert {dir}/{sae_a}/cert.pem --kme-key {dir}/{sae_a}/key.pem
```
```output
hello
```

| file | what it is |
| --- | --- |
| ca.pem, ca-key.pem | the laboratory's certificate authority; anyone who has its key can pass for anybody here |
| kme-a/, kme-b/ | configuration, certificate and key of each KME; its key store once it has run |
| {sae_a}/, {sae_b}/ | certificate and key of each SAE |
)md";

std::string kme_readme(const std::string& folder, const Site& a, const Site& b) {
  return fmt::format(kKmeReadme, fmt::arg("kme_a", a.kme), fmt::arg("kme_b", b.kme), fmt::arg("dir", folder),
                     fmt::arg("sae_a", a.sae), fmt::arg("sae_b", b.sae), fmt::arg("port_a", a.port),
                     fmt::arg("port_b", b.port));
}

}  // namespace

OrText<void> make_kme_lab(const std::string& folder, std::uint16_t port) {
  QSP_TRY(auto lab, Lab::make(folder));
  const auto [a, b] = sites(port);
  QSP_TRY(lab.write_site(a, b, {.producer = "producer = \"random\"\n"}));
  QSP_TRY(lab.write_site(b, a, {.producer = "producer = \"peer\"\n"}));
  return lab.write("README.md", kme_readme(folder, a, b), kPublic);
}

}  // namespace qsp::lab
