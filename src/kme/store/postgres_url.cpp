#include "kme/store/postgres_url.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/try.hpp"
#include "files/file.hpp"
#include "https/tls.hpp"
#include "kme/store/text.hpp"
#include "text/escape.hpp"

namespace qsp::kme::store {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype([](PQconninfoOption* options) { PQconninfoFree(options); })>;
using Settings = std::map<std::string, std::string, std::less<>>;

constexpr std::string_view kVerified = "verify-full";

Settings settings_of(const PQconninfoOption* option) {
  Settings all;
  for (; option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val != nullptr) all.emplace(option->keyword, option->val);
  }
  return all;
}

/// What the URL says; nothing where it is none. libpq's reason quotes the URL, with the password.
std::optional<Settings> parse(std::string_view url) {
  char* why = nullptr;
  const Options options(PQconninfoParse(std::string(url).c_str(), &why));
  PQfreemem(why);
  if (!options) return std::nullopt;
  return settings_of(options.get());
}

std::vector<std::string_view> split(std::string_view list) {
  std::vector<std::string_view> parts;
  for (std::size_t comma = 0; comma != std::string_view::npos;) {
    comma = list.find(',');
    parts.push_back(list.substr(0, comma));
    if (comma != std::string_view::npos) list.remove_prefix(comma + 1);
  }
  return parts;
}

/// A socket's folder (or its abstract name), or this machine by name or address. Nothing: libpq's default, a socket.
bool is_local(std::string_view host) {
  if (host.empty() || host.front() == '/' || host.front() == '@' || host == "localhost") return true;
  boost::system::error_code failed;
  const auto address = boost::asio::ip::make_address(host, failed);
  return !failed && address.is_loopback();
}

/// Where libpq will connect. An address stands before a name, one by one; the URL stands before the service, which
/// stands before the environment. What a service says is not looked at: it may change with every connection.
bool all_local(const Settings& given) {
  const Options defaults(PQconndefaults());  // with the environment
  const Settings around = settings_of(defaults.get());
  const auto effective = [&](std::string_view keyword) -> std::string_view {
    const auto at = given.find(keyword);
    if (at != given.end()) return at->second;
    const auto fallback = around.find(keyword);
    return fallback == around.end() ? std::string_view() : std::string_view(fallback->second);
  };
  if (!defaults || !effective("service").empty() || std::getenv("PGSERVICE") != nullptr) return false;
  const auto hosts = split(effective("host"));
  const auto addresses = split(effective("hostaddr"));
  for (std::size_t i = 0; i < std::max(hosts.size(), addresses.size()); ++i) {
    const bool has_address = i < addresses.size() && !addresses[i].empty();
    const std::string_view host = has_address ? addresses[i] : i < hosts.size() ? hosts[i] : std::string_view();
    if (!is_local(host)) return false;
  }
  return true;
}

StoreError weak(std::string_view what) {
  return {false, std::string(what) +
                     ": keys would travel to another machine without a checked TLS connection; write "
                     "sslmode=verify-full&sslrootcert=CA.pem in the URL, reach the server over a UNIX socket or a "
                     "loopback address, or set dangerous_unverified_database = true"};
}

/// A server that is not of this machine: nothing that weakens TLS stands, and what is left out is filled in.
Stored<void> demand_tls(Settings& given) {
  const auto says = [&given](std::string_view keyword) {
    const auto at = given.find(keyword);
    return at == given.end() ? std::string_view() : std::string_view(at->second);
  };
  if (const auto mode = says("sslmode"); !mode.empty() && mode != kVerified) {
    return std::unexpected(weak("store: sslmode=" + std::string(mode)));
  }
  const char* const around = std::getenv("PGSSLMODE");
  if (says("sslmode").empty() && around != nullptr && *around != '\0' && around != kVerified) {
    return std::unexpected(weak("store: PGSSLMODE=" + std::string(around) + " of the environment"));
  }
  // Kerberos' encryption would stand in the place of TLS, and sslmode would not count.
  if (const auto mode = says("gssencmode"); !mode.empty() && mode != "disable") {
    return std::unexpected(weak("store: gssencmode=" + std::string(mode)));
  }
  if (const auto least = says("ssl_min_protocol_version"); !least.empty() && least != "TLSv1.2" && least != "TLSv1.3") {
    return std::unexpected(weak("store: ssl_min_protocol_version=" + std::string(least)));
  }
  given["sslmode"] = kVerified;
  given["gssencmode"] = "disable";
  given.try_emplace("ssl_min_protocol_version", "TLSv1.2");
  return {};
}

/// A server that is gone must not stop a KME for long.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kDefaults{{{"connect_timeout", "5"},
                                                                                  {"tcp_user_timeout", "10000"},
                                                                                  {"keepalives_idle", "10"},
                                                                                  {"keepalives_interval", "5"},
                                                                                  {"application_name", "qsp-kme"}}};

}  // namespace

Stored<PostgresTarget> read_postgres_url(std::string_view url, bool dangerous_unverified_database) {
  std::optional<Settings> given = parse(url);
  if (!given) {
    return std::unexpected(StoreError{false, "not a URL of PostgreSQL; write postgresql://USER@HOST:PORT/DATABASE"});
  }
  const auto or_else = [&given](std::string_view keyword, std::string otherwise) {
    const auto at = given->find(keyword);
    return at == given->end() ? std::move(otherwise) : at->second;
  };
  if (!dangerous_unverified_database && !all_local(*given)) {
    QSP_TRY(demand_tls(*given));
  }
  const char* const around = std::getenv("PGSSLCRL");
  PostgresTarget target{
      .conninfo = {},
      .password = or_else("password", ""),
      .name = "PostgreSQL at " + or_else("host", "its default host") + ", database " + or_else("dbname", "its default"),
      .revoked = or_else("sslcrl", around == nullptr ? "" : around)};
  for (const auto& [keyword, value] : kDefaults) given->try_emplace(std::string(keyword), value);
  for (const auto& [keyword, value] : *given)
    target.conninfo.append(keyword).append("='").append(text::conninfo_escape(value)).append("' ");
  if (const auto password = given->find("password"); password != given->end()) wipe_text(password->second);
  return target;
}

Stored<void> check_revocation_lists(const std::string& file) {
  if (file.empty()) return {};
  if (const auto read = https::check_revocation_lists(file); !read)
    return std::unexpected(StoreError{false, read.error()});
  return {};
}

bool holds_password(std::string_view url) {
  const std::optional<Settings> given = parse(url);
  return given && given->contains("password");
}

}  // namespace qsp::kme::store
