#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "node/local_end.hpp"
#include "node/qkd_delivery.hpp"
#include "node/qkd_keys.hpp"
#include "node/trust.hpp"
#include "qsp/channel.hpp"
#include "qsp/crypto.hpp"

/// Endpoints of QSP 1.0 as a node makes them.
namespace qsp::node {

/// What all sessions of a node share and no reload changes.
struct SharedOptions {
  ClientOptions client;  ///< its peer comes from the pins
  ServerOptions server;
  std::unique_ptr<QkdKeys> qkd;
};

/// The trust that a reload replaces. Thread-safe.
class CurrentTrust {
 public:
  [[nodiscard]] std::shared_ptr<const Trust> get() const {
    const std::lock_guard lock(mutex_);
    return trust_;
  }
  void set(std::shared_ptr<const Trust> trust) {
    const std::lock_guard lock(mutex_);
    trust_.swap(trust);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Trust> trust_;
};

class ChannelEndpoints final : public EndpointFactory {
 public:
  /// Made under `trust`, judged by `current`; both references outlive it. `dialled`: a client's peer, of `trust`. There
  /// is at least one signer.
  ChannelEndpoints(Role role, const SharedOptions& shared, const CurrentTrust& current,
                   std::shared_ptr<const Trust> trust, const Peer* dialled, std::unique_ptr<crypto::Provider> provider,
                   std::vector<std::unique_ptr<crypto::Signer>> signers);

  Result<std::unique_ptr<Endpoint>> make(bool without_qkd) override;
  [[nodiscard]] net::KeyDelivery* delivery() noexcept override { return &delivery_; }
  [[nodiscard]] std::optional<std::string> objection(const ChannelStatus& session) const override;

 private:
  Role role_;
  const CurrentTrust& current_;
  std::shared_ptr<const Trust> trust_;
  std::unique_ptr<crypto::Provider> provider_;
  std::vector<std::unique_ptr<crypto::Signer>> signers_;
  ClientOptions client_;
  ServerOptions server_;
  QkdDelivery delivery_;
};

}  // namespace qsp::node
