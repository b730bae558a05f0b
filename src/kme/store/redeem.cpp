#include <algorithm>
#include <set>
#include <stdexcept>

#include "kme/store/sql.hpp"
#include "kme/store/text.hpp"

namespace qsp::kme::store {
namespace {

/// Of two reasons, the one that decides: not even the peer can help where a key is gone, and who was not named learns
/// nothing else.
NotRedeemed worse(NotRedeemed a, NotRedeemed b) noexcept {
  for (const NotRedeemed first : {NotRedeemed::NotNamed, NotRedeemed::NotFound}) {
    if (a == first || b == first) return first;
  }
  return NotRedeemed::Unknown;
}

}  // namespace

Stored<std::expected<std::vector<TakenKey>, NotRedeemed>> SqlStore::redeem(const RedeemRequest& request, UnixTime now) {
  using Answer = std::expected<std::vector<TakenKey>, NotRedeemed>;
  return guarded<Answer>([&] { return redeem_keys(request, now); });
}

std::expected<std::vector<TakenKey>, NotRedeemed> SqlStore::redeem_keys(const RedeemRequest& request, UnixTime now) {
  if (request.key_ids.size() > etsi014::kMaxKeysPerMessage) {
    throw std::invalid_argument("redeem: more keys than one message may name");
  }
  // Grants are locked in the order of their IDs, so that two instances that are asked for the same keys in another
  // order do not wait for each other. Nothing changes before every key is known to be there.
  const std::set<Uuid> ids(request.key_ids.begin(), request.key_ids.end());
  std::optional<NotRedeemed> why_not;
  if (ids.size() < request.key_ids.size()) why_not = NotRedeemed::NotFound;
  std::map<Uuid, Redemption> found;
  for (const Uuid& id : ids) {
    std::expected<Redemption, NotRedeemed> redemption = find_key(id, request, now);
    if (redemption) {
      found.emplace(id, std::move(*redemption));
    } else {
      why_not = worse(why_not.value_or(redemption.error()), redemption.error());
    }
  }
  if (why_not) return std::unexpected(*why_not);

  std::vector<TakenKey> keys;
  keys.reserve(request.key_ids.size());
  for (const Uuid& id : request.key_ids) {
    Redemption& redemption = found.at(id);
    hand_out(redemption, request.slave);
    keys.push_back(std::move(redemption.key));
  }
  return keys;
}

std::expected<SqlStore::Redemption, NotRedeemed> SqlStore::find_key(const Uuid& key_id, const RedeemRequest& request,
                                                                    UnixTime now) {
  Row& in = statements().in;
  Row& out = statements().out;
  in.id = uuid_text(key_id);
  bool granted = false;
  each_row(statements().find_grant, [&] { granted = true; });
  if (!granted) return std::unexpected(why_no_grant(key_id, now));
  if (out.expires <= now) return std::unexpected(NotRedeemed::NotFound);
  if (out.master != request.master) return std::unexpected(NotRedeemed::NotNamed);

  const auto size = static_cast<std::size_t>(out.size);
  Redemption redemption{{key_id, etsi014::KeyMaterial(size), false}, out.link, split_uuids(out.pieces), false};
  const std::vector<Uuid>& pieces = redemption.pieces;
  if (pieces.size() != pieces_of(redemption.key.key.size())) {
    throw std::runtime_error("a grant is of another size than its pieces: the store is damaged");
  }
  if (const auto why_not = check_slave(request.slave, redemption.last)) return std::unexpected(*why_not);
  for (std::size_t index = 0; index < pieces.size(); ++index) {
    in.id = uuid_text(pieces[index]);
    bool here = false;
    each_row(statements().find_piece, [&] { here = out.state == static_cast<long long>(PieceState::Granted); });
    if (!here) return std::unexpected(NotRedeemed::NotFound);
    join(redemption.key.key, index, take_piece(out.bytes));
    redemption.key.simulated |= out.simulated != 0;
  }
  return redemption;
}

/// Whether the grant of in.id is for this slave, which has not had it, and for no other any more.
std::optional<NotRedeemed> SqlStore::check_slave(const std::string& slave, bool& last) {
  const Row& out = statements().out;
  std::optional<NotRedeemed> why_not = NotRedeemed::NotNamed;
  last = true;
  each_row(statements().slaves, [&] {
    const bool done = out.done != 0;
    if (out.slave != slave) {
      last = last && done;
    } else if (done) {
      why_not = NotRedeemed::NotFound;
    } else {
      why_not = std::nullopt;
    }
  });
  return why_not;
}

NotRedeemed SqlStore::why_no_grant(const Uuid& key_id, UnixTime now) {
  const Row& out = statements().out;
  const bool waits = piece_exists(key_id) && out.owner == 1 && is_waiting(out.state) && out.expires > now;
  return waits ? NotRedeemed::Unknown : NotRedeemed::NotFound;
}

void SqlStore::hand_out(const Redemption& redemption, const std::string& slave) {
  Row& in = statements().in;
  in.id = uuid_text(redemption.key.key_id);
  if (!redemption.last) {
    in.slave = slave;
    run(statements().mark_slave);
    return;
  }
  run(statements().remove_grant);
  remove_pieces(redemption.pieces);
  change_of(redemption.link).granted -= static_cast<long long>(redemption.pieces.size());
}

}  // namespace qsp::kme::store
