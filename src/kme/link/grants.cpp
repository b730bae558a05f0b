// What this side tells its peer of the keys that it gave, and asks it.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <iterator>
#include <utility>

#include "kme/link/peer_link.hpp"

namespace qsp::kme::link {
namespace {

constexpr std::size_t kMaxUnsent = 4096;
/// Others may go out while the peer still writes the last to its disk: a slave asks at once.
constexpr std::size_t kMaxAnnouncements = 6;

std::vector<Uuid> ids_of(const std::vector<Grant>& grants) {
  std::vector<Uuid> ids(grants.size());
  std::ranges::transform(grants, ids.begin(), &Grant::key_id);
  return ids;
}

}  // namespace

void PeerLink::announce(std::vector<Grant> grants) {
  // Where some are unsent already, a coroutine is about to take them.
  const bool begins = unsent_.empty() && !grants.empty() && announcements_ < kMaxAnnouncements;
  for (Grant& grant : grants) {
    if (unsent_.size() >= kMaxUnsent) break;
    announcing_.insert(grant.key_id);
    unsent_.push_back(std::move(grant));
  }
  if (!begins) return;
  ++announcements_;
  boost::asio::co_spawn(loop_.executor(), announce_all(), boost::asio::detached);
}

Awaitable<void> PeerLink::announce_all() {
  const std::shared_ptr<bool> alive = alive_;
  // So that the keys which were given in the same transaction go in one message.
  co_await boost::asio::post(loop_.executor(), https::kAwait);
  while (*alive && !unsent_.empty()) {
    const auto end = unsent_.begin() + static_cast<std::ptrdiff_t>(std::min(unsent_.size(), kBatch));
    std::vector<Grant> grants(std::move_iterator(unsent_.begin()), std::move_iterator(end));
    unsent_.erase(unsent_.begin(), end);
    const std::vector<Uuid> ids = ids_of(grants);
    const bool sent = co_await send_grants(std::move(grants));
    if (!*alive) co_return;
    for (const Uuid& id : ids) announcing_.erase(id);
    if (sent) continue;
    for (const Grant& grant : unsent_) announcing_.erase(grant.key_id);
    unsent_.clear();
  }
  if (*alive) --announcements_;
}

/// True once the peer has them and this side has noted that.
Awaitable<bool> PeerLink::send_grants(std::vector<Grant>&& grants) {
  if (grants.empty()) co_return true;
  const std::shared_ptr<bool> alive = alive_;
  std::vector<Uuid> ids = ids_of(grants);
  const SecretBytes body = to_json(GrantsMessage{std::move(grants)});
  const auto answer = co_await post("grants", body);
  if (!*alive || answer == nullptr) co_return false;
  StoreQueue::Job job = [name = config_.name, ids = std::move(ids)](Store& store) {
    return store.announced(name, ids);
  };
  const Stored<void> done = co_await committed(loop_, queue_, std::move(job));
  co_return done.has_value();
}

void PeerLink::ask(std::vector<Uuid> key_ids, std::move_only_function<void(std::optional<std::vector<Grant>>)> done) {
  boost::asio::co_spawn(loop_.executor(), ask_peer(std::move(key_ids), std::move(done)), boost::asio::detached);
}

Awaitable<void> PeerLink::ask_peer(std::vector<Uuid> key_ids,
                                   std::move_only_function<void(std::optional<std::vector<Grant>>)> done) {
  const std::shared_ptr<bool> alive = alive_;
  const SecretBytes body = to_json(IdsMessage{std::move(key_ids)});
  const auto answer = co_await post("wanted", body);
  if (!*alive) co_return;
  if (answer == nullptr) co_return done(std::nullopt);
  auto message = parse_grants(answer->reveal_text());
  if (!message) co_return done(std::nullopt);
  for (Grant& grant : message->grants) grant.link = config_.name;
  done(std::move(message->grants));
}

}  // namespace qsp::kme::link
