#include "driver/keys.hpp"

#include <boost/asio/post.hpp>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace qsp::driver {

/// Who waits for what. An answer from another thread finds its connection here, or none; and while it is here, its loop
/// is alive to be posted to.
class Keys::Waiting : public std::enable_shared_from_this<Keys::Waiting> {
 public:
  std::uint64_t add(net::Connection& connection) {
    const std::lock_guard lock(mutex_);
    entries_.try_emplace(++last_, Entry{.connection = &connection});
    return last_;
  }
  void set_ticket(std::uint64_t id, keysource::Ticket ticket) {
    const std::lock_guard lock(mutex_);
    if (const auto entry = entries_.find(id); entry != entries_.end()) entry->second.ticket = ticket;
  }
  std::vector<keysource::Ticket> remove(const net::Connection& connection) {
    std::vector<keysource::Ticket> tickets;
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const auto& entry) {
      if (entry.second.connection != &connection) return false;
      tickets.push_back(entry.second.ticket);
      return true;
    });
    return tickets;
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    entries_.clear();
  }

  /// From any thread.
  void answer(std::uint64_t id, keysource::Answer answer) {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(id);
    if (entry == entries_.end()) return;
    auto arrived = std::make_shared<keysource::Answer>(std::move(answer));
    boost::asio::post(entry->second.connection->loop().executor(),
                      [self = shared_from_this(), id, arrived = std::move(arrived)] { self->hand_over(id, *arrived); });
  }

 private:
  struct Entry {
    net::Connection* connection;
    keysource::Ticket ticket = 0;
  };

  void hand_over(std::uint64_t id, keysource::Answer& answer) {
    net::Connection* connection = nullptr;
    {
      const std::lock_guard lock(mutex_);
      auto node = entries_.extract(id);
      if (node.empty()) return;
      connection = node.mapped().connection;
    }
    if (!answer) return connection->deliver(std::unexpected(answer.error().why));
    connection->deliver(*std::move(answer));
  }

  std::mutex mutex_;
  std::map<std::uint64_t, Entry> entries_;
  std::uint64_t last_ = 0;
};

Keys::Keys(keysource::KeySource& source) : source_(source), waiting_(std::make_shared<Waiting>()) {}

Keys::~Keys() { waiting_->clear(); }

void Keys::fetch(net::Connection& connection, const QkdKeyNeeded& needed) {
  const std::uint64_t id = waiting_->add(connection);
  waiting_->set_ticket(id, source_.fetch(needed, [waiting = waiting_, id](keysource::Answer answer) {
    waiting->answer(id, std::move(answer));
  }));
}

void Keys::forget(net::Connection& connection) {
  for (const keysource::Ticket ticket : waiting_->remove(connection)) source_.cancel(ticket);
}

}  // namespace qsp::driver
