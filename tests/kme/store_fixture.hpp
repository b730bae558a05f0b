#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "files/temp_folder.hpp"
#include "kme/postgres.hpp"
#include "kme/store/store.hpp"

namespace qsp::kme::test {

inline constexpr UnixTime kNow = 1'700'000'000'000;
inline constexpr UnixTime kLater = kNow + 1'000'000;
inline constexpr std::uint64_t kRoom = 10'000'000;
inline const std::string kLink = "kme-b";

/// The value, or an exception that says why there is none: GoogleTest reports it as a failure.
template <class T>
T must(Stored<T> value) {
  if (!value) throw std::runtime_error(value.error().text);
  if constexpr (!std::is_void_v<T>) return std::move(*value);
}

/// What `action` returns, committed.
template <class Action>
auto commit(Store& store, Action action) {
  must(store.begin());
  auto value = must(action());
  must(store.commit());
  return value;
}
template <class Action>
void commit_void(Store& store, Action action) {
  must(store.begin());
  must(action());
  must(store.commit());
}

inline Uuid id_of(std::uint64_t number) {
  Uuid id{};
  std::memcpy(id.data(), &number, sizeof number);
  return id;
}

/// A byte of the piece of that number: the same on both sides.
inline std::uint8_t byte_of(std::uint64_t number, std::size_t index) {
  return static_cast<std::uint8_t>((number * 2'654'435'761U >> (index % 24)) + index * 7);
}

inline NewPiece new_piece(std::uint64_t number, Owner owner, bool simulated = false) {
  NewPiece piece{.id = id_of(number),
                 .bytes = Piece(),
                 .owner = owner,
                 .simulated = simulated,
                 .confirmed = owner == Owner::There,
                 .expires = kLater};
  for (std::size_t i = 0; i < kPieceSize; ++i) piece.bytes.writable()[i] = byte_of(number, i);
  return piece;
}

inline std::vector<NewPiece> new_pieces(std::uint64_t first, std::uint64_t count, Owner owner,
                                        UnixTime expires = kLater) {
  std::vector<NewPiece> pieces;
  for (std::uint64_t i = 0; i < count; ++i) {
    pieces.push_back(new_piece(first + i, owner));
    pieces.back().expires = expires;
  }
  return pieces;
}

inline std::vector<Uuid> ids_of(std::uint64_t first, std::uint64_t count) {
  std::vector<Uuid> ids;
  for (std::uint64_t i = 0; i < count; ++i) ids.push_back(id_of(first + i));
  return ids;
}

inline std::vector<std::uint8_t> bytes_of(const TakenKey& key) {
  return {key.key.reveal().begin(), key.key.reveal().end()};
}

inline TakeRequest request_of(std::uint32_t number, std::uint32_t size = 32,
                              std::vector<std::string> slaves = {"bob"}) {
  return {.link = kLink, .master = "alice", .slaves = std::move(slaves), .size = size, .number = number};
}

/// Adds pieces of this side and confirms them.
inline void fill_here(Store& store, std::uint64_t first, std::uint64_t count, UnixTime expires = kLater) {
  auto pieces = new_pieces(first, count, Owner::Here, expires);
  commit(store, [&] { return store.add(kLink, pieces, kRoom); });
  commit_void(store, [&] { return store.confirm(kLink, ids_of(first, count)); });
}

inline void fill_there(Store& store, std::uint64_t first, std::uint64_t count, UnixTime expires = kLater) {
  auto pieces = new_pieces(first, count, Owner::There, expires);
  commit(store, [&] { return store.add(kLink, pieces, kRoom); });
}

inline PoolCounts counts(Store& store) {
  return commit(store, [&] { return store.counts(kLink); });
}

enum class Kind { Sqlite, Postgresql };

/// Stores of one kind, each with a folder or a database of its own.
class Stores {
 public:
  explicit Stores(Kind kind) : kind_(kind) {}

  /// The URL of a store of that name, always the same.
  std::string url(const std::string& name) {
    if (kind_ == Kind::Sqlite) return "sqlite:" + (folder_ / name);
    auto [at, is_new] = urls_.try_emplace(name);
    if (is_new) at->second = qsp::test::Postgres::shared().new_database();
    return at->second;
  }
  std::unique_ptr<Store> open(const std::string& name) { return must(Store::open(url(name))); }
  [[nodiscard]] const qsp::test::TempFolder& folder() const { return folder_; }

 private:
  Kind kind_;
  qsp::test::TempFolder folder_;
  std::map<std::string, std::string> urls_;
};

class StoreTest : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::Postgresql && !qsp::test::Postgres::missing().empty()) {
      GTEST_SKIP() << qsp::test::Postgres::missing();
    }
    here_ = stores_.open("here");
  }

  /// The store at the other end of the link.
  Store& there() {
    if (!there_) there_ = stores_.open("there");
    return *there_;
  }
  /// Hands the other end all grants of this one.
  std::vector<Grant> announce() {
    auto grants = commit(*here_, [&] { return here_->unannounced(kLink, 10'000); });
    for (Grant grant : grants) {
      commit_void(there(), [&] { return there().accept(grant); });
    }
    return grants;
  }
  std::vector<TakenKey> take(const TakeRequest& request, UnixTime now = kNow) {
    return commit(*here_, [&] { return here_->take(request, now); }).keys;
  }
  std::expected<std::vector<TakenKey>, NotRedeemed> redeem(std::vector<Uuid> ids, const std::string& slave = "bob",
                                                           UnixTime now = kNow, const std::string& master = "alice") {
    return commit(there(), [&] { return there().redeem({slave, master, std::move(ids)}, now); });
  }
  Stores stores_{GetParam()};
  std::unique_ptr<Store> here_, there_;
};

inline std::string name_of(const ::testing::TestParamInfo<Kind>& info) {
  return info.param == Kind::Sqlite ? "sqlite" : "postgresql";
}

}  // namespace qsp::kme::test
