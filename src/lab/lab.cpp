#include "lab/lab.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/try.hpp"
#include "files/unfinished.hpp"

namespace qsp::lab {
namespace {

using files::OrText;

constexpr std::chrono::hours kLife{24 * 365};
constexpr std::chrono::minutes kClocksDiffer{5};

std::string config_of(const Site& here, const Site& there, const SiteKeys& keys) {
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
      "{producer}"
      "pool = {pool}\n"
      "key_life = {key_life}\n",
      fmt::arg("kme", here.kme), fmt::arg("port", here.port), fmt::arg("admin", here.admin_port),
      fmt::arg("sae", here.sae), fmt::arg("side", here.side), fmt::arg("peer", there.kme),
      fmt::arg("peer_port", there.port), fmt::arg("peer_sae", there.sae), fmt::arg("producer", keys.producer),
      fmt::arg("pool", keys.pool), fmt::arg("key_life", keys.key_life));
}

}  // namespace

std::array<Site, 2> sites(std::uint16_t port) {
  const auto next = [port](unsigned offset) { return static_cast<std::uint16_t>(port + offset); };
  return {Site{.side = 'a', .kme = "kme-a", .sae = "alice", .port = next(0), .admin_port = next(2)},
          Site{.side = 'b', .kme = "kme-b", .sae = "bob", .port = next(1), .admin_port = next(3)}};
}

OrText<Lab> Lab::make(const std::string& folder) {
  const auto from = std::chrono::system_clock::now() - kClocksDiffer;
  QSP_TRY(auto authority, https::Authority::make("QSP laboratory", from, kLife));
  Lab lab(folder, std::move(authority));
  QSP_TRY(lab.make_folder(""));
  const auto& credential = lab.authority_.credential();
  QSP_TRY(lab.write("ca.pem", credential.certificate, kPublic));
  QSP_TRY(lab.write("ca-key.pem", credential.key.reveal_text(), kPrivate));
  return lab;
}

OrText<void> Lab::write(std::string_view name, std::string_view text, unsigned mode) const {
  return files::write_new_file(folder_ + '/' + std::string(name), as_bytes(text), mode);
}

OrText<void> Lab::make_folder(std::string_view name) const {
  return files::create_folder(name.empty() ? folder_ : folder_ + '/' + std::string(name));
}

OrText<void> Lab::write_credential(std::string_view name, bool server) {
  https::Subject subject{
      .common_name = std::string(name), .dns_names = {}, .addresses = {}, .uris = {}, .server = server, .client = true};
  if (server) {
    subject.dns_names = {"localhost", std::string(name) + ".example"};
    subject.addresses = {"127.0.0.1", "::1"};
  }
  const auto from = std::chrono::system_clock::now() - kClocksDiffer;
  QSP_TRY(const auto made, authority_.issue(subject, from, kLife));
  QSP_TRY(make_folder(name));
  QSP_TRY(write(std::string(name) + "/cert.pem", made.certificate, kPublic));
  return write(std::string(name) + "/key.pem", made.key.reveal_text(), kPrivate);
}

OrText<void> Lab::write_site(const Site& here, const Site& there, const SiteKeys& keys) {
  QSP_TRY(write_credential(here.kme, true));
  QSP_TRY(write_credential(here.sae, false));
  return write(std::string(here.kme) + "/kme.toml", config_of(here, there, keys), kPublic);
}

}  // namespace qsp::lab
