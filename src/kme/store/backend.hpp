#pragma once

#include <soci/soci.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "kme/store/store.hpp"

/// What the two databases of a store do differently. SOCI throws; so do these, and SqlStore turns what is thrown into a
/// StoreError at its door.
namespace qsp::kme::store {

/// Words that SQL leaves to each database.
struct Dialect {
  std::string_view serial;       ///< type of a column that counts up by itself
  std::string_view uuid;         ///< type of a UUID whose text form is that of to_text
  std::string_view lock;         ///< appended to a SELECT whose rows this transaction will change
  std::string_view skip_locked;  ///< the same, passing over rows that another transaction changes
  std::string_view in_ids;       ///< after a column: it is one of the UUIDs in the JSON list :ids
  std::string_view take_before;  ///< around the SELECT of ready pieces, to hand out what it finds if that is enough
  std::string_view take_after;
  std::string_view grant_before;  ///< around the INSERT of a grant, to add its first slave too
  std::string_view grant_after;
  bool joins_writes;             ///< whether the four before do that; else each is a statement of its own
  std::size_t probe_size;        ///< bytes of a row that show whether there is room to write
  std::string_view has_version;  ///< selects a row where the table kme_version exists
};

class Backend {
 public:
  virtual ~Backend() = default;

  [[nodiscard]] virtual const Dialect& dialect() const noexcept = 0;
  /// A connection with all its settings, in place of an earlier one. Bounded in time.
  virtual void connect() = 0;
  [[nodiscard]] virtual bool connected() noexcept = 0;
  [[nodiscard]] virtual soci::session& session() noexcept = 0;
  /// Waits until no other instance makes tables; until the end of the transaction.
  virtual void lock_schema() = 0;
  /// One line without any value of a statement or any secret. Call it before anything else uses the connection.
  [[nodiscard]] virtual StoreError explain(const std::exception& thrown) = 0;
  /// Outside a transaction, after one that called expire: lets go of what is deleted but still in a log.
  virtual void forget_deleted() = 0;
  virtual bool lead(std::string_view link) = 0;
  /// See Store.
  [[nodiscard]] virtual Stored<void> check_files() const { return {}; }
  virtual void renew() {}
  /// Which row of the tallies this connection adds to. Connections that share one only wait for each other.
  [[nodiscard]] virtual std::int64_t slot() const noexcept = 0;
};

/// `file` is what follows "sqlite:". Locks the file, creates it where it does not exist, and refuses one that others
/// may read.
Stored<std::unique_ptr<Backend>> sqlite_backend(std::string_view file);

/// `url` is libpq's, under the rules of read_postgres_url. Does not connect yet.
Stored<std::unique_ptr<Backend>> postgresql_backend(std::string_view url, bool dangerous_unverified_database);

/// The message of an exception as one line of bounded length, without the values that SOCI appends to it.
std::string one_line(const std::exception& thrown);

}  // namespace qsp::kme::store
