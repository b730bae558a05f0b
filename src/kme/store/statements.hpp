#pragma once

#include <soci/soci.h>

#include <string>

#include "kme/store/backend.hpp"

/// The tables of a key store, and every statement on them. Both databases understand the same SQL but for Dialect.
namespace qsp::kme::store {

/// Raised whenever the tables change: stores of another version are refused.
inline constexpr int kStoreVersion = 1;

/// States of a piece in kme_piece, which the SQL spells as numbers. A piece that was handed out stays as Gone, without
/// bytes, until it expires: so adding it again cannot bring it back.
enum class PieceState : std::uint8_t { Fresh = 0, Ready = 1, Granted = 2, Gone = 3 };

/// Makes the tables where there are none. Throws std::runtime_error where they are of another version.
void prepare_schema(soci::session& session, const Dialect& dialect);

/// The values that statements read and write. SOCI binds to addresses, so there is one of each for all of them.
struct Row {
  std::string id, link, master, slave, pieces;
  std::string ids;    ///< a JSON list
  std::string bytes;  ///< hex digits of a key: wiped after use
  long long owner = 0, state = 0, simulated = 0, expires = 0, size = 0, done = 0, limit = 0;
};

/// How many of each there are in a link, as PoolCounts counts them; or by how many they change.
struct Tally {
  bool operator==(const Tally&) const = default;

  long long fresh = 0, ready = 0, there = 0, granted = 0, unannounced = 0;
};

/// Prepared on one connection, which must outlive them. After an error they are of no use: SOCI may have dropped them.
struct Statements {
  Statements(soci::session& session, const Dialect& dialect);
  Statements(const Statements&) = delete;
  Statements& operator=(const Statements&) = delete;
  ~Statements();

  Row in, out;
  Tally change, sum;
  long long slot = 0;

  soci::statement add_piece;     ///< nothing where the id exists
  soci::statement find_piece;    ///< by id, locked
  soci::statement fresh_pieces;  ///< of in.link, oldest first
  /// Of in.link, oldest first, unexpired at in.expires, locked; others' locks skipped. With joins_writes they are
  /// removed where there are as many as in.limit.
  soci::statement ready_pieces;
  /// Of in.link and this side, behind serial number in.size, in order: id, and serial number as out.size.
  soci::statement fresh_supply, ready_supply;
  soci::statement
      extend_pieces;  ///< of in.ids, where fresh: until in.expires, or in.size where the other side owns them
  soci::statement confirm_pieces;  ///< of in.ids, where fresh; the owner of each that became ready
  soci::statement grant_piece;     ///< by id
  soci::statement remove_piece;    ///< by id
  soci::statement expire_pieces;

  soci::statement add_grant;         ///< with joins_writes also for in.slave
  soci::statement find_grant;        ///< of the other side, by id, locked
  soci::statement find_unannounced;  ///< of this side, by link and id
  soci::statement unannounced;       ///< of this side, oldest first
  soci::statement remove_grant;      ///< of the other side, by id, with its slaves
  soci::statement remove_grants;     ///< of this side, those of in.ids
  soci::statement expire_grants;

  soci::statement add_slave;
  soci::statement slaves;  ///< of in.id
  soci::statement mark_slave;

  soci::statement add_tally;  ///< adds `change` to the row of in.link and slot
  soci::statement sum_tally;  ///< of in.link
};

/// Runs a statement for its effect; how many rows it changed.
inline long long run(soci::statement& statement) {
  statement.execute(true);
  return statement.get_affected_rows();
}

/// Runs a statement and calls `row` for each row. It reads to the end, since a statement that is left before holds back
/// the log of SQLite.
template <class F>
void each_row(soci::statement& statement, F row) {
  for (bool more = statement.execute(true); more; more = statement.fetch()) row();
}

}  // namespace qsp::kme::store
