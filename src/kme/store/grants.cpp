// Keys that are handed out, and what each side is told of them.
#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "kme/store/sql.hpp"
#include "kme/store/text.hpp"

namespace qsp::kme::store {
namespace {

constexpr std::size_t kMaxSlaves = etsi014::kMaxAdditionalSaes + 1;

bool well_formed(const Grant& grant) {
  if (grant.size == 0 || grant.size > etsi014::kMaxKeySize || grant.pieces.size() != pieces_of(grant.size))
    return false;
  if (grant.slaves.empty() || grant.slaves.size() > kMaxSlaves || grant.key_id != grant.pieces.front()) return false;
  return std::set(grant.pieces.begin(), grant.pieces.end()).size() == grant.pieces.size();
}

}  // namespace

Stored<Taken> SqlStore::take(const TakeRequest& request, UnixTime now) {
  return guarded<Taken>([&] { return take_keys(request, now); });
}

Taken SqlStore::take_keys(const TakeRequest& request, UnixTime now) {
  if (request.size == 0 || request.size > etsi014::kMaxKeySize || request.number > etsi014::kMaxKeysPerMessage ||
      request.slaves.empty() || request.slaves.size() > kMaxSlaves) {
    throw std::invalid_argument("take: a size, a number of keys or of slaves out of its bounds");
  }
  const std::size_t per_key = pieces_of(request.size);
  const std::size_t needed = per_key * request.number;
  const Row& out = statements().out;
  Row& in = statements().in;
  in.link = request.link;
  in.expires = now;
  in.limit = static_cast<long long>(needed);

  Taken taken;
  auto& [keys, grants] = taken;
  std::size_t found = 0;
  each_row(statements().ready_pieces, [&] {
    const std::size_t index = found++ % per_key;
    const Uuid id = read_uuid(out.id);
    if (index == 0) {
      keys.push_back({id, etsi014::KeyMaterial(request.size), false});
      grants.push_back({id, request.link, request.master, request.slaves, request.size, {}, out.expires});
    }
    join(keys.back().key, index, take_piece(statements().out.bytes));
    keys.back().simulated |= out.simulated != 0;
    grants.back().pieces.push_back(id);
    grants.back().expires = std::min<UnixTime>(grants.back().expires, out.expires);
  });
  if (found < needed) return {};

  for (const Grant& grant : grants) {
    if (!backend_->dialect().joins_writes) remove_pieces(grant.pieces);
    add_grant(grant, Owner::Here);
  }
  Tally& change = change_of(request.link);
  change.ready -= static_cast<long long>(needed);
  change.unannounced += static_cast<long long>(grants.size());
  return taken;
}

void SqlStore::add_grant(const Grant& grant, Owner owner) {
  Row& in = statements().in;
  in.id = uuid_text(grant.key_id);
  in.owner = owner == Owner::Here ? 0 : 1;
  in.link = grant.link;
  in.master = grant.master;
  in.size = grant.size;
  in.expires = grant.expires;
  in.pieces = join_uuids(grant.pieces);
  const std::set<std::string_view> slaves(grant.slaves.begin(), grant.slaves.end());
  bool has_first = backend_->dialect().joins_writes;
  in.slave = *slaves.begin();
  run(statements().add_grant);
  for (const std::string_view slave : slaves) {
    if (std::exchange(has_first, false)) continue;
    in.slave = slave;
    run(statements().add_slave);
  }
}

Grant SqlStore::grant_of_row(std::string_view link) {
  const Row& out = statements().out;
  return {.key_id = read_uuid(out.id),
          .link = std::string(link),
          .master = out.master,
          .slaves = {},
          .size = static_cast<std::uint32_t>(out.size),
          .pieces = split_uuids(out.pieces),
          .expires = out.expires};
}

void SqlStore::read_slaves(Grant& grant) {
  statements().in.id = uuid_text(grant.key_id);
  each_row(statements().slaves, [&] { grant.slaves.push_back(statements().out.slave); });
}

Stored<std::vector<Grant>> SqlStore::unannounced(std::string_view link, std::size_t most) {
  return guarded<std::vector<Grant>>([&] {
    std::vector<Grant> grants;
    statements().in.link = link;
    statements().in.limit = static_cast<long long>(most);
    each_row(statements().unannounced, [&] { grants.push_back(grant_of_row(link)); });
    for (Grant& grant : grants) read_slaves(grant);
    return grants;
  });
}

Stored<std::optional<Grant>> SqlStore::find_unannounced(std::string_view link, const Uuid& key_id) {
  return guarded<std::optional<Grant>>([&] {
    std::optional<Grant> grant;
    statements().in.link = link;
    statements().in.id = uuid_text(key_id);
    each_row(statements().find_unannounced, [&] { grant = grant_of_row(link); });
    if (grant) read_slaves(*grant);
    return grant;
  });
}

Stored<void> SqlStore::announced(std::string_view link, std::span<const Uuid> key_ids) {
  return guarded<void>([&] {
    statements().in.link = link;
    statements().in.ids = list_uuids(key_ids);
    change_of(link).unannounced -= run(statements().remove_grants);
  });
}

Stored<void> SqlStore::accept(const Grant& grant) {
  return guarded<void>([&] { accept_grant(grant); });
}

void SqlStore::accept_grant(const Grant& grant) {
  if (!well_formed(grant)) return;
  const Row& out = statements().out;
  Row& in = statements().in;
  Grant accepted = grant;
  // In the order in which redeem locks them, so that the two never wait for each other.
  for (const Uuid& id : grant.pieces) {
    if (!piece_exists(id) || out.link != grant.link || out.owner != 1 || !is_waiting(out.state)) return;
    // The peer cannot make a grant outlive its pieces.
    accepted.expires = std::min<UnixTime>(accepted.expires, out.expires);
  }
  for (const Uuid& id : grant.pieces) {
    in.id = uuid_text(id);
    run(statements().grant_piece);
  }
  add_grant(accepted, Owner::There);
  Tally& change = change_of(grant.link);
  change.there -= static_cast<long long>(grant.pieces.size());
  change.granted += static_cast<long long>(grant.pieces.size());
}

}  // namespace qsp::kme::store
