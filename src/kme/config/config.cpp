#include "kme/config/config.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "text/units.hpp"
#include "etsi014/etsi014.hpp"
#include "files/trusted.hpp"
#include "kme/store/postgres_url.hpp"

// Errors as values: nothing of a configuration is worth an exception.
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace qsp::kme {
namespace {

using files::OrText;

/// Reads the fields of one table. The first problem is kept, and what is read afterwards does not matter.
class Table {
 public:
  Table(const std::string& file, const toml::table& table, std::string name)
      : file_(file), table_(table), name_(std::move(name)) {}

  void text(std::string_view field, std::string& out, bool needed = false, std::size_t most = 4096) {
    const toml::node* const node = take(field, needed);
    if (node == nullptr) return;
    const auto* const value = node->as_string();
    if (value == nullptr || value->get().empty() || value->get().size() > most || has_control(value->get())) {
      return fail(field, "takes a text of 1 to " + std::to_string(most) + " characters in quotes");
    }
    out = value->get();
  }

  /// A file name, relative to the configuration's folder.
  void file(std::string_view field, std::string& out, bool needed = false) {
    text(field, out, needed);
    if (!out.empty()) out = beside(out);
  }
  [[nodiscard]] std::string beside(const std::string& name) const {
    return (std::filesystem::path(file_).parent_path() / name).string();
  }

  template <class Number>
  void number(std::string_view field, Number& out, std::int64_t least, std::int64_t most) {
    const toml::node* const node = take(field, false);
    if (node == nullptr) return;
    const auto* const value = node->as_integer();
    if (value == nullptr || value->get() < least || value->get() > most) {
      return fail(field, "takes a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    out = static_cast<Number>(value->get());
  }

  template <class Number>
  void number(std::string_view field, std::optional<Number>& out, std::int64_t least, std::int64_t most) {
    if (table_.get(field) == nullptr) return;
    out.emplace();
    number<Number>(field, *out, least, most);
  }

  void flag(std::string_view field, bool& out) {
    const toml::node* const node = take(field, false);
    if (node == nullptr) return;
    const auto* const value = node->as_boolean();
    if (value == nullptr) return fail(field, "takes true or false");
    out = value->get();
  }

  /// A number of seconds, or a text such as "90s" or "1h".
  void time(std::string_view field, std::chrono::seconds& out, std::chrono::seconds least, std::chrono::seconds most) {
    const toml::node* const node = take(field, false);
    if (node == nullptr) return;
    std::string text;
    if (const auto* const number = node->as_integer()) text = std::to_string(number->get());
    if (const auto* const value = node->as_string()) text = value->get();
    const auto time = text::parse_time(text);
    if (!time || *time < least || *time > most || *time % std::chrono::seconds(1) != std::chrono::nanoseconds(0)) {
      return fail(field, "takes whole seconds, or a text such as \"90s\" or \"1h\", from " + text::time_text(least) + " to " +
                             text::time_text(most));
    }
    out = std::chrono::duration_cast<std::chrono::seconds>(*time);
  }

  /// A flag that used to have another name, which is read for one version more, and warned of.
  void flag(std::string_view field, std::string_view old, bool& out) {
    flag(field, out);
    const toml::node* const node = table_.get(old);
    if (node == nullptr) return;
    if (table_.contains(field)) return fail(old, "is now called \"" + std::string(field) + "\", which is there too");
    flag(old, out);
    spdlog::warn("{}:{}: field \"{}\" is now called \"{}\"; the old name goes with the next version", file_,
                 node->source().begin.line, old, field);
  }

  void texts(std::string_view field, std::vector<std::string>& out, std::size_t most, bool needed = false) {
    const toml::node* const node = take(field, needed);
    if (node == nullptr) return;
    const toml::array* const array = node->as_array();
    if (array == nullptr || array->empty() || array->size() > most) {
      return fail(field, "takes an array of 1 to " + std::to_string(most) + " texts");
    }
    for (const toml::node& item : *array) {
      const auto* const value = item.as_string();
      if (value == nullptr || value->get().empty() || value->get().size() > etsi014::kMaxSaeIdSize ||
          has_control(value->get())) {
        return fail(field, "takes texts of 1 to " + std::to_string(etsi014::kMaxSaeIdSize) + " characters");
      }
      out.push_back(value->get());
    }
  }

  /// The tables of [[field]].
  [[nodiscard]] std::vector<const toml::table*> tables(std::string_view field, std::size_t most) {
    std::vector<const toml::table*> found;
    const toml::node* const node = take(field, true);
    if (node == nullptr) return found;
    const toml::array* const array = node->as_array();
    if (array == nullptr || array->size() > most || !array->is_homogeneous(toml::node_type::table)) {
      fail(field, "is written as [[" + std::string(field) + "]], at most " + std::to_string(most) + " times");
      return found;
    }
    for (const toml::node& item : *array) found.push_back(item.as_table());
    return found;
  }

  void fail(std::string_view field, std::string_view text) {
    if (problem_) return;
    const toml::node* const node = table_.get(field);
    const toml::node& where = node == nullptr ? table_ : *node;
    problem_ = file_ + ':' + std::to_string(where.source().begin.line) + ": " + name_;
    problem_->append(", field \"").append(field).append("\": ").append(text);
  }

  /// Precondition: there is one.
  [[nodiscard]] const std::string& problem() const { return problem_.value(); }
  /// The first problem; a field that nobody asked for is one too.
  [[nodiscard]] OrText<void> finish() {
    for (const auto& [key, value] : table_) {
      if (!known_.contains(key.str())) fail(key.str(), "is unknown (see docs/kme.md)");
    }
    if (problem_) return std::unexpected(*problem_);
    return {};
  }

 private:
  static bool has_control(std::string_view text) noexcept {
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  }
  const toml::node* take(std::string_view field, bool needed) {
    known_.emplace(field);
    const toml::node* const node = table_.get(field);
    if (node == nullptr && needed) fail(field, "is missing");
    return node;
  }

  const std::string& file_;
  const toml::table& table_;
  std::string name_;
  std::set<std::string, std::less<>> known_;
  std::optional<std::string> problem_;
};

OrText<SaeConfig> read_sae(const std::string& file, const toml::table& source) {
  SaeConfig sae;
  Table table(file, source, "an SAE");
  table.text("id", sae.id, true, etsi014::kMaxSaeIdSize);
  table.text("fingerprint", sae.fingerprint);
  const bool hex =
      std::ranges::all_of(sae.fingerprint, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (!sae.fingerprint.empty() && (!hex || sae.fingerprint.size() != 64)) {
    table.fail("fingerprint", "takes the SHA-256 of a certificate as 64 lower-case hex digits");
  }
  if (const auto finished = table.finish(); !finished) return std::unexpected(finished.error());
  return sae;
}

OrText<LinkConfig> read_link(const std::string& file, const toml::table& source) {
  LinkConfig link;
  Table table(file, source, "a link");
  std::string side;
  std::string producer = "peer";
  table.text("name", link.name, true, 64);
  table.text("peer_kme_id", link.peer_kme_id, true, etsi014::kMaxSaeIdSize);
  table.texts("urls", link.urls, 8, true);
  table.text("server_name", link.server_name);
  table.texts("peer_saes", link.peer_saes, kMaxSaes, true);
  table.text("side", side, true);
  table.text("producer", producer);
  table.texts("feeders", link.feeders, 8);
  table.number("pool", link.pool, 16, 10'000'000);
  table.time("key_life", link.key_life, std::chrono::seconds(10), std::chrono::days(366));
  if (side != "a" && side != "b") table.fail("side", R"(takes "a" at one end of the link and "b" at the other)");
  link.side = side.empty() ? 'a' : side.front();
  if (producer == "random") {
    link.producer = ProducerKind::Random;
  } else if (producer == "feed") {
    link.producer = ProducerKind::Feed;
  } else if (producer != "peer") {
    table.fail("producer", R"(takes "peer", "random" or "feed")");
  }
  if (link.producer == ProducerKind::Feed && link.feeders.empty()) {
    table.fail("feeders", "is missing: the names of the certificates that may bring keys to this link");
  }
  if (const auto finished = table.finish(); !finished) return std::unexpected(finished.error());
  return link;
}

/// A certificate speaks for whoever bears its name: an SAE called like a KME could be either. The tables of
/// SAEs stand in the order of `config`.
OrText<void> check_names(const std::string& file, const toml::table& source, const Config& config) {
  std::map<std::string_view, std::string> taken;
  for (const LinkConfig& link : config.links) {
    taken.emplace(link.peer_kme_id, "the KME at the other end of link \"" + link.name + '"');
  }
  taken.emplace(config.kme_id, "this KME");
  for (std::size_t i = 0; i < config.saes.size(); ++i) {
    const auto found = taken.find(config.saes[i].id);
    if (found == taken.end()) continue;
    Table table(file, *source.get("sae")->as_array()->get(i)->as_table(), "an SAE");
    table.fail("id", "is the name of " + found->second + " too; one certificate would be both: give the SAE another");
    return std::unexpected(table.problem());
  }
  return {};
}

/// What no table alone can tell.
OrText<void> check_whole(const std::string& file, const Config& config) {
  std::set<std::string_view> saes;
  std::set<std::string_view> links;
  const auto twice = [&file](std::string_view what, const std::string& name) {
    return std::unexpected(file + ": " + std::string(what) + " \"" + name + "\" is there twice; remove one");
  };
  for (const SaeConfig& sae : config.saes) {
    if (!saes.insert(sae.id).second) return twice("SAE", sae.id);
  }
  for (const LinkConfig& link : config.links) {
    if (!links.insert(link.name).second) return twice("link", link.name);
    for (const std::string& sae : link.peer_saes) {
      if (!saes.insert(sae).second) return twice("SAE", sae);
    }
  }
  return {};
}

}  // namespace

OrText<Config> read_config(const std::string& file) {
  const auto content = files::read_trusted_file(file, kMaxConfigSize);
  if (!content) return std::unexpected(content.error());
  const toml::parse_result parsed = toml::parse(content->text.reveal(), file);
  if (!parsed) {
    return std::unexpected(file + ':' + std::to_string(parsed.error().source().begin.line) + ": " +
                           std::string(parsed.error().description()));
  }
  Config config;
  Table table(file, parsed.table(), "the KME");
  std::uint64_t rate = 500;
  table.text("kme_id", config.kme_id, true, etsi014::kMaxSaeIdSize);
  table.text("address", config.address);
  table.number("port", config.port, 0, 65'535);
  table.number("admin_port", config.admin_port, 0, 65'535);
  table.text("store", config.store, true);
  table.flag("dangerous_unverified_database", config.dangerous_unverified_database);
  table.file("certificate", config.tls.certificate, true);
  table.file("key", config.tls.key, true);
  table.file("authorities", config.tls.authorities, true);
  table.file("revoked", config.tls.revoked);
  table.flag("tls12", "allow_tls_1_2", config.tls.allow_tls_1_2);
  table.number("key_size", config.key_size, 64, 8 * static_cast<std::int64_t>(etsi014::kMaxKeySize));
  table.number("max_keys_per_request", config.max_keys_per_request, 1, etsi014::kMaxKeysPerMessage);
  table.number("requests_per_second", rate, 1, 1'000'000);
  config.requests_per_second = static_cast<double>(rate);
  std::uint64_t keys = 10'000;
  table.number("keys_per_second", keys, 1, 10'000'000);
  config.keys_per_second = static_cast<double>(keys);
  table.number("max_connections", config.max_connections, 16, 100'000);
  table.number("max_connections_per_source", config.max_connections_per_source, 4, 100'000);
  if (config.key_size % 8 != 0) table.fail("key_size", "takes a multiple of 8, in bits");
  constexpr std::string_view kSqlite = "sqlite:";
  if (config.store.starts_with(kSqlite)) {
    config.store = std::string(kSqlite) + table.beside(config.store.substr(kSqlite.size()));
  }
  if (!content->is_private && store::holds_password(config.store)) {
    table.fail("store",
               "holds a password, and others may read this file; chmod 600 it, or keep the password in a "
               "private file (PGPASSFILE)");
  }
  for (const toml::table* const source : table.tables("sae", kMaxSaes)) {
    auto sae = read_sae(file, *source);
    if (!sae) return std::unexpected(sae.error());
    config.saes.push_back(std::move(*sae));
  }
  for (const toml::table* const source : table.tables("link", kMaxLinks)) {
    auto link = read_link(file, *source);
    if (!link) return std::unexpected(link.error());
    config.links.push_back(std::move(*link));
  }
  if (const auto finished = table.finish(); !finished) return std::unexpected(finished.error());
  if (const auto apart = check_names(file, parsed.table(), config); !apart) return std::unexpected(apart.error());
  if (const auto whole = check_whole(file, config); !whole) return std::unexpected(whole.error());
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

const LinkConfig* link_to(const Config& config, std::string_view sae_id) noexcept {
  const auto found = std::ranges::find_if(config.links, [sae_id](const LinkConfig& link) {
    return std::ranges::find(link.peer_saes, sae_id) != link.peer_saes.end();
  });
  return found == config.links.end() ? nullptr : &*found;
}

}  // namespace qsp::kme
