#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "https/server.hpp"
#include "kme/api/metrics.hpp"
#include "kme/config/config.hpp"
#include "kme/link/peer_link.hpp"
#include "kme/store/faults.hpp"
#include "kme/store/queue.hpp"
#include "net/loop.hpp"

namespace qsp::kme::api {

/// What one SAE may have of something (calls, keys), refilled over time.
class RateLimit {
 public:
  /// `most`: what it may have at once; at least one second's worth, and at least 1.
  explicit RateLimit(double per_second, double most = 1) noexcept
      : per_second_(per_second), most_(std::max({per_second, most, 1.0})) {}
  /// Takes `cost` for `sae`, if it has so much left. A cost above `most` is never given.
  bool take(const std::string& sae, double cost, Instant now);

 private:
  struct Bucket {
    double left;
    Instant filled;
  };
  double per_second_;
  double most_;
  std::map<std::string, Bucket> buckets_;  ///< of configured SAEs only, so it is bounded
};

/// GS QKD 014's three calls: who may ask what, and in which words it is refused. Lives on the loop's thread.
class Api {
 public:
  using LinkOf = std::function<link::PeerLink*(const PeerLinkConfig&)>;

  /// All arguments outlive the object, which outlives every call that it was given.
  Api(net::Loop& loop, StoreQueue& queue, const Config& config, const Faults& faults, Counters& counters,
      LinkOf link_of);

  /// A call of /api/v1/keys/`sae`/`what`.
  void handle(const std::string& sae, const std::string& what, https::Request request, https::Respond respond);

 private:
  void status(const std::string& slave, const SaeConfig& master, https::Respond respond);
  void enc_keys(const std::string& slave, const SaeConfig& master, const https::Request& request,
                https::Respond respond);
  void dec_keys(const std::string& master, const SaeConfig& slave, const https::Request& request,
                https::Respond respond);
  /// `told`: what the peer said of these keys' grants; nothing where it was not asked yet.
  void redeem(const std::shared_ptr<const RedeemRequest>& wanted, link::PeerLink& link,
              std::optional<std::vector<Grant>> told, https::Respond respond);
  /// Runs a job and answers with `result`.
  void run(StoreQueue::Job job, https::Respond respond, std::move_only_function<https::Response()> result);
  /// Counts the answer and puts the faults of a rehearsal into it.
  https::Respond observed(CallKind kind, https::Respond respond);
  [[nodiscard]] etsi014::KeyContainer container(std::vector<TakenKey> keys) const;

  net::Loop& loop_;
  StoreQueue& queue_;
  const Config& config_;
  const Faults& faults_;
  Counters& counters_;
  LinkOf link_of_;
  /// False, and answered, where the SAE has asked for too many keys.
  bool may_have(const SaeConfig& sae, std::size_t keys, std::size_t key_size, https::Respond& respond);

  RateLimit calls_;
  RateLimit keys_;
};

}  // namespace qsp::kme::api
