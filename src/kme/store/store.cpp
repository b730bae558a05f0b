#include "kme/store/store.hpp"

#include "kme/store/backend.hpp"
#include "kme/store/sql.hpp"

namespace qsp::kme {

Stored<std::unique_ptr<Store>> Store::open(std::string_view url, bool dangerous_unverified_database) {
  constexpr std::string_view kSqlite = "sqlite:";
  Stored<std::unique_ptr<store::Backend>> backend =
      std::unexpected(StoreError{false, "the URL of a key store is sqlite:FILE or postgresql://HOST/DATABASE"});
  if (url.starts_with(kSqlite)) {
    backend = store::sqlite_backend(url.substr(kSqlite.size()));
  } else if (url.starts_with("postgresql://") || url.starts_with("postgres://")) {
    backend = store::postgresql_backend(url, dangerous_unverified_database);
  }
  if (!backend) return std::unexpected(std::move(backend.error()));
  return store::open_sql_store(std::move(*backend));
}

}  // namespace qsp::kme
