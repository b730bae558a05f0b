#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>

#include "cli/app.hpp"
#include "cli/json.hpp"
#include "cli/kme.hpp"
#include "cli/text.hpp"
#include "files/file.hpp"
#include "https/authority.hpp"

namespace qsp::cli {
namespace {

using files::OrText;

constexpr std::chrono::hours kLife{24 * 365};
constexpr std::chrono::minutes kClocksDiffer{5};
constexpr unsigned kPublic = 0644;
constexpr unsigned kPrivate = 0600;

/// One of the two sites.
struct Site {
  char side;
  std::string_view kme, sae;
  std::uint16_t port, admin_port;
};

class Lab {
 public:
  Lab(std::string folder, https::Authority authority) : folder_(std::move(folder)), authority_(std::move(authority)) {}

  OrText<void> write(std::string_view name, std::string_view text, unsigned mode) const {
    return files::write_new_file(folder_ + '/' + std::string(name), as_bytes(text), mode);
  }

  OrText<void> make_folder(std::string_view name) const {
    std::error_code error;
    const std::string path = name.empty() ? folder_ : folder_ + '/' + std::string(name);
    if (!std::filesystem::create_directory(path, error)) {
      return std::unexpected(error ? path + ": " + error.message()
                                   : path + ": is there already; give a folder that does not exist yet");
    }
    return {};
  }

  /// A folder with cert.pem and key.pem.
  OrText<void> write_credential(std::string_view name, bool server) {
    https::Subject subject{.common_name = std::string(name),
                           .dns_names = {},
                           .addresses = {},
                           .uris = {},
                           .server = server,
                           .client = true};
    if (server) {
      subject.dns_names = {"localhost"};
      subject.addresses = {"127.0.0.1", "::1"};
    }
    const auto from = std::chrono::system_clock::now() - kClocksDiffer;
    const auto made = authority_.issue(subject, from, kLife);
    if (!made) return std::unexpected(made.error());
    if (auto done = make_folder(name); !done) return done;
    if (auto done = write(std::string(name) + "/cert.pem", made->certificate, kPublic); !done) return done;
    return write(std::string(name) + "/key.pem", made->key.reveal(), kPrivate);
  }

  [[nodiscard]] const https::Authority& authority() const noexcept { return authority_; }

 private:
  std::string folder_;
  https::Authority authority_;
};

std::string config_of(const Site& here, const Site& there) {
  return fmt::format(
      "# A KME of a laboratory: everything here runs on one machine, and its keys are simulated.\n"
      "kme_id = \"{kme}\"\n"
      "address = \"127.0.0.1\"\n"
      "port = {port}\n"
      "admin_port = {admin}\n"
      "store = \"sqlite:keys.db\"\n"
      "certificate = \"cert.pem\"\n"
      "key = \"key.pem\"\n"
      "authorities = \"../ca.pem\"\n\n"
      "[[sae]]\n"
      "id = \"{sae}\"\n\n"
      "[[link]]\n"
      "name = \"a-b\"\n"
      "side = \"{side}\"\n"
      "peer_kme_id = \"{peer}\"\n"
      "urls = [\"https://127.0.0.1:{peer_port}\"]\n"
      "peer_saes = [\"{peer_sae}\"]\n"
      "producer = \"{producer}\"\n"
      "pool = 2000\n"
      "key_life = 3600\n",
      fmt::arg("kme", here.kme), fmt::arg("port", here.port), fmt::arg("admin", here.admin_port),
      fmt::arg("sae", here.sae), fmt::arg("side", here.side), fmt::arg("peer", there.kme),
      fmt::arg("peer_port", there.port), fmt::arg("peer_sae", there.sae),
      fmt::arg("producer", here.side == 'a' ? "random" : "peer"));
}

std::string readme_of(const std::string& folder, const Site& a, const Site& b) {
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
  const auto port = [&options](unsigned offset) { return static_cast<std::uint16_t>(options.port + offset); };
  const Site a{.side = 'a', .kme = "kme-a", .sae = "alice", .port = port(0), .admin_port = port(2)};
  const Site b{.side = 'b', .kme = "kme-b", .sae = "bob", .port = port(1), .admin_port = port(3)};
  const auto from = std::chrono::system_clock::now() - kClocksDiffer;
  auto authority = https::Authority::make("QSP laboratory", from, kLife);
  if (!authority) return std::unexpected(authority.error());
  Lab lab(options.folder, *std::move(authority));
  if (auto done = lab.make_folder(""); !done) return done;
  if (auto done = lab.write("ca.pem", lab.authority().credential().certificate, kPublic); !done) return done;
  if (auto done = lab.write("ca-key.pem", lab.authority().credential().key.reveal(), kPrivate); !done) return done;
  for (const Site* const site : {&a, &b}) {
    if (auto done = lab.write_credential(site->kme, true); !done) return done;
    if (auto done = lab.write_credential(site->sae, false); !done) return done;
    const Site& other = site == &a ? b : a;
    if (auto done = lab.write(std::string(site->kme) + "/kme.toml", config_of(*site, other), kPublic); !done)
      return done;
  }
  return lab.write("README.md", readme_of(options.folder, a, b), kPublic);
}

}  // namespace

int run_kme_lab(const KmeLabOptions& options, bool json) {
  if (const auto made = make_lab(options); !made) {
    print_error(made.error());
    return kFailed;
  }
  if (json) {
    print_json({{"folder", options.folder}, {"simulated", true}});
  } else {
    fmt::print(
        "A laboratory of two KMEs and two SAEs stands in {}; its README.md says how to run it.\n"
        "Its keys are simulated: they give no quantum security.\n",
        options.folder);
  }
  return kOk;
}

}  // namespace qsp::cli
