#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/uuid.hpp"
#include "e91/party/party.hpp"
#include "e91/post/block.hpp"
#include "e91/station/station.hpp"
#include "https/client.hpp"
#include "kme/link/feed_report.hpp"
#include "kme/link/messages.hpp"
#include "net/loop.hpp"

namespace qsp::e91::station {

/// The KME of a station's site.
struct KmeFeedOptions {
  std::string url;
  std::string link;  ///< of the KME
  https::TlsFiles tls;
  std::string server_name;
};

/// Brings a station's keys to its KME, and says how the station is. Keys wait while the KME is down or its pool is
/// full; as long as many wait, none of that owner are wanted. All on one loop's thread.
class KmeFeed {
 public:
  /// Keys of one owner that may wait before no more are wanted. A block brings at most 4096.
  static constexpr std::size_t kEnough = 16;

  /// The error names the file and the remedy. `what` names the KME in logs.
  static files::OrText<std::unique_ptr<KmeFeed>> make(net::Loop& loop, const KmeFeedOptions& options, std::string what);
  KmeFeed(const KmeFeed&) = delete;
  KmeFeed& operator=(const KmeFeed&) = delete;
  ~KmeFeed() = default;

  /// Begins to report. Ends with the object.
  void start();
  void add(std::vector<party::FinalKey>&& keys);
  /// Wipes the keys that wait: the other end has lost its own, and half a key is of no use.
  void drop_waiting();
  /// Of which owners more keys are wanted.
  [[nodiscard]] Owners wanted() const noexcept;
  [[nodiscard]] std::uint64_t delivered() const noexcept { return delivered_; }

  /// A block is over.
  void block_done(const post::BlockReport& report, double slots_per_s);
  /// Why there are no blocks; until the next one, or set_up().
  void set_down(std::string why);
  /// There may be blocks again, as soon as keys are wanted: things are as the last block left them.
  void set_up();

 private:
  KmeFeed(net::Loop& loop, const KmeFeedOptions& options, std::string what);
  void tick();
  void send_keys();
  void send_report();
  /// What became of the batch at the front of the queues.
  void batch_sent(const std::vector<Uuid>& sent, std::expected<https::Response, https::CallFailure> answer);
  void note(std::string problem);
  void set_state();

  std::string what_;
  std::string path_;
  std::unique_ptr<https::Client> client_;
  net::Timer timer_;
  std::deque<party::FinalKey> waiting_[2];  ///< by owner
  Instant next_keys_ = Instant::min();
  Instant next_report_ = Instant::min();
  bool sending_keys_ = false;
  bool sending_report_ = false;
  std::uint64_t delivered_ = 0;
  kme::link::FeedReport report_;
  std::optional<post::Abort> last_abort_;  ///< of the last block
  std::optional<Instant> block_at_;        ///< when it was over
  std::string problem_;
};

}  // namespace qsp::e91::station
