#pragma once

#include <string>
#include <string_view>

#include "kme/store/store.hpp"

namespace qsp::kme::store {

/// How a PostgreSQL server is reached. Holds a password.
struct PostgresTarget {
  std::string conninfo;  ///< for libpq: what the URL says, and what it must not leave to a default
  std::string password;  ///< of the URL; may be empty
  std::string name;      ///< for texts
  std::string revoked;   ///< the file of revocation lists; empty: none is given
};

/// Reads libpq's form of a URL. Keys travel over this connection, so a server on another machine (neither a UNIX socket
/// nor a loopback address; of several hosts, any of them) is reached over TLS alone, with its certificate checked
/// against an authority and against its name (sslmode verify-full). What the URL leaves out is filled in, so that
/// neither PGSSLMODE nor a service file can weaken it; what it weakens is refused, unless
/// `dangerous_unverified_database`. The error names the remedy, and holds no password.
Stored<PostgresTarget> read_postgres_url(std::string_view url, bool dangerous_unverified_database);

/// Whether the file of revocation lists can be read: libpq skips one that it cannot, without a word. An empty name is
/// no error.
Stored<void> check_revocation_lists(const std::string& file);

/// Whether the URL holds a password. False for one that cannot be read.
bool holds_password(std::string_view url);

}  // namespace qsp::kme::store
