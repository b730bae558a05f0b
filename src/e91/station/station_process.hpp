#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "e91/link/link_file.hpp"
#include "e91/station/classical.hpp"
#include "e91/station/dialler.hpp"
#include "e91/station/end.hpp"
#include "e91/station/kme_feed.hpp"
#include "e91/station/process_events.hpp"
#include "e91/station/server.hpp"
#include "net/loop.hpp"
#include "qsp/crypto.hpp"

namespace qsp::e91::station {

/// What Alice or Bob is made from.
struct StationProcessConfig {
  Side side = Side::Alice;
  StationIdentity identity;
  std::string address;             ///< HOST:PORT of Alice: she listens there, Bob dials it
  std::string peer;                ///< pinned name of the other station
  std::string link = "127.0.0.1";  ///< HOST:PORT of the link
  std::string link_peer = "link";  ///< its pinned name
  std::string link_file;
  std::uint64_t block_bits = 500'000;  ///< Alice's
  KmeFeedOptions kme;
};

/// Alice or Bob whole: a session with the other station, one with the link, and the KME of the site, on one loop. What
/// is down is waited for. Members are for one thread.
class StationProcess {
 public:
  /// Reads all files, and where it is Alice listens. `events` outlives it.
  static std::expected<std::unique_ptr<StationProcess>, node::Refused> open(const StationProcessConfig& config,
                                                                            ProcessEvents& events);
  ~StationProcess();
  StationProcess(const StationProcess&) = delete;
  StationProcess& operator=(const StationProcess&) = delete;

  /// The loop that it runs on, for signals.
  [[nodiscard]] net::Loop& loop() noexcept { return *loop_; }
  /// Where Alice listens.
  [[nodiscard]] std::optional<net::tcp::endpoint> listening() const;

  /// Begins to dial and to report. Once, before run().
  void start();
  /// Until it is stopped. Error: a thread could not be started.
  std::expected<void, std::string> run();
  /// On the loop's thread: says goodbye to the others, and ends run().
  void stop();

 private:
  class Sessions;
  class Later;

  explicit StationProcess(const StationProcessConfig& config);
  std::expected<void, node::Refused> prepare();
  std::expected<void, node::Refused> listen();
  std::expected<void, node::Refused> meet(ProcessEvents& events);

  StationProcessConfig config_;
  net::Address address_, link_address_;
  link::LinkFile link_file_;
  StationPlan plan_;
  std::unique_ptr<crypto::Provider> provider_;
  std::optional<StationEnd> to_link_, with_peer_;
  // In this order, for those behind use those before to their end.
  std::unique_ptr<Later> later_;
  std::unique_ptr<StationServer> server_;  ///< Alice's
  std::unique_ptr<net::Loop> own_loop_;    ///< Bob's
  net::Loop* loop_ = nullptr;
  std::unique_ptr<KmeFeed> feed_;
  std::unique_ptr<Sessions> sessions_;
  std::unique_ptr<Dialler> link_, alice_;
  std::unique_ptr<net::Timer> last_words_;
};

}  // namespace qsp::e91::station
