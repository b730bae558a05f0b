#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/channel_endpoints.hpp"
#include "node/local_end.hpp"
#include "node/trust.hpp"

namespace qsp::node {

/// An end that speaks QSP 1.0.
class ChannelEnd final : public LocalEnd {
 public:
  ChannelEnd(Role role, Log log) : role_(role), log_(std::move(log)) {}
  /// Call it once, first. Precondition: the configuration passed check().
  std::expected<void, Refused> read(const EndConfig& config);

  [[nodiscard]] const Profile& profile() const noexcept override { return profile_of(ProfileId::Qsp10); }
  [[nodiscard]] std::vector<std::string> warnings() const override { return warnings_; }
  [[nodiscard]] std::vector<std::string> pinned_key_files() const override;
  [[nodiscard]] std::vector<std::string> peer_names() const override;
  std::expected<std::unique_ptr<EndpointFactory>, std::string> endpoints() override;
  std::expected<Reloaded, std::string> reload(std::size_t threads) override;
  void stop_keys() override { shared_.qkd->stop(); }
  [[nodiscard]] SupplyCounts supply_counts() const override { return shared_.qkd->paces().counts(); }
  [[nodiscard]] std::chrono::nanoseconds stall_limit() const noexcept override { return shared_.client.rekey.timer; }
  [[nodiscard]] std::string describe_stranger(const Presented& presented) const override;

 private:
  std::expected<void, Refused> read_policies(const EndConfig& config);
  [[nodiscard]] std::expected<const Peer*, std::string> dialled(const Trust& trust) const;
  [[nodiscard]] std::optional<std::string> lacks_sae_id(const Peer* dialled) const;
  [[nodiscard]] std::optional<std::string> lacks_qkd_source(const Trust& trust) const;
  void warn_of_unused_source(const Peer* dialled);
  void warn_of_missing_algorithms(const crypto::Provider& provider, const EndConfig& config);
  [[nodiscard]] std::string explain_misuse(std::string_view where) const;
  [[nodiscard]] std::string describe_wrong_server(const Presented& presented, const Peer& peer) const;
  [[nodiscard]] std::expected<std::unique_ptr<EndpointFactory>, std::string> endpoints_of(
      std::shared_ptr<const Trust> trust, std::unique_ptr<crypto::Provider> provider) const;

  Role role_;
  Log log_;
  NameSetting name_ = field_name;
  SharedOptions shared_;
  RekeyPace pace_;
  TrustFiles files_;
  std::string peer_;  ///< client: the name of the one that is dialled
  CurrentTrust trust_;
  std::vector<std::string> warnings_;
};

}  // namespace qsp::node
