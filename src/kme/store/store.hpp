#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.hpp"
#include "etsi014/etsi014.hpp"

/// The keys of a KME on disk (docs/kme.md).
///
/// A link joins two KMEs that hold the same keys. A key belongs to the side that may hand it out first (enc_keys); the
/// other side hands it out second (dec_keys). So two sides never hand out one key to two masters, though they do not
/// ask each other.
///
///   side that owns it   Fresh ──the peer has it──▶ Ready ──enc_keys──▶ gone; a Grant waits to be announced
///   other side          Fresh or Ready ──the grant arrives──▶ Granted to its slaves ──each slave's dec_keys──▶ gone
namespace qsp::kme {

/// Keys are stored in pieces of this many bytes; a key of another size is cut from one or joined from several.
inline constexpr std::size_t kPieceSize = 32;
using Piece = Secret<kPieceSize, struct KmePieceTag>;

/// Milliseconds since 1970. The store never asks for the time: it is told.
using UnixTime = std::int64_t;

/// What went wrong in the store itself: the transaction is rolled back and nothing of it has happened. One line for a
/// log.
struct StoreError {
  bool full;  ///< no room on the disk, or in the database
  std::string text;
};
template <class T>
using Stored = std::expected<T, StoreError>;

enum class Owner : std::uint8_t { Here = 0, There = 1 };

struct NewPiece {
  Uuid id;
  Piece bytes;
  Owner owner;
  bool simulated;
  bool confirmed = false;  ///< the peer is known to have it, so it is Ready at once
  UnixTime expires = 0;
};

/// A key handed out: of which pieces it was made, and for whom.
struct Grant {
  Uuid key_id;  ///< that of the first piece
  std::string link;
  std::string master;
  std::vector<std::string> slaves;
  std::uint32_t size = 0;    ///< bytes
  std::vector<Uuid> pieces;  ///< in the order in which they are joined
  UnixTime expires = 0;
};

struct TakeRequest {
  std::string link;
  std::string master;
  std::vector<std::string> slaves;
  std::uint32_t size = 0;  ///< bytes, 1…etsi014::kMaxKeySize
  std::uint32_t number = 0;
};

struct TakenKey {
  Uuid key_id;
  etsi014::KeyMaterial key;
  bool simulated;
};

struct RedeemRequest {
  std::string slave;
  std::string master;
  std::vector<Uuid> key_ids;
};

/// Why dec_keys gives nothing. NotFound includes what expired and what this slave had already. Unknown: the piece is
/// here and Ready, but no grant has arrived yet: ask the peer, which may know. NotNamed: enc_keys named another master
/// or slave (§5 says 401).
enum class NotRedeemed : std::uint8_t { NotFound, Unknown, NotNamed };

/// What enc_keys gives, and what the peer is to be told of it: one grant for each key.
struct Taken {
  std::vector<TakenKey> keys;
  std::vector<Grant> grants;
};

/// Some of the pieces that this side may give out or will, in the order of their arrival.
struct SupplyPage {
  std::vector<Uuid> ids;
  std::int64_t last = 0;  ///< where the next page begins
};

struct PoolCounts {
  std::uint64_t here_fresh = 0, here_ready = 0, there = 0, granted = 0, unannounced = 0;
};

/// When confirmed pieces expire, by whose they are; 0: as before.
struct Lives {
  UnixTime here = 0, there = 0;
};

/// One connection to a key store: SQLite in one file (WAL, one process alone), or PostgreSQL, which the KMEs of one
/// site may share. Not thread-safe. Between begin and a successful commit nothing counts: a caller answers its SAE
/// after commit, and throws the answers away where commit fails. Commit means: on disk.
///
/// Bytes of keys are wiped here and erased from the rows. What remains: copies that SOCI and the database's library
/// made in memory that they freed; in SQLite the log of what was committed since the last expire; in PostgreSQL old
/// rows until a vacuum, and its log for as long as it keeps that. So the disk of a PostgreSQL server and its backups
/// hold secrets.
class Store {
 public:
  /// `url` is "sqlite:FILE" or "postgresql://…" (libpq's form). Makes the tables where there are none; refuses those of
  /// another version, an SQLite file that others may read, and one that another process has open. Texts hold no
  /// password. A PostgreSQL server that is not of this machine is reached over checked TLS alone
  /// (read_postgres_url), unless `dangerous_unverified_database`.
  static Stored<std::unique_ptr<Store>> open(std::string_view url, bool dangerous_unverified_database = false);
  virtual ~Store() = default;

