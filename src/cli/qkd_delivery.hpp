#pragma once

#include <expected>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cli/kme_keys.hpp"
#include "cli/rekey_pace.hpp"
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

  /// Whether keys of this peer can come from anywhere: there is a pad for it, or a KME.
  [[nodiscard]] bool has_source_for(std::string_view sae_id) const;
  [[nodiscard]] bool has_any_source() const noexcept { return any_source_; }

  /// Takes one fetch from the budget of this peer. Nothing: taken. Else: when the next one is free.
  std::optional<Instant> spend(const std::string& sae_id, Instant now);
  /// What changes the pace of rekeys with each peer.
  [[nodiscard]] PeerPaces& paces() noexcept { return paces_; }
  [[nodiscard]] const PeerPaces& paces() const noexcept { return paces_; }
  /// Whether this peer's keys are simulated and nobody was told yet.
  bool must_tell_simulated(const std::string& sae_id);
  /// No answer comes any more.
  void stop();

  keysource::Ticket fetch(keysource::Request request, keysource::Done done) override;
  void cancel(keysource::Ticket ticket) override;
  [[nodiscard]] std::optional<keysource::SourceStatus> status(std::string_view sae_id) const override;
  std::optional<keysource::Supply> supply(std::string_view sae_id) override;

 private:
  /// Takes one enc_keys more from the peer's budget, and logs why.
  bool may_ask_again(const keysource::FurtherCall& call);
  static void tell_abandoned(const keysource::AbandonedCall& call);

  keysource::PadSource pads_;
  bool any_source_ = false;
  PeerPaces paces_;
  std::mutex mutex_;  ///< of the others
  keysource::QkdBudget budget_;
  std::set<std::string> told_simulated_;
  std::unique_ptr<KmeKeys> kme_;  ///< null: there is none. Its thread uses the others, so it goes first
};

/// Answers the sessions of one thread from those sources, on their own loop. What comes after a connection's end is
/// burned. Where the pace of rekeys follows the KME's supply, the options of the sessions have its floor as interval.
class QkdDelivery final : public net::KeyDelivery {
 public:
  QkdDelivery(QkdKeys& keys, Role role);
  ~QkdDelivery() override;
  QkdDelivery(const QkdDelivery&) = delete;
  QkdDelivery& operator=(const QkdDelivery&) = delete;

  void fetch(net::Connection& connection, const QkdKeyNeeded& needed) override;
  void forget(net::Connection& connection) override;
  std::optional<Instant> next_rekey(const net::Connection& connection, Instant epoch_began, Instant now) override;

 private:
  class Waiting;
  void ask(net::Connection& connection, const QkdKeyNeeded& needed);
  void hand_over(net::Connection& connection, const std::string& sae_id, Instant deadline, keysource::Answer answer);

  QkdKeys& keys_;
  Role role_;
  std::unordered_map<const net::Connection*, std::string> peers_;  ///< the SAE IDs of sessions that use QKD keys
  std::shared_ptr<Waiting> waiting_;  ///< shared with the answers that are under way on other threads
};

}  // namespace qsp::cli
