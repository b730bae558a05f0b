#include "kme/config/config.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/try.hpp"
#include "config/document.hpp"
#include "etsi014/etsi014.hpp"
#include "kme/store/postgres_url.hpp"

namespace qsp::kme {
namespace {

using config::kNeeded;
using config::Table;
using files::OrText;

constexpr config::FileKind kConfigFile{.most = kMaxConfigSize, .page = "docs/kme.md"};
constexpr config::TextRule kId{.most = etsi014::kMaxSaeIdSize};
constexpr config::TextRule kNeededId{.need = kNeeded, .most = etsi014::kMaxSaeIdSize};
constexpr std::size_t kMaxUrls = 8;
constexpr std::size_t kMaxFeeders = 8;

bool is_sha256(std::string_view text) noexcept {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

OrText<SaeConfig> read_sae(Table& table) {
  SaeConfig sae;
  table.text("id", sae.id, kNeededId);
  table.text("fingerprint", sae.fingerprint,
             {.is = is_sha256, .takes = "the SHA-256 of a certificate as 64 lower-case hex digits"});
  QSP_TRY(table.finish());
  return sae;
}

OrText<PeerLinkConfig> read_link(Table& table) {
  PeerLinkConfig link;
  table.text("name", link.name, {.need = kNeeded, .most = 64});
  table.text("peer_kme_id", link.peer_kme_id, kNeededId);
  table.texts("urls", link.urls, {.need = kNeeded, .most = kMaxUrls, .each = kId});
  table.text("server_name", link.server_name);
  table.texts("peer_saes", link.peer_saes, {.need = kNeeded, .most = kMaxSaes, .each = kId});
  table.choice("side", link.side, {{"a", 'a'}, {"b", 'b'}}, kNeeded, ", one at each end of the link");
  table.choice("producer", link.producer,
               {{"peer", ProducerKind::Peer}, {"random", ProducerKind::Random}, {"feed", ProducerKind::Feed}});
  table.texts("feeders", link.feeders, {.most = kMaxFeeders, .each = kId});
  table.number("pool", link.pool, 16, 10'000'000);
  table.time("key_life", link.key_life, std::chrono::seconds(10), std::chrono::days(366));
  QSP_TRY(table.finish());
  if (link.producer == ProducerKind::Feed && link.feeders.empty()) {
    return table.problem("feeders", "is missing: the names of the certificates that may bring keys to this link");
  }
  return link;
}

/// A certificate speaks for its name: an SAE with the name of a KME could be either. The tables of SAEs stand
/// in the order of `config`.
OrText<void> check_names(const std::vector<Table>& tables, const Config& config) {
  std::map<std::string_view, std::string> taken;
  for (const PeerLinkConfig& link : config.links) {
    taken.emplace(link.peer_kme_id, "the KME at the other end of link \"" + link.name + '"');
  }
  taken.emplace(config.kme_id, "this KME");
  for (std::size_t i = 0; i < config.saes.size(); ++i) {
    const auto found = taken.find(config.saes[i].id);
    if (found == taken.end()) continue;
    return tables[i].problem(
        "id", "is the name of " + found->second + " too; one certificate would be both: give the SAE another");
  }
  return {};
}

/// What no table alone can tell. The tables stand in the order of `config`.
OrText<void> check_whole(const std::vector<Table>& sae_tables, const std::vector<Table>& link_tables,
                         const Config& config) {
  std::set<std::string_view> saes;
  std::set<std::string_view> links;
  const auto twice = [](const Table& table, std::string_view field, std::string_view what, const std::string& name) {
    return table.problem(field, std::string(what) + " \"" + name + "\" is there twice; remove one");
  };
  for (std::size_t i = 0; i < config.saes.size(); ++i) {
    if (!saes.insert(config.saes[i].id).second) return twice(sae_tables[i], "id", "SAE", config.saes[i].id);
  }
  for (std::size_t i = 0; i < config.links.size(); ++i) {
    const PeerLinkConfig& link = config.links[i];
    if (!links.insert(link.name).second) return twice(link_tables[i], "name", "link", link.name);
    for (const std::string& sae : link.peer_saes) {
      if (!saes.insert(sae).second) return twice(link_tables[i], "peer_saes", "SAE", sae);
    }
  }
  return {};
}

void read_limits(Table& table, Config& config) {
  auto requests = static_cast<std::uint64_t>(config.requests_per_second);
  auto keys = static_cast<std::uint64_t>(config.keys_per_second);
  table.number("key_size", config.key_size, 64, 8 * static_cast<std::int64_t>(etsi014::kMaxKeySize));
  table.number("max_keys_per_request", config.max_keys_per_request, 1, etsi014::kMaxKeysPerMessage);
  table.number("requests_per_second", requests, 1, 1'000'000);
  table.number("keys_per_second", keys, 1, 10'000'000);
  table.number("max_connections", config.max_connections, 16, 100'000);
  table.number("max_connections_per_source", config.max_connections_per_source, 4, 100'000);
  if (config.key_size % 8 != 0) table.fail("key_size", "takes a multiple of 8, in bits");
  config.requests_per_second = static_cast<double>(requests);
  config.keys_per_second = static_cast<double>(keys);
}

/// Every field of the KME itself.
void read_kme(Table& table, bool file_is_private, Config& config) {
  table.text("kme_id", config.kme_id, kNeededId);
  table.text("address", config.address);
  table.number("port", config.port, 0, 65'535);
  table.number("admin_port", config.admin_port, 0, 65'535);
  table.text("store", config.store, {.need = kNeeded});
  table.flag("dangerous_unverified_database", config.dangerous_unverified_database);
  table.file("certificate", config.tls.certificate, kNeeded);
  table.file("key", config.tls.key, kNeeded);
  table.file("authorities", config.tls.authorities, kNeeded);
  table.file("revoked", config.tls.revoked);
  table.flag("tls12", config.tls.allow_tls_1_2, "allow_tls_1_2");
  read_limits(table, config);
  if (!file_is_private && store::holds_password(config.store)) {
    table.fail("store",
               "holds a password, and others may read this file; chmod 600 it, or keep the password in a "
               "private file (PGPASSFILE)");
  }
}

}  // namespace

OrText<Config> read_config(const std::string& file) {
  QSP_TRY(const config::Document document, config::Document::read(file, kConfigFile));
  Config config;
  Table table = document.root("the KME");
  read_kme(table, document.is_private(), config);
  std::vector<Table> saes = table.tables("sae", kMaxSaes, "an SAE", kNeeded);
  std::vector<Table> links = table.tables("link", kMaxLinks, "a link", kNeeded);
  QSP_TRY(table.finish());
  for (const std::string& warning : table.warnings()) spdlog::warn("{}", warning);
  for (Table& source : saes) {
    QSP_TRY(auto sae, read_sae(source));
    config.saes.push_back(std::move(sae));
  }
  for (Table& source : links) {
    QSP_TRY(auto link, read_link(source));
    config.links.push_back(std::move(link));
  }
  QSP_TRY(check_names(saes, config));
  QSP_TRY(check_whole(saes, links, config));
  constexpr std::string_view kSqlite = "sqlite:";
  if (config.store.starts_with(kSqlite)) {
    config.store = std::string(kSqlite) + config::beside(file, config.store.substr(kSqlite.size()));
  }
  return config;
}

bool is_named(const https::PeerIdentity& peer, std::string_view name) noexcept {
  return !name.empty() && (peer.common_name == name || std::ranges::find(peer.uris, name) != peer.uris.end());
}

const SaeConfig* sae_of(const Config& config, const https::PeerIdentity& peer) noexcept {
  const auto found = std::ranges::find_if(config.saes, [&peer](const SaeConfig& sae) {
    return sae.fingerprint.empty() ? is_named(peer, sae.id) : sae.fingerprint == peer.fingerprint;
  });
  return found == config.saes.end() ? nullptr : &*found;
}

const PeerLinkConfig* link_to(const Config& config, std::string_view sae_id) noexcept {
  const auto found = std::ranges::find_if(config.links, [sae_id](const PeerLinkConfig& link) {
    return std::ranges::find(link.peer_saes, sae_id) != link.peer_saes.end();
  });
  return found == config.links.end() ? nullptr : &*found;
}

}  // namespace qsp::kme
