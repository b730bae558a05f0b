#include "kme/store/statements.hpp"

#include <stdexcept>

#include "kme/store/text.hpp"

namespace qsp::kme::store {
namespace {

using soci::into;
using soci::use;

std::string sql(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

void create_tables(soci::session& session, const Dialect& dialect) {
  session << "CREATE TABLE kme_version (version INTEGER NOT NULL)";
  session << sql({"CREATE TABLE kme_piece (serial ", dialect.serial, ", id ", dialect.uuid,
                  R"( NOT NULL UNIQUE, link TEXT NOT NULL, owner SMALLINT NOT NULL, state SMALLINT NOT NULL,
                  simulated SMALLINT NOT NULL, expires BIGINT NOT NULL, bytes TEXT NOT NULL))"});
  // Only pieces that enc_keys may need are in these, so their size is that of the pool and not of its history.
  session << "CREATE INDEX kme_piece_fresh ON kme_piece (link, serial) WHERE state = 0";
  session << "CREATE INDEX kme_piece_ready ON kme_piece (link, serial) WHERE owner = 0 AND state = 1";
  session << "CREATE INDEX kme_piece_expires ON kme_piece (expires)";
  session << sql({"CREATE TABLE kme_grant (serial ", dialect.serial, ", id ", dialect.uuid,
                  R"( NOT NULL UNIQUE, owner SMALLINT NOT NULL, link TEXT NOT NULL, master TEXT NOT NULL,
                  size INTEGER NOT NULL, expires BIGINT NOT NULL, pieces TEXT NOT NULL))"});
  session << "CREATE INDEX kme_grant_unannounced ON kme_grant (link, serial) WHERE owner = 0";
  session << "CREATE INDEX kme_grant_expires ON kme_grant (expires)";
  session << sql({"CREATE TABLE kme_slave (id ", dialect.uuid,
                  " NOT NULL REFERENCES kme_grant (id) ON DELETE CASCADE, slave TEXT NOT NULL, done SMALLINT NOT NULL,"
                  " PRIMARY KEY (id, slave))"});
  // What counts() says, kept as sums: counting a million pieces would take longer than handing one out.
  session << "CREATE TABLE kme_tally (link TEXT NOT NULL, slot INTEGER NOT NULL, fresh BIGINT NOT NULL,"
             " ready BIGINT NOT NULL, there BIGINT NOT NULL, granted BIGINT NOT NULL, unannounced BIGINT NOT NULL,"
             " PRIMARY KEY (link, slot))";
  session << "INSERT INTO kme_version VALUES (" << kStoreVersion << ")";
}

soci::statement prepare_add_grant(soci::session& session, const Dialect& dialect, Row& in) {
  auto statement =
      (session.prepare
           << dialect.grant_before
           << R"(INSERT INTO kme_grant (id, owner, link, master, size, expires, pieces) VALUES (:id, :owner, :link,
          :master, :size, :expires, :pieces))"
           << dialect.grant_after,
       use(in.id, "id"), use(in.owner, "owner"), use(in.link, "link"), use(in.master, "master"), use(in.size, "size"),
       use(in.expires, "expires"), use(in.pieces, "pieces"));
  if (dialect.joins_writes) statement, use(in.slave, "slave");
  return statement;
}

}  // namespace

void prepare_schema(soci::session& session, const Dialect& dialect) {
  int exists = 0;
  session << dialect.has_version, into(exists);
  if (!session.got_data()) {
    create_tables(session, dialect);
    return;
  }
  int version = 0;
  session << "SELECT version FROM kme_version", into(version);
  if (version != kStoreVersion) {
    throw std::runtime_error("holds tables of version " + std::to_string(version) +
                             ", and this program knows version " + std::to_string(kStoreVersion) +
                             "; use the program that made it, or a new store");
  }
}