  /// What a new connection would say of the files that it needs and that libpq reads without a word (revocation lists).
  /// From any thread.
  [[nodiscard]] virtual Stored<void> check_files() const { return {}; }
  /// The next transaction has a new connection, made from those files as they are then. Not within a transaction.
  virtual void renew() {}

  virtual Stored<void> begin() = 0;
  virtual Stored<void> commit() = 0;
  virtual void rollback() noexcept = 0;

  // What follows is called between begin and commit.

  /// Puts pieces into the pool of a link, as Fresh unless confirmed. Of each owner's, `capacity` pieces have room at
  /// once; the others are left out. An ID that is or ever was in the pool and has not expired is not added again, so a
  /// batch may be repeated after a crash. Returns the IDs that are in the store now, tombstones among them.
  virtual Stored<std::vector<Uuid>> add(std::string_view link, std::span<NewPiece> pieces, std::uint64_t capacity) = 0;
  /// Fresh pieces, of either owner, oldest first, at most `most`: to be confirmed by the peer.
  virtual Stored<std::vector<NewPiece>> fresh(std::string_view link, std::size_t most) = 0;
  /// The peer has these: Fresh becomes Ready, and lives so long. Others are skipped.
  virtual Stored<void> confirm(std::string_view link, std::span<const Uuid> ids, Lives lives = {}) = 0;
  /// Which of `ids` this side holds, in any state.
  virtual Stored<std::vector<Uuid>> held(std::string_view link, std::span<const Uuid> ids) = 0;

  /// enc_keys: all or nothing. Nothing where fewer are Ready and unexpired at `now` than needed.
  virtual Stored<Taken> take(const TakeRequest& request, UnixTime now) = 0;
  /// Grants of this side that the peer has not acknowledged, oldest first.
  virtual Stored<std::vector<Grant>> unannounced(std::string_view link, std::size_t most) = 0;
  virtual Stored<std::optional<Grant>> find_unannounced(std::string_view link, const Uuid& key_id) = 0;
  /// The peer has them.
  virtual Stored<void> announced(std::string_view link, std::span<const Uuid> key_ids) = 0;

  /// A grant of the peer's: its pieces become Granted. Does nothing where one of them is not here any more or is
  /// Granted already.
  virtual Stored<void> accept(const Grant& grant) = 0;
  /// dec_keys: all or nothing; each slave once. The last slave's removes the pieces.
  virtual Stored<std::expected<std::vector<TakenKey>, NotRedeemed>> redeem(const RedeemRequest& request,
                                                                           UnixTime now) = 0;

  // A store that was restored from a backup holds keys that have left it since. The other side has seen them leave.

  /// Pieces that this side owns and has not given, Fresh or else Ready, behind `after` (0: from the first), at most
  /// `most`.
  virtual Stored<SupplyPage> supply(std::string_view link, bool fresh, std::int64_t after, std::size_t most) = 0;
  /// Which of these, pieces of the other side, it has given: a grant has come for them. It is remembered for as long as
  /// they live.
  virtual Stored<std::vector<Uuid>> spent(std::string_view link, std::span<const Uuid> ids) = 0;
  /// Takes those of these that this side owns and has not given out of the pool, for good; how many they were.
  virtual Stored<std::uint64_t> withdraw(std::string_view link, std::span<const Uuid> ids) = 0;
  /// Whether some key that is here, or was and has not expired, is simulated.
  virtual Stored<bool> simulated(std::string_view link) = 0;

  virtual Stored<PoolCounts> counts(std::string_view link) = 0;
  /// Writes about as much as any other transaction, and takes it away again: shows whether there is room.
  virtual Stored<void> probe() { return {}; }
  /// Removes what expired at or before `now`; how many pieces.
  virtual Stored<std::uint64_t> expire(UnixTime now) = 0;
  /// PostgreSQL: true for one of the instances that share the store, until its connection ends: that one produces and
  /// announces. SQLite: always true.
  virtual Stored<bool> lead(std::string_view link) = 0;
};

}  // namespace qsp::kme
