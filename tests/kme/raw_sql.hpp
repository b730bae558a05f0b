#pragma once

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <memory>
#include <string>

namespace qsp::kme::test {

/// A connection past the store, to look at its tables and to damage them. An SQLite store must be closed.
inline std::unique_ptr<soci::session> raw_session(const std::string& url) {
  if (url.starts_with("sqlite:")) {
    return std::make_unique<soci::session>(soci::sqlite3, "dbname=\"" + url.substr(7) + "\"");
  }
  return std::make_unique<soci::session>(soci::postgresql, url);
}

inline long long raw_number(const std::string& url, const std::string& query) {
  long long number = 0;
  *raw_session(url) << query, soci::into(number);
  return number;
}

}  // namespace qsp::kme::test
