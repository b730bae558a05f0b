#include <soci/postgresql/soci-postgresql.h>

#include <memory>
#include <set>
#include <stdexcept>

#include "kme/store/backend.hpp"
#include "kme/store/postgres_url.hpp"
#include "kme/store/text.hpp"

namespace qsp::kme::store {
namespace {

// A statement costs a journey to the server and back, which is most of what it costs. So those that belong together go
// as one.
constexpr Dialect kPostgresql{
    .serial = "BIGINT GENERATED ALWAYS AS IDENTITY",
    .uuid = "UUID",
    .lock = " FOR UPDATE",
    .skip_locked = " FOR UPDATE SKIP LOCKED",
    .in_ids = " = ANY (ARRAY(SELECT CAST(json_array_elements_text(CAST(:ids AS JSON)) AS UUID)))",
    .take_before = "WITH chosen AS (",
    .take_after = R"(), gone AS (UPDATE kme_piece SET state = 3, bytes = '' WHERE id = ANY
          (ARRAY(SELECT id FROM chosen)) AND (SELECT COUNT(*) FROM chosen) = :lim RETURNING id)
          SELECT id, simulated, expires, bytes FROM chosen WHERE (SELECT COUNT(*) FROM gone) = :lim)",
    .grant_before = "WITH made AS (",
    .grant_after = R"( RETURNING id) INSERT INTO kme_slave (id, slave, done)
          SELECT id, CAST(:slave AS TEXT), 0 FROM made)",
    .joins_writes = true,
    .probe_size = 16,
    .has_version = "SELECT 1 WHERE to_regclass('kme_version') IS NOT NULL"};

constexpr int kSlots = 16;

class PostgresqlBackend final : public Backend {
 public:
  explicit PostgresqlBackend(PostgresTarget target) : target_(std::move(target)) {}
  PostgresqlBackend(const PostgresqlBackend&) = delete;
  PostgresqlBackend& operator=(const PostgresqlBackend&) = delete;
  ~PostgresqlBackend() override {
    wipe_text(target_.password);
    wipe_text(target_.conninfo);
  }

  [[nodiscard]] const Dialect& dialect() const noexcept override { return kPostgresql; }
  void connect() override;
  [[nodiscard]] bool connected() noexcept override {
    return session_ != nullptr && PQstatus(connection()) == CONNECTION_OK;
  }
  [[nodiscard]] soci::session& session() noexcept override { return *session_; }
  void lock_schema() override { *session_ << "SELECT pg_advisory_xact_lock(hashtextextended('qsp kme tables', 0))"; }
  [[nodiscard]] StoreError explain(const std::exception& thrown) override;
  void forget_deleted() override {}
  bool lead(std::string_view link) override;
  [[nodiscard]] Stored<void> check_files() const override { return check_revocation_lists(target_.revoked); }
  void renew() override { session_.reset(); }
  [[nodiscard]] std::int64_t slot() const noexcept override { return slot_; }

 private:
  [[nodiscard]] PGconn* connection() const noexcept {
    return static_cast<soci::postgresql_session_backend*>(session_->get_backend())->conn_;
  }
  std::string setting(const std::string& name) {
    std::string value;
    *session_ << "SELECT current_setting('" << name << "')", soci::into(value);
    return value;
  }

  PostgresTarget target_;
  std::unique_ptr<soci::session> session_;
  std::set<std::string, std::less<>> led_;  ///< links whose lock this connection holds
  std::int64_t slot_ = 0;
};

void PostgresqlBackend::connect() {
  led_.clear();
  session_.reset();
  if (const auto lists = check_revocation_lists(target_.revoked); !lists) throw std::runtime_error(lists.error().text);
  session_ = std::make_unique<soci::session>(soci::postgresql, target_.conninfo);
  // Details of an error quote rows, which hold keys.
  PQsetErrorVerbosity(connection(), PQERRORS_TERSE);
  PQsetNoticeProcessor(connection(), [](void* /*unused*/, const char* /*notice*/) {}, nullptr);
  *session_ << "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED";
  *session_ << "SET statement_timeout = '30s'";
  *session_ << "SET lock_timeout = '5s'";
  *session_ << "SET idle_in_transaction_session_timeout = '60s'";
  // Every statement is a look-up in an index. Without fresh statistics the planner may prefer to read and sort all
  // pieces.
  for (const std::string_view method : {"seqscan", "bitmapscan", "sort"})
    *session_ << "SET enable_" << method << " = off";
  *session_ << "SET plan_cache_mode = force_generic_plan";
  if (setting("synchronous_commit") == "off") *session_ << "SET synchronous_commit = on";
  if (setting("fsync") == "off") {
    throw std::runtime_error("the server runs with fsync = off, so a crash could hand out a key twice; turn it on");
  }
  int process = 0;
  *session_ << "SELECT pg_backend_pid()", soci::into(process);
  slot_ = process % kSlots;
}

StoreError PostgresqlBackend::explain(const std::exception& thrown) {
  constexpr std::string_view kDiskFull = "53100";
  const auto* error = dynamic_cast<const soci::postgresql_soci_error*>(&thrown);
  const bool full = error != nullptr && error->sqlstate() == kDiskFull;
  std::string text = one_line(thrown);
  const std::string& password = target_.password;
  for (std::size_t at = 0; !password.empty() && (at = text.find(password, at)) != std::string::npos;) {
    text.erase(at, password.size());
  }
  return {full, target_.name + ": " + text};
}

bool PostgresqlBackend::lead(std::string_view link) {
  if (led_.contains(link)) return true;
  const std::string name = "qsp kme lead " + std::string(link);
  int locked = 0;
  *session_ << "SELECT CAST(pg_try_advisory_lock(hashtextextended(:name, 0)) AS INTEGER)", soci::use(name, "name"),
      soci::into(locked);
  if (locked != 0) led_.emplace(link);
  return locked != 0;
}

}  // namespace

Stored<std::unique_ptr<Backend>> postgresql_backend(std::string_view url, bool dangerous_unverified_database) {
  Stored<PostgresTarget> target = read_postgres_url(url, dangerous_unverified_database);
  if (!target) return std::unexpected(std::move(target.error()));
  return std::make_unique<PostgresqlBackend>(std::move(*target));
}

}  // namespace qsp::kme::store
