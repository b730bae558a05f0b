#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "https/await.hpp"
#include "https/client.hpp"
#include "https/server.hpp"
#include "kme/config/config.hpp"
#include "kme/link/feed_report.hpp"
#include "kme/link/messages.hpp"
#include "kme/link/producer.hpp"
#include "kme/store/await.hpp"
#include "kme/store/queue.hpp"
#include "net/loop.hpp"

namespace qsp::kme::link {

using https::Awaitable;

/// What is known of a link now.
struct LinkState {
  bool peer_reachable = false;  ///< and the two have compared what was given
  bool leading = false;         ///< this instance is the one of its site that produces and announces
  PoolCounts counts;            ///< as of the last round that the store allowed
  Instant counts_at = Instant::min();
  std::uint64_t produced = 0, received = 0, expired = 0;
  std::string problem;             ///< the last one, for people; empty while all is well
  bool simulated = false;          ///< some key, or a report of a feeder, said so; RandomProducer's keys always are
  std::optional<FeedReport> feed;  ///< what a feeder said last
  Instant feed_at = Instant::min();

  /// Seconds since the feeder's last report, and since the end of the block that it tells of, as far as it says: a
  /// feeder that makes no more blocks goes on reporting the last one. Precondition: there is a report.
  [[nodiscard]] double report_age(Instant now) const noexcept;
  [[nodiscard]] double news_age(Instant now) const noexcept;
};

/// One link to another KME: keeps the pool filled, tells the peer which keys exist and to whom they were given, and
/// answers what it asks. A peer that is down delays all this; nothing is lost or given twice.
///
/// Lives on one loop; every member is called from its thread.
class PeerLink {
 public:
  /// All arguments outlive the link. `producer` may be null. The error names the file and the remedy.
  static files::OrText<std::unique_ptr<PeerLink>> make(net::Loop& loop, StoreQueue& queue, const Config& config,
                                                       const PeerLinkConfig& link, const Faults& faults,
                                                       Producer* producer);
  PeerLink(const PeerLink&) = delete;
  PeerLink& operator=(const PeerLink&) = delete;
  ~PeerLink();

  [[nodiscard]] const PeerLinkConfig& config() const noexcept { return config_; }
  [[nodiscard]] const LinkState& state() const noexcept { return state_; }

  /// Clients of the peer, one for each URL, from the files as they are now. The error names the file and the remedy.
  [[nodiscard]] files::OrText<std::vector<std::shared_ptr<https::Client>>> make_clients() const;
  /// Takes them into use. Every connection of the old ones is closed; an answer that one of them still brings is as
  /// good as lost.
  void adopt(std::vector<std::shared_ptr<https::Client>> clients) noexcept { peers_ = std::move(clients); }

  /// Begins the rounds. They end with the link.
  void start();
  /// Ends the rounds; what comes in is answered still.
  void stop();
  /// Keys were given, and that is on disk: tells the peer, so that it knows before their slaves ask. What it does not
  /// take now, a later round finds in the store.
  void announce(std::vector<Grant> grants);
  /// dec_keys asks for keys of which no grant has come: asks the peer, which may know. `done`: its grants, to be
  /// accepted; nothing where it does not answer.
  void ask(std::vector<Uuid> key_ids, std::move_only_function<void(std::optional<std::vector<Grant>>)> done);
  /// A call of the peer, or of a feeder, to /link/v1/NAME/`what`.
  void handle(std::string_view what, https::Request request, https::Respond respond);

 private:
  /// Keys drawn, sent or announced at a time.
  static constexpr std::size_t kBatch = 256;
  static_assert(kBatch <= kMaxLinkItems);

  /// What one look at the store found.
  struct Round {
    std::vector<NewPiece> fresh;
    std::vector<Grant> grants;
  };

  PeerLink(net::Loop& loop, StoreQueue& queue, const Config& config, const PeerLinkConfig& link, const Faults& faults,
           Producer* producer);

  Awaitable<void> run();
  Awaitable<bool> round();
  Awaitable<Stored<void>> look(Round& round);
  Awaitable<bool> send_fresh(Round& round);
  Awaitable<bool> send_grants(std::vector<Grant>&& grants);
  Awaitable<void> announce_all();
  Awaitable<bool> greet();
  Awaitable<bool> compare();
  Awaitable<bool> compare_supply(bool fresh, std::uint64_t& withdrawn);
  Awaitable<Stored<void>> produce();
  Awaitable<void> ask_peer(std::vector<Uuid> key_ids,
                           std::move_only_function<void(std::optional<std::vector<Grant>>)> done);
  /// POSTs to the peer: the body of a 2xx answer, or nothing.
  Awaitable<std::shared_ptr<SecretBytes>> post(std::string_view what, const SecretBytes& body);
  /// When a key drawn now ends. The side that does not own it keeps it longer: clocks differ.
  [[nodiscard]] UnixTime expiry(Owner owner) const;
  /// The life of a fed key counts from when both sides are known to have it; that of others stays.
  [[nodiscard]] Lives confirmed_lives() const;
  void note(std::string problem);
  void reached(bool answered);

  // link_calls.cpp
  void take_keys(https::Request request, https::Respond respond);
  void take_report(const https::Request& request, https::Respond respond);
  void compare_ids(const https::Request& request, https::Respond respond);
  void take_grants(const https::Request& request, https::Respond respond);
  void tell_grants(const https::Request& request, https::Respond respond);
  void tell_spent(const https::Request& request, https::Respond respond);
  /// Runs a job and answers with `result`.
  void submit(StoreQueue::Job job, https::Respond respond, std::move_only_function<https::Response()> result);

  net::Loop& loop_;
  StoreQueue& queue_;
  const PeerLinkConfig& config_;
  const Faults& faults_;
  Producer* producer_;
  const https::TlsFiles& tls_;
  std::vector<std::shared_ptr<https::Client>> peers_;  ///< a call under way holds its own
  std::size_t peer_ = 0;                               ///< the one that answered last
  LinkState state_;
  net::Timer timer_;
  Instant tidy_at_ = Instant::min();
  Instant draw_few_at_ = Instant::min();  ///< before, only a whole batch is drawn
  bool hurry_ = false;
  /// Nothing is given out before: a store may have been restored from a backup while its KME was down.
  bool compared_ = false;
  std::deque<Grant> unsent_;       ///< given, not announced, and in no message yet
  std::set<Uuid> announcing_;      ///< in unsent_ or in a message that is under way
  std::size_t announcements_ = 0;  ///< messages under way
  bool stopping_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace qsp::kme::link
