#include "kme/kme.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "base/try.hpp"
#include "kme/link/respond.hpp"

namespace qsp::kme {

Kme::Kme(net::Loop& loop, Config config, crypto::Rng& rng) : loop_(loop), config_(std::move(config)), random_(rng) {}

files::OrText<std::unique_ptr<Kme>> Kme::open(net::Loop& loop, Config config, crypto::Rng& rng,
                                              bool allow_fault_injection) {
  std::unique_ptr<Kme> made(new Kme(loop, std::move(config), rng));
  QSP_TRY(made->start(allow_fault_injection));
  return made;
}

files::OrText<void> Kme::start(bool allow_fault_injection) {
  auto store = Store::open(config_.store, config_.dangerous_unverified_database);
  if (!store) return std::unexpected(store.error().text);
  queue_ = std::make_unique<StoreQueue>(loop_, *std::move(store), faults_);
  for (const PeerLinkConfig& config : config_.links) {
    link::Producer* const producer = config.producer == ProducerKind::Random ? &random_ : nullptr;
    QSP_TRY(auto link, link::PeerLink::make(loop_, *queue_, config_, config, faults_, producer));
    links_.push_back(std::move(link));
  }
  api_ = std::make_unique<api::Api>(loop_, *queue_, config_, faults_, counters_, [this](const PeerLinkConfig& config) {
    return links_[static_cast<std::size_t>(&config - config_.links.data())].get();
  });

  https::HttpServerOptions options;
  options.address = config_.address;
  options.port = config_.port;
  options.tls = config_.tls;
  options.max_connections = config_.max_connections;
  options.max_connections_per_source = config_.max_connections_per_source;
  options.max_body = link::kMaxLinkMessage;
  options.report = [](const std::string& line) { spdlog::warn("{}", line); };
  QSP_TRY(auto server, https::Server::open(loop_, options, *this));
  server_ = std::move(server);

  admin_ = std::make_unique<Admin>(config_, links_, *server_, counters_, *queue_,
                                   allow_fault_injection ? &faults_ : nullptr);
  if (config_.admin_port) {
    https::HttpServerOptions local;
    local.port = *config_.admin_port;
    local.max_connections = 64;
    local.report = options.report;
    QSP_TRY(auto admin, https::Server::open(loop_, local, *admin_));
    admin_server_ = std::move(admin);
  }
  for (const auto& link : links_) link->start();
  return {};
}

void Kme::handle(https::Request request, https::Respond respond) {
  const std::vector<std::string> path = request.target.path;
  const auto is = [&path](std::size_t at, std::string_view text) { return path[at] == text; };
  if (path.size() == 5 && is(0, "api") && is(1, "v1") && is(2, "keys")) {
    return api_->handle(path[3], path[4], std::move(request), std::move(respond));
  }
  if (path.size() == 4 && is(0, "link") && is(1, "v1")) {
    const auto link = std::ranges::find(links_, path[2], [](const auto& held) { return held->config().name; });
    if (link != links_.end()) return (*link)->handle(path[3], std::move(request), std::move(respond));
    return respond(refuse(401, ""));
  }
  // A client that is not an SAE of this KME learns nothing; the standard has no 404.
  if (sae_of(config_, request.peer) == nullptr) return respond(refuse(401, ""));
  respond(refuse(400, "no such call: /api/v1/keys/SAE-ID/status, …/enc_keys, …/dec_keys"));
}

files::OrText<void> Kme::reload() {
  QSP_TRY(auto serving, server_->prepare_reload());
  std::vector<std::vector<std::shared_ptr<https::Client>>> dialling;
  for (const auto& link : links_) {
    QSP_TRY(auto clients, link->make_clients());
    dialling.push_back(std::move(clients));
  }
  if (const auto files = queue_->check_files(); !files) return std::unexpected("store: " + files.error().text);
  serving();
  for (std::size_t i = 0; i < links_.size(); ++i) links_[i]->adopt(std::move(dialling[i]));
  queue_->renew();
  return {};
}

void Kme::stop(std::chrono::nanoseconds grace) {
  for (const auto& link : links_) link->stop();
  server_->stop(grace);
  if (admin_server_) admin_server_->stop(grace);
}

std::size_t Kme::connections() const noexcept {
  return server_->counts().open + (admin_server_ ? admin_server_->counts().open : 0);
}

}  // namespace qsp::kme
