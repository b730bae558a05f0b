#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "keysource/budget.hpp"
#include "keysource/pad_source.hpp"
#include "net/connection.hpp"

namespace qsp::cli {

/// The sources of QKD keys of a process, and the budget of each peer (SPEC §5.7). May be shared by threads.
class QkdKeys {
 public:
  /// `pads` are "SAE-ID=FILE". The error is one line that names the file and the remedy.
  static std::expected<std::unique_ptr<QkdKeys>, std::string> open(const std::vector<std::string>& pads);

  /// Takes one fetch from the budget of this peer. Nothing: taken. Else: when the next one is free.
  std::optional<Instant> spend(const std::string& sae_id, Instant now);
  keysource::KeySource& source() noexcept { return pads_; }

 private:
  keysource::PadSource pads_;
  std::mutex mutex_;
  keysource::QkdBudget budget_;
};

/// Answers the sessions of one thread from those sources.
class QkdDelivery final : public net::KeyDelivery {
 public:
  explicit QkdDelivery(QkdKeys& keys) noexcept : keys_(keys) {}
  void fetch(net::Connection& connection, const QkdKeyNeeded& needed) override;

 private:
  void ask(net::Connection& connection, const QkdKeyNeeded& needed);

  QkdKeys& keys_;
};

}  // namespace qsp::cli