// A plus sign keeps a column from an index that a database might prefer while it has no statistics.
Statements::Statements(soci::session& session, const Dialect& dialect)
    : add_piece((session.prepare
                     << R"(INSERT INTO kme_piece (id, link, owner, state, simulated, expires, bytes) VALUES (:id, :link,
          :owner, :state, :simulated, :expires, :bytes) ON CONFLICT (id) DO NOTHING)",
                 use(in.id, "id"), use(in.link, "link"), use(in.owner, "owner"), use(in.state, "state"),
                 use(in.simulated, "simulated"), use(in.expires, "expires"), use(in.bytes, "bytes"))),
      find_piece(
          (session.prepare << R"(SELECT link, owner, state, simulated, expires, bytes FROM kme_piece WHERE id = :id)"
                           << dialect.lock,
           use(in.id, "id"), into(out.link), into(out.owner), into(out.state), into(out.simulated), into(out.expires),
           into(out.bytes))),
      fresh_pieces(
          (session.prepare
               << R"(SELECT id, owner, simulated, expires, bytes FROM kme_piece WHERE link = :link AND state = 0
          ORDER BY serial LIMIT :lim)",
           use(in.link, "link"), use(in.limit, "lim"), into(out.id), into(out.owner), into(out.simulated),
           into(out.expires), into(out.bytes))),
      ready_pieces((
          session.prepare << dialect.take_before
                          << R"(SELECT id, simulated, expires, bytes FROM kme_piece WHERE link = :link AND owner = 0 AND
          state = 1 AND +expires > :expires ORDER BY serial LIMIT :lim)"
                          << dialect.skip_locked << dialect.take_after,
          use(in.link, "link"), use(in.expires, "expires"), use(in.limit, "lim"), into(out.id), into(out.simulated),
          into(out.expires), into(out.bytes))),
      fresh_supply(
          (session.prepare << R"(SELECT serial, id FROM kme_piece WHERE link = :link AND owner = 0 AND state = 0
          AND serial > :after ORDER BY serial LIMIT :lim)",
           use(in.link, "link"), use(in.size, "after"), use(in.limit, "lim"), into(out.size), into(out.id))),
      ready_supply(
          (session.prepare << R"(SELECT serial, id FROM kme_piece WHERE link = :link AND owner = 0 AND state = 1
          AND serial > :after ORDER BY serial LIMIT :lim)",
           use(in.link, "link"), use(in.size, "after"), use(in.limit, "lim"), into(out.size), into(out.id))),
      extend_pieces((session.prepare << "UPDATE kme_piece SET expires = CASE owner WHEN 0 THEN CAST(:here AS BIGINT) "
                                        "ELSE CAST(:there AS BIGINT) END WHERE id"
                                     << dialect.in_ids << " AND link = :link AND +state = 0",
                     use(in.expires, "here"), use(in.size, "there"), use(in.ids, "ids"), use(in.link, "link"))),
      confirm_pieces((session.prepare << "UPDATE kme_piece SET state = 1 WHERE id" << dialect.in_ids
                                      << " AND link = :link AND +state = 0 RETURNING owner",
                      use(in.ids, "ids"), use(in.link, "link"), into(out.owner))),
      grant_piece((session.prepare << "UPDATE kme_piece SET state = 2 WHERE id = :id", use(in.id, "id"))),
      remove_piece((session.prepare << "UPDATE kme_piece SET state = 3, bytes = '' WHERE id = :id", use(in.id, "id"))),
      expire_pieces(
          (session.prepare
               << R"(DELETE FROM kme_piece WHERE id IN (SELECT id FROM kme_piece WHERE expires <= :expires LIMIT
          :lim)"
               << dialect.skip_locked << ") RETURNING link, owner, state",
           use(in.expires, "expires"), use(in.limit, "lim"), into(out.link), into(out.owner), into(out.state))),
      add_grant(prepare_add_grant(session, dialect, in)),
      find_grant((
          session.prepare << R"(SELECT link, master, size, expires, pieces FROM kme_grant WHERE id = :id AND owner = 1)"
                          << dialect.lock,
          use(in.id, "id"), into(out.link), into(out.master), into(out.size), into(out.expires), into(out.pieces))),
      find_unannounced(
          (session.prepare
               << R"(SELECT id, master, size, expires, pieces FROM kme_grant WHERE id = :id AND link = :link AND owner =
          0)",
           use(in.id, "id"), use(in.link, "link"), into(out.id), into(out.master), into(out.size), into(out.expires),
           into(out.pieces))),
      unannounced(
          (session.prepare
               << R"(SELECT id, master, size, expires, pieces FROM kme_grant WHERE link = :link AND owner = 0 ORDER BY
          serial LIMIT :lim)",
           use(in.link, "link"), use(in.limit, "lim"), into(out.id), into(out.master), into(out.size),
           into(out.expires), into(out.pieces))),
      remove_grant((session.prepare << "DELETE FROM kme_grant WHERE id = :id AND owner = 1", use(in.id, "id"))),
      remove_grants(
          (session.prepare << "DELETE FROM kme_grant WHERE id" << dialect.in_ids << " AND link = :link AND owner = 0",
           use(in.ids, "ids"), use(in.link, "link"))),
      expire_grants(
          (session.prepare
               << R"(DELETE FROM kme_grant WHERE id IN (SELECT id FROM kme_grant WHERE expires <= :expires LIMIT
          :lim)"
               << dialect.skip_locked << ") RETURNING link, owner",
           use(in.expires, "expires"), use(in.limit, "lim"), into(out.link), into(out.owner))),
      add_slave((session.prepare << "INSERT INTO kme_slave (id, slave, done) VALUES (:id, :slave, 0)", use(in.id, "id"),
                 use(in.slave, "slave"))),
      slaves((session.prepare << "SELECT slave, done FROM kme_slave WHERE id = :id", use(in.id, "id"), into(out.slave),
              into(out.done))),
      mark_slave((session.prepare << "UPDATE kme_slave SET done = 1 WHERE id = :id AND slave = :slave",
                  use(in.id, "id"), use(in.slave, "slave"))),
      add_tally(
          (session.prepare
               << R"(INSERT INTO kme_tally (link, slot, fresh, ready, there, granted, unannounced) VALUES (:link, :slot,
          :fresh, :ready, :there, :granted, :unannounced) ON CONFLICT (link, slot) DO UPDATE SET fresh =
          kme_tally.fresh + excluded.fresh, ready = kme_tally.ready + excluded.ready, there = kme_tally.there
          + excluded.there, granted = kme_tally.granted + excluded.granted, unannounced =
          kme_tally.unannounced + excluded.unannounced)",
           use(in.link, "link"), use(slot, "slot"), use(change.fresh, "fresh"), use(change.ready, "ready"),
           use(change.there, "there"), use(change.granted, "granted"), use(change.unannounced, "unannounced"))),
      sum_tally((
          session.prepare << R"(SELECT CAST(COALESCE(SUM(fresh), 0) AS BIGINT), CAST(COALESCE(SUM(ready), 0) AS BIGINT),
          CAST(COALESCE(SUM(there), 0) AS BIGINT), CAST(COALESCE(SUM(granted), 0) AS BIGINT),
          CAST(COALESCE(SUM(unannounced), 0) AS BIGINT) FROM kme_tally WHERE link = :link)",
          use(in.link, "link"), into(sum.fresh), into(sum.ready), into(sum.there), into(sum.granted),
          into(sum.unannounced))) {}

Statements::~Statements() {
  wipe_text(in.bytes);
  wipe_text(out.bytes);
}

}  // namespace qsp::kme::store
