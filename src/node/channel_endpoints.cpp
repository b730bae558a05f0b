#include "node/channel_endpoints.hpp"

#include <utility>

#include "base/try.hpp"
#include "net/loop.hpp"

namespace qsp::node {

ChannelEndpoints::ChannelEndpoints(Role role, const SharedOptions& shared, const CurrentTrust& current,
                                   std::shared_ptr<const Trust> trust, const Peer* dialled,
                                   std::unique_ptr<crypto::Provider> provider,
                                   std::vector<std::unique_ptr<crypto::Signer>> signers)
    : role_(role),
      current_(current),
      trust_(std::move(trust)),
      provider_(std::move(provider)),
      signers_(std::move(signers)),
      client_(shared.client),
      server_(shared.server),
      delivery_(*shared.qkd, role) {
  if (dialled != nullptr) client_.peer = *dialled;
  server_.peers = &trust_->peers();
  client_.signer = signers_.front().get();
  for (const auto& signer : signers_) server_.signers.push_back(signer.get());
}

Result<std::unique_ptr<Endpoint>> ChannelEndpoints::make(bool without_qkd) {
  const Instant now = net::Loop::now();
  client_.redial_without_qkd = without_qkd;
  QSP_TRY(auto channel, role_ == Role::Client ? Channel::client(*provider_, client_, now)
                                              : Channel::server(*provider_, server_, now));
  return channel;
}

std::optional<std::string> ChannelEndpoints::objection(const ChannelStatus& session) const {
  const std::shared_ptr<const Trust> now = current_.get();
  return now == trust_ ? std::nullopt : now->objection(*trust_, session);
}

}  // namespace qsp::node
