#include "kme/store/sql.hpp"

#include <algorithm>
#include <utility>

#include "base/try.hpp"
#include "kme/store/text.hpp"

namespace qsp::kme::store {
namespace {

constexpr long long kExpireAtOnce = 1000;  ///< rows that a statement removes, so that its memory is bounded

}  // namespace

/// A piece of the other side that no grant has come for. It may be Fresh: what confirms it can be later than its grant.
bool is_waiting(long long state) noexcept {
  return state == static_cast<long long>(PieceState::Fresh) || state == static_cast<long long>(PieceState::Ready);
}

Stored<std::unique_ptr<Store>> open_sql_store(std::unique_ptr<Backend> backend) {
  auto store = std::make_unique<SqlStore>(std::move(backend));
  QSP_TRY(store->connect());
  return store;
}

StoreError SqlStore::failed(const std::exception& thrown) {
  StoreError error = backend_->explain(thrown);
  rollback();
  statements_.reset();
  return error;
}

Stored<void> SqlStore::connect() {
  try {
    statements_.reset();
    backend_->connect();
    soci::session& session = backend_->session();
    session.begin();
    backend_->lock_schema();
    prepare_schema(session, backend_->dialect());
    session.commit();
    return {};
  } catch (const std::exception& thrown) {
    return std::unexpected(failed(thrown));
  }
}

Stored<void> SqlStore::begin() {
  if (open_) {
    rollback();
    return std::unexpected(StoreError{false, "a transaction was open already; it is rolled back"});
  }
  if (!backend_->connected()) {
    QSP_TRY(connect());
  }
  open_ = true;
  expired_ = false;
  changes_.clear();
  return guarded<void>([&] {
    if (!statements_) {
      statements_.emplace(backend_->session(), backend_->dialect());
      statements_->slot = backend_->slot();
    }
    backend_->session().begin();
  });
}

Stored<void> SqlStore::commit() {
  Stored<void> done = guarded<void>([&] {
    write_tallies();
    backend_->session().commit();
    open_ = false;
  });
  if (!done || !expired_) return done;
  // The commit stands whatever comes of this: what is not forgotten now is so after the next expire.
  try {
    backend_->forget_deleted();
  } catch (const std::exception&) {
    statements_.reset();
  }
  return done;
}

void SqlStore::rollback() noexcept {
  open_ = false;
  changes_.clear();
  if (!backend_->connected()) return;
  try {
    backend_->session().rollback();
  } catch (const std::exception&) {
    // There was nothing to roll back, or the connection is lost, which has the same effect.
    return;
  }
}

Stored<std::vector<Uuid>> SqlStore::add(std::string_view link, std::span<NewPiece> pieces, std::uint64_t capacity) {
  return guarded<std::vector<Uuid>>([&] { return add_pieces(link, pieces, capacity); });
}

std::vector<Uuid> SqlStore::add_pieces(std::string_view link, std::span<NewPiece> pieces, std::uint64_t capacity) {
  const Tally have = tally_of(link);
  const auto room_beside = [](std::uint64_t most, long long used) {
    return most - std::min(most, static_cast<std::uint64_t>(used));
  };
  std::uint64_t here_room = room_beside(capacity, have.fresh + have.ready);
  // Keys that were given and never fetched must not hold back new ones, nor pile up without a bound.
  std::uint64_t there_room =
      std::min(room_beside(capacity, have.there), room_beside(2 * capacity, have.there + have.granted));
  Tally& change = change_of(link);
  std::vector<Uuid> held;
  held.reserve(pieces.size());
  for (const NewPiece& piece : pieces) {
    const bool here = piece.owner == Owner::Here;
    std::uint64_t& room = here ? here_room : there_room;
    if (room == 0) {
      if (piece_exists(piece.id)) held.push_back(piece.id);
      continue;
    }
    held.push_back(piece.id);
    if (!add_piece(link, piece)) continue;
    --room;
    ++(!here ? change.there : piece.confirmed ? change.ready : change.fresh);
  }
  return held;
}

/// False where the ID is or was there.
bool SqlStore::add_piece(std::string_view link, const NewPiece& piece) {
  Row& in = statements().in;
  in.id = uuid_text(piece.id);
  in.link = link;
  in.owner = piece.owner == Owner::Here ? 0 : 1;
  in.state = static_cast<long long>(piece.confirmed ? PieceState::Ready : PieceState::Fresh);
  in.simulated = piece.simulated ? 1 : 0;
  in.expires = piece.expires;
  write_hex(in.bytes, piece.bytes);
  const bool added = run(statements().add_piece) > 0;
  wipe_text(in.bytes);
  return added;
}

bool SqlStore::piece_exists(const Uuid& id) {
  statements().in.id = uuid_text(id);
  bool exists = false;
  each_row(statements().find_piece, [&] { exists = true; });
  wipe_text(statements().out.bytes);
  return exists;
}

Stored<std::vector<NewPiece>> SqlStore::fresh(std::string_view link, std::size_t most) {
  return guarded<std::vector<NewPiece>>([&] {
    std::vector<NewPiece> pieces;
    Row& out = statements().out;
    statements().in.link = link;
    statements().in.limit = static_cast<long long>(most);
    each_row(statements().fresh_pieces, [&] {
      pieces.push_back({.id = read_uuid(out.id),
                        .bytes = take_piece(out.bytes),
                        .owner = out.owner == 0 ? Owner::Here : Owner::There,
                        .simulated = out.simulated != 0,
                        .confirmed = false,
                        .expires = out.expires});
    });
    return pieces;
  });
}

Stored<void> SqlStore::confirm(std::string_view link, std::span<const Uuid> ids, Lives lives) {
  return guarded<void>([&] {
    Tally& change = change_of(link);
    statements().in.link = link;
    statements().in.ids = list_uuids(ids);
    if (lives.here != 0 && lives.there != 0) {
      statements().in.expires = lives.here;
      statements().in.size = lives.there;
      run(statements().extend_pieces);
    }
    each_row(statements().confirm_pieces, [&] {
      if (statements().out.owner != 0) return;
      --change.fresh;
      ++change.ready;
    });
  });
}

Stored<std::vector<Uuid>> SqlStore::held(std::string_view link, std::span<const Uuid> ids) {
  return guarded<std::vector<Uuid>>([&] {
    std::vector<Uuid> found;
    for (const Uuid& id : ids) {
      if (piece_exists(id) && statements().out.link == link) found.push_back(id);
    }
    return found;
  });
}

void SqlStore::remove_pieces(std::span<const Uuid> ids) {
  for (const Uuid& id : ids) {
    statements().in.id = uuid_text(id);
    run(statements().remove_piece);
  }
}

Stored<SupplyPage> SqlStore::supply(std::string_view link, bool fresh, std::int64_t after, std::size_t most) {
  return guarded<SupplyPage>([&] {
    SupplyPage page;
    Row& in = statements().in;
    in.link = link;
    in.size = after;
    in.limit = static_cast<long long>(most);
    each_row(fresh ? statements().fresh_supply : statements().ready_supply, [&] {
      page.ids.push_back(read_uuid(statements().out.id));
      page.last = statements().out.size;
    });
    return page;
  });
}

Stored<std::vector<Uuid>> SqlStore::spent(std::string_view link, std::span<const Uuid> ids) {
  return guarded<std::vector<Uuid>>([&] {
    std::vector<Uuid> found;
    const Row& out = statements().out;
    for (const Uuid& id : ids) {
      if (piece_exists(id) && out.link == link && out.owner == 1 && !is_waiting(out.state)) found.push_back(id);
    }
    return found;
  });
}

Stored<std::uint64_t> SqlStore::withdraw(std::string_view link, std::span<const Uuid> ids) {
  return guarded<std::uint64_t>([&] {
    std::uint64_t withdrawn = 0;
    const Row& out = statements().out;
    for (const Uuid& id : ids) {
      if (!piece_exists(id) || out.link != link || out.owner != 0 || !is_waiting(out.state)) continue;
      Tally& change = change_of(link);
      --(out.state == static_cast<long long>(PieceState::Fresh) ? change.fresh : change.ready);
      remove_pieces({&id, 1});
      ++withdrawn;
    }
    return withdrawn;
  });
}

Stored<bool> SqlStore::simulated(std::string_view link) {
  return guarded<bool>([&] {
    const std::string name(link);
    int found = 0;
    backend_->session() << "SELECT COUNT(*) FROM (SELECT 1 FROM kme_piece WHERE link = :link AND simulated = 1 LIMIT 1)"
                           " AS one",
        soci::use(name, "link"), soci::into(found);
    return found != 0;
  });
}

Stored<PoolCounts> SqlStore::counts(std::string_view link) {
  return guarded<PoolCounts>([&] {
    const Tally tally = tally_of(link);
    return PoolCounts{static_cast<std::uint64_t>(tally.fresh), static_cast<std::uint64_t>(tally.ready),
                      static_cast<std::uint64_t>(tally.there), static_cast<std::uint64_t>(tally.granted),
                      static_cast<std::uint64_t>(tally.unannounced)};
  });
}

Stored<void> SqlStore::probe() {
  return guarded<void>([&] {
    // No link has such a name: those of a configuration are not empty and begin with no blank.
    const std::string name = ' ' + std::string(backend_->dialect().probe_size, 'x');
    const auto slot = static_cast<long long>(backend_->slot());
    soci::session& session = backend_->session();
    session << "INSERT INTO kme_tally (link, slot, fresh, ready, there, granted, unannounced)"
               " VALUES (:link, :slot, 0, 0, 0, 0, 0)",
        soci::use(name), soci::use(slot);
    session << "DELETE FROM kme_tally WHERE link = :link AND slot = :slot", soci::use(name), soci::use(slot);
  });
}

Stored<std::uint64_t> SqlStore::expire(UnixTime now) {
  return guarded<std::uint64_t>([&] { return expire_all(now); });
}

std::uint64_t SqlStore::expire_all(UnixTime now) {
  expired_ = true;
  const Row& out = statements().out;
  statements().in.expires = now;
  statements().in.limit = kExpireAtOnce;
  long long rows = kExpireAtOnce;
  while (rows == kExpireAtOnce) {
    rows = 0;
    each_row(statements().expire_grants, [&] {
      ++rows;
      if (out.owner == 0) --change_of(out.link).unannounced;
    });
  }
  std::uint64_t pieces = 0;
  rows = kExpireAtOnce;
  while (rows == kExpireAtOnce) {
    rows = 0;
    each_row(statements().expire_pieces, [&] {
      ++rows;
      if (out.state == static_cast<long long>(PieceState::Gone)) return;
      ++pieces;
      Tally& change = change_of(out.link);
      if (out.state == static_cast<long long>(PieceState::Granted)) {
        --change.granted;
      } else if (out.owner == 1) {
        --change.there;
      } else {
        --(out.state == static_cast<long long>(PieceState::Fresh) ? change.fresh : change.ready);
      }
    });
  }
  return pieces;
}

Stored<bool> SqlStore::lead(std::string_view link) {
  return guarded<bool>([&] { return backend_->lead(link); });
}

Tally SqlStore::tally_of(std::string_view link) {
  statements().in.link = link;
  each_row(statements().sum_tally, [] {});
  Tally tally = statements().sum;
  const Tally& change = change_of(link);
  tally.fresh += change.fresh;
  tally.ready += change.ready;
  tally.there += change.there;
  tally.granted += change.granted;
  tally.unannounced += change.unannounced;
  return tally;
}

Tally& SqlStore::change_of(std::string_view link) {
  const auto found = changes_.find(link);
  if (found != changes_.end()) return found->second;
  return changes_.emplace(link, Tally{}).first->second;
}

void SqlStore::write_tallies() {
  // In the order of the links' names, so that two connections never wait for each other.
  for (const auto& [link, change] : changes_) {
    if (change == Tally{}) continue;
    statements().in.link = link;
    statements().change = change;
    run(statements().add_tally);
  }
}

}  // namespace qsp::kme::store
