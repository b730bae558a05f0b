#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "e91/local/local_link.hpp"
#include "e91/station/kme_feed.hpp"
#include "e91/station/process_events.hpp"
#include "net/loop.hpp"
#include "node/refused.hpp"
#include "qsp/crypto.hpp"

namespace qsp::e91::station {

/// What a link with both its stations in one process is made from.
struct FeedProcessConfig {
  std::string link_file;
  std::string eve = "none", eve_file;
  std::uint64_t block_bits = 500'000;
  KmeFeedOptions kme_a, kme_b;  ///< the second has link, authorities, revocation lists and TLS 1.2 from the first
};

/// A link and both stations, which feed two KMEs with blocks, one after the other, as long as both want keys.
class FeedProcess {
 public:
  /// Reads all files. `events` outlives it.
  static std::expected<std::unique_ptr<FeedProcess>, node::Refused> open(const FeedProcessConfig& config,
                                                                         ProcessEvents& events);
  ~FeedProcess();
  FeedProcess(const FeedProcess&) = delete;
  FeedProcess& operator=(const FeedProcess&) = delete;

  [[nodiscard]] net::Loop& loop() noexcept { return loop_; }
  /// Until stop().
  void run();
  void stop() { loop_.io().stop(); }

 private:
  class Blocks;

  FeedProcess();

  std::unique_ptr<crypto::Provider> provider_;
  std::unique_ptr<local::LocalLink> link_;
  net::Loop loop_;
  std::unique_ptr<KmeFeed> a_, b_;
  std::unique_ptr<Blocks> blocks_;
};

}  // namespace qsp::e91::station
