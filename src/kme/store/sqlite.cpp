#include <fcntl.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "base/try.hpp"
#include "files/file.hpp"
#include "kme/store/backend.hpp"
#include "qsp/bytes.hpp"

namespace qsp::kme::store {
namespace {

constexpr Dialect kSqlite{.serial = "INTEGER PRIMARY KEY",
                          .uuid = "TEXT",
                          .lock = "",
                          .skip_locked = "",
                          .in_ids = " IN (SELECT value FROM json_each(:ids))",
                          .take_before = "",
                          .take_after = "",
                          .grant_before = "",
                          .grant_after = "",
                          .joins_writes = false,
                          .probe_size = std::size_t{256} * 1024,
                          .has_version = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'kme_version'"};

StoreError refused(std::string why) { return {false, std::move(why)}; }

/// What the lock file says from before the store's file is made until there is something in it. An empty store without
/// it has lost what it held.
constexpr std::string_view kBeingMade = "being made\n";

bool is_being_made(int lock) {
  std::array<char, kBeingMade.size()> text{};
  return ::pread(lock, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()) &&
         std::string_view(text.data(), text.size()) == kBeingMade;
}

/// Made if it is not there; nobody else may read it, and it is open here alone until the descriptor is closed.
Stored<files::Descriptor> lock_file(const std::string& file) {
  files::Descriptor fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return std::unexpected(refused(files::system_error(file, "cannot open; does the folder exist?")));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return std::unexpected(refused(files::system_error(file, "cannot lock")));
    return std::unexpected(
        refused(file + ": another process has this key store open; stop it, or share a store in PostgreSQL"));
  }
  return fd;
}

/// SQLite would make the file readable by others, and its log with the same mode.
Stored<void> make_private_file(const std::string& file, int lock) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    const std::string lock_name = file + ".lock";
    files::OrText<void> told = files::write_at(lock, lock_name, as_bytes(kBeingMade), 0);
    if (told) told = files::sync_new_file(lock, lock_name);
    if (!told) return std::unexpected(refused(std::move(told.error())));
    const files::OrText<files::Descriptor> made = files::create_file(file, 0600);
    if (!made) return std::unexpected(refused(made.error()));
    if (auto synced = files::sync_new_file(made->get(), file); !synced) return std::unexpected(refused(synced.error()));
    return {};
  }
  const files::Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return std::unexpected(refused(files::system_error(file, "cannot open")));
  if (!std::filesystem::is_regular_file(file, error)) {
    return std::unexpected(refused(file + ": not a regular file; give the name of one"));
  }
  if (auto is_private = files::require_private(fd.get(), file); !is_private) {
    return std::unexpected(refused(is_private.error()));
  }
  if (std::filesystem::file_size(file, error) == 0 && !error && !is_being_made(lock)) {
    return std::unexpected(refused(
        file + ": is empty, and so has lost the keys of this key store; find out why, then remove it to begin " +
        "a new one: rm " + file));
  }
  return {};
}

/// Whether the last failure of the file or its log was for lack of room. SQLite itself calls only ENOSPC full; to a
/// KME's operator, a quota or a limit on the size of files is the same.
bool no_room(soci::session& session) {
  auto* connection = static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
  for (const int which : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
    sqlite_api::sqlite3_file* file = nullptr;
    sqlite_api::sqlite3_file_control(connection, "main", which, static_cast<void*>(&file));
    if (file == nullptr || file->pMethods == nullptr) continue;
    int reason = 0;
    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &reason);
    if (reason == ENOSPC || reason == EDQUOT || reason == EFBIG) return true;
  }
  return false;
}

class SqliteBackend final : public Backend {
 public:
  SqliteBackend(std::string file, files::Descriptor lock) : file_(std::move(file)), lock_(std::move(lock)) {}

