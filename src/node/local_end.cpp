#include "node/local_end.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/try.hpp"
#include "crypto/routed/provider.hpp"
#include "node/channel_end.hpp"
#include "rc155/session.hpp"

namespace qsp::node {
namespace {

class Rc155Endpoints final : public EndpointFactory {
 public:
  Rc155Endpoints(Role role, std::unique_ptr<crypto::Provider> provider) : role_(role), provider_(std::move(provider)) {}
  Result<std::unique_ptr<Endpoint>> make(bool) override { return rc155::dangerous_make_session(role_, *provider_); }

 private:
  Role role_;
  std::unique_ptr<crypto::Provider> provider_;
};

class Rc155End final : public LocalEnd {
 public:
  explicit Rc155End(Role role) : role_(role) {}
  [[nodiscard]] const Profile& profile() const noexcept override { return profile_of(ProfileId::DangerousRc155); }
  std::expected<std::unique_ptr<EndpointFactory>, std::string> endpoints() override {
    QSP_TRY(auto provider, crypto::make_provider());
    return std::make_unique<Rc155Endpoints>(role_, std::move(provider));
  }

 private:
  Role role_;
};

}  // namespace

std::expected<Reloaded, std::string> LocalEnd::reload(std::size_t) {
  return std::unexpected(fmt::format("profile {} has neither keys nor pins to read", profile().name));
}

std::expected<std::unique_ptr<LocalEnd>, Refused> LocalEnd::load(const EndConfig& config, Role role, Log log) {
  QSP_TRY(check(config, role));
  if (config.profile == ProfileId::DangerousRc155) return std::make_unique<Rc155End>(role);
  auto end = std::make_unique<ChannelEnd>(role, std::move(log));
  QSP_TRY(end->read(config));
  return end;
}

}  // namespace qsp::node
