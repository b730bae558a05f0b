#pragma once

#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keysource/budget.hpp"
#include "keysource/pad_source.hpp"
#include "node/end_config.hpp"
#include "node/kme_keys.hpp"
#include "node/log.hpp"
#include "node/rekey_pace.hpp"
#include "qsp/key_source.hpp"

namespace qsp::node {

/// The sources of QKD keys of a process, and the budget of each peer (SPEC §5.7): pads for the SAE IDs that have one,
/// the KME for all others. May be shared by threads. Answers come on any thread, also within fetch.
class QkdKeys final : public keysource::KeySource {
 public:
  /// The error is one line that names the file and the remedy.
  static std::expected<std::unique_ptr<QkdKeys>, std::string> open(const std::vector<PadFile>& pads,
                                                                   const KmeAccess& kme, Log log = {},
                                                                   NameSetting name = field_name);
  explicit QkdKeys(Log log) : log_(std::move(log)), paces_(log_) {}

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
  [[nodiscard]] const Log& log() const noexcept { return log_; }

  keysource::Ticket fetch(keysource::Request request, keysource::Done done) override;
  void cancel(keysource::Ticket ticket) override;
  [[nodiscard]] std::optional<keysource::SourceStatus> status(std::string_view sae_id) const override;
  std::optional<keysource::Supply> supply(std::string_view sae_id) override;

 private:
  /// Takes one enc_keys more from the peer's budget, and logs why.
  bool may_ask_again(const keysource::FurtherCall& call);
  void tell_abandoned(const keysource::AbandonedCall& call) const;

  Log log_;
  keysource::PadSource pads_;
  bool any_source_ = false;
  PeerPaces paces_;
  std::mutex mutex_;  ///< of the others
  keysource::QkdBudget budget_;
  std::set<std::string> told_simulated_;
  std::unique_ptr<KmeKeys> kme_;  ///< null: there is none. Its thread uses the others, so it goes first
};

}  // namespace qsp::node