  [[nodiscard]] const Dialect& dialect() const noexcept override { return kSqlite; }
  void connect() override;
  [[nodiscard]] bool connected() noexcept override { return session_ != nullptr; }
  [[nodiscard]] soci::session& session() noexcept override { return *session_; }
  void lock_schema() override {}
  [[nodiscard]] StoreError explain(const std::exception& thrown) override;
  void forget_deleted() override { *session_ << "PRAGMA wal_checkpoint(TRUNCATE)"; }
  bool lead(std::string_view /*link*/) override { return true; }
  [[nodiscard]] std::int64_t slot() const noexcept override { return 0; }

 private:
  std::string file_;
  files::Descriptor lock_;
  std::unique_ptr<soci::session> session_;
};

void SqliteBackend::connect() {
  session_ = std::make_unique<soci::session>(soci::sqlite3, "dbname=\"" + file_ + "\" timeout=5");
  // EXCLUSIVE: also against programs that do not know of our lock, and no memory shared through a file. FULL: a commit
  // waits until the log is on disk. What is deleted is overwritten, first in the log and at a checkpoint in the file.
  for (const std::string_view pragma :
       {"locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL", "secure_delete = ON",
        "foreign_keys = ON", "temp_store = MEMORY", "wal_autocheckpoint = 1000", "journal_size_limit = 4194304",
        "trusted_schema = OFF", "cache_size = -65536"}) {
    *session_ << "PRAGMA " << pragma;
  }
  std::string mode;
  *session_ << "PRAGMA journal_mode", soci::into(mode);
  if (mode != "wal") throw std::runtime_error("the file system cannot hold a write-ahead log; choose another folder");
  // Were it to stay, a store that is emptied later would pass for a new one.
  if (is_being_made(lock_.get()) && ::ftruncate(lock_.get(), 0) != 0) {
    throw std::runtime_error("cannot write to " + file_ + ".lock: " + std::generic_category().message(errno));
  }
}

StoreError SqliteBackend::explain(const std::exception& thrown) {
  bool full = false;
  bool damaged = false;
  if (const auto* error = dynamic_cast<const soci::sqlite3_soci_error*>(&thrown)) {
    constexpr int kPrimaryCode = 0xff;
    full = (error->result() & kPrimaryCode) == SQLITE_FULL;
    damaged = (error->result() & kPrimaryCode) == SQLITE_CORRUPT || (error->result() & kPrimaryCode) == SQLITE_NOTADB;
    if (session_ != nullptr && (error->result() & kPrimaryCode) == SQLITE_IOERR) full = no_room(*session_);
  }
  if (damaged) {
    // A backup would hand out once more what was handed out since.
    return {false, file_ + ": is damaged (" + one_line(thrown) +
                       "); stop the KME, move it away and start again with a " + "new store, never with a backup: mv " +
                       file_ + ' ' + file_ + ".damaged; rm -f " + file_ + "-wal"};
  }
  return {full, file_ + ": " + one_line(thrown)};
}

}  // namespace

Stored<std::unique_ptr<Backend>> sqlite_backend(std::string_view file) {
  constexpr std::string_view kUnusable("\"\0", 2);
  if (file.empty() || file.find_first_of(kUnusable) != std::string_view::npos) {
    return std::unexpected(refused("sqlite: needs the name of a file, without quotation marks"));
  }
  // Absolute, so that no name means something else to SQLite, as ":memory:" would.
  std::error_code error;
  const std::string name = std::filesystem::absolute(file, error).string();
  if (error) return std::unexpected(refused(std::string(file) + ": " + error.message()));
  // The lock comes first: opening and closing the file here would take away the locks of a store that is open.
  Stored<files::Descriptor> lock = lock_file(name + ".lock");
  if (!lock) return std::unexpected(std::move(lock.error()));
  QSP_TRY(make_private_file(name, lock->get()));
  return std::make_unique<SqliteBackend>(name, std::move(*lock));
}

std::string one_line(const std::exception& thrown) {
  constexpr std::size_t kMaxText = 300;
  const auto* error = dynamic_cast<const soci::soci_error*>(&thrown);
  std::string text = error != nullptr ? error->get_error_message() : thrown.what();
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  text.resize(std::min(text.size(), kMaxText));
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

}  // namespace qsp::kme::store
