#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "kme/store/backend.hpp"
#include "kme/store/statements.hpp"
#include "kme/store/store.hpp"

namespace qsp::kme::store {

/// A store over a backend, its tables made or checked.
Stored<std::unique_ptr<Store>> open_sql_store(std::unique_ptr<Backend> backend);

/// Whether a piece of the other side in this state waits for its grant.
bool is_waiting(long long state) noexcept;

/// The store over SQL. Its private functions throw what SOCI throws; guarded() turns that into a StoreError and rolls
/// back.
class SqlStore final : public Store {
 public:
  explicit SqlStore(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}
  SqlStore(const SqlStore&) = delete;
  SqlStore& operator=(const SqlStore&) = delete;
  ~SqlStore() override { rollback(); }

  /// Connects, and makes or checks the tables. begin() does it too where the connection was lost.
  Stored<void> connect();

  [[nodiscard]] Stored<void> check_files() const override { return backend_->check_files(); }
  void renew() override {
    statements_.reset();
    backend_->renew();
  }
  Stored<void> begin() override;
  Stored<void> commit() override;
  void rollback() noexcept override;
  Stored<std::vector<Uuid>> add(std::string_view link, std::span<NewPiece> pieces, std::uint64_t capacity) override;
  Stored<std::vector<NewPiece>> fresh(std::string_view link, std::size_t most) override;
  Stored<void> confirm(std::string_view link, std::span<const Uuid> ids, Lives lives) override;
  Stored<std::vector<Uuid>> held(std::string_view link, std::span<const Uuid> ids) override;
  Stored<Taken> take(const TakeRequest& request, UnixTime now) override;
  Stored<std::vector<Grant>> unannounced(std::string_view link, std::size_t most) override;
  Stored<std::optional<Grant>> find_unannounced(std::string_view link, const Uuid& key_id) override;
  Stored<void> announced(std::string_view link, std::span<const Uuid> key_ids) override;
  Stored<void> accept(const Grant& grant) override;
  Stored<std::expected<std::vector<TakenKey>, NotRedeemed>> redeem(const RedeemRequest& request, UnixTime now) override;
  Stored<SupplyPage> supply(std::string_view link, bool fresh, std::int64_t after, std::size_t most) override;
  Stored<std::vector<Uuid>> spent(std::string_view link, std::span<const Uuid> ids) override;
  Stored<std::uint64_t> withdraw(std::string_view link, std::span<const Uuid> ids) override;
  Stored<bool> simulated(std::string_view link) override;
  Stored<PoolCounts> counts(std::string_view link) override;
  Stored<void> probe() override;
  Stored<std::uint64_t> expire(UnixTime now) override;
  Stored<bool> lead(std::string_view link) override;

 private:
  /// A key that a slave may have, and what remains to be done for it.
  struct Redemption {
    TakenKey key;
    std::string link;
    std::vector<Uuid> pieces;
    bool last = false;  ///< no other slave is left
  };

  /// What `action` returns. Where it throws, or no transaction is open: a StoreError, and all is rolled back.
  template <class T, class Action>
  Stored<T> guarded(Action action) {
    if (!open_) return std::unexpected(StoreError{false, "no transaction is open"});
    try {
      if constexpr (std::is_void_v<T>) {
        action();
        return {};
      } else {
        return Stored<T>(action());
      }
    } catch (const std::exception& thrown) {
      return std::unexpected(failed(thrown));
    }
  }
  StoreError failed(const std::exception& thrown);

  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): begin() makes them, and only guarded actions use them
  Statements& statements() noexcept { return *statements_; }

  std::vector<Uuid> add_pieces(std::string_view link, std::span<NewPiece> pieces, std::uint64_t capacity);
  bool add_piece(std::string_view link, const NewPiece& piece);
  bool piece_exists(const Uuid& id);
  Taken take_keys(const TakeRequest& request, UnixTime now);
  /// Precondition: the grant has a slave.
  void add_grant(const Grant& grant, Owner owner);
  void remove_pieces(std::span<const Uuid> ids);
  Grant grant_of_row(std::string_view link);
  void read_slaves(Grant& grant);
  void accept_grant(const Grant& grant);
  std::expected<std::vector<TakenKey>, NotRedeemed> redeem_keys(const RedeemRequest& request, UnixTime now);
  std::expected<Redemption, NotRedeemed> find_key(const Uuid& key_id, const RedeemRequest& request, UnixTime now);
  std::optional<NotRedeemed> check_slave(const std::string& slave, bool& last);
  NotRedeemed why_no_grant(const Uuid& key_id, UnixTime now);
  void hand_out(const Redemption& redemption, const std::string& slave);
  std::uint64_t expire_all(UnixTime now);
  Tally tally_of(std::string_view link);
  Tally& change_of(std::string_view link);
  void write_tallies();

  std::unique_ptr<Backend> backend_;
  std::optional<Statements> statements_;
  std::map<std::string, Tally, std::less<>> changes_;  ///< by this transaction, of each link
  bool open_ = false;                                  ///< between begin and commit
  bool expired_ = false;                               ///< this transaction called expire
};

}  // namespace qsp::kme::store
