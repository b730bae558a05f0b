#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cli/kme_keys.hpp"
#include "keysource/budget.hpp"
#include "keysource/pad_source.hpp"
#include "net/connection.hpp"

namespace qsp::cli {

/// The sources of QKD keys of a process, and the budget of each peer (SPEC §5.7): pads for the SAE IDs that have one,
/// the KME for all others. May be shared by threads. Answers come on any thread, also within fetch.
class QkdKeys final : public keysource::KeySource {
 public:
  /// `pads` are "SAE-ID=FILE". The error is one line that names the file and the remedy.
  static std::expected<std::unique_ptr<QkdKeys>, std::string> open(const std::vector<std::string>& pads,
                                                                   const KmeOptions& kme);

  /// Takes one fetch from the budget of this peer. Nothing: taken. Else: when the next one is free.
  std::optional<Instant> spend(const std::string& sae_id, Instant now);
  /// Whether this peer's keys are simulated and nobody was told yet.
  bool must_tell_simulated(const std::string& sae_id);
  /// No answer comes any more.
  void stop();

  keysource::Ticket fetch(keysource::Request request, keysource::Done done) override;
  void cancel(keysource::Ticket ticket) override;
  [[nodiscard]] std::optional<keysource::SourceStatus> status(std::string_view sae_id) const override;

 private:
  keysource::PadSource pads_;
  std::unique_ptr<KmeKeys> kme_;  ///< null: there is none
  std::mutex mutex_;              ///< of the others
  keysource::QkdBudget budget_;
  std::set<std::string> told_simulated_;
};

/// Answers the sessions of one thread from those sources, on their own loop. What comes after a connection's end is
/// burned.
class QkdDelivery final : public net::KeyDelivery {
 public:
  explicit QkdDelivery(QkdKeys& keys);
  ~QkdDelivery() override;
  QkdDelivery(const QkdDelivery&) = delete;
  QkdDelivery& operator=(const QkdDelivery&) = delete;

  void fetch(net::Connection& connection, const QkdKeyNeeded& needed) override;
  void forget(net::Connection& connection) override;

 private:
  class Waiting;
  void ask(net::Connection& connection, const QkdKeyNeeded& needed);
  void hand_over(net::Connection& connection, const std::string& sae_id, keysource::Answer answer);

  QkdKeys& keys_;
  std::shared_ptr<Waiting> waiting_;  ///< shared with the answers that are under way on other threads
};

}  // namespace qsp::cli
