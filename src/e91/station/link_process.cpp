#include "e91/station/link_process.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/try.hpp"
#include "crypto/routed/provider.hpp"
#include "e91/link/link_file.hpp"
#include "e91/station/source.hpp"
#include "text/escape.hpp"

namespace qsp::e91::station {

/// The sessions of the two stations, and the source between them.
class LinkProcess::Sessions final : public MessageHandler {
 public:
  Sessions(const LinkProcessConfig& config, Source&& source) : config_(config), source_(std::move(source)) {}

  void session_ready(MessageSession& session) override {
    const std::string name = session.peer_name();
    const bool alice = name == config_.alice;
    if (!alice && name != config_.bob) {
      spdlog::warn("{} is neither {} nor {}: refused", text::terminal_escape(name), config_.alice, config_.bob);
      return session.close(Reason::HandshakeFailed, "you are no station of this link");
    }
    const Side side = alice ? Side::Alice : Side::Bob;
    MessageSessionPtr old = std::exchange(slot(side), &session);
    source_.forget(side);
    spdlog::info("{} is here", text::terminal_escape(name));
    // A station has one session: the older one is dead, or soon will be.
    if (old) old->close(Reason::Normal, "another session of this station began");
  }

  void session_message(MessageSession& session, Bytes message) override {
    const auto side = side_of(session);
    if (!side) return;
    auto ordered = source_.order(*side, message);
    if (!ordered) {
      spdlog::error("{}: {}", name(ordered.error().kind), ordered.error().where);
      return session.close(Reason::ProtocolError, ordered.error().where);
    }
    auto& answers = *ordered;
    if (!answers) return;
    if (!config_.real_time || answers->light.count() == 0) return tell(*answers);
    // Block follows block: the light of one ends before that of the next begins.
    const Instant at = std::max(light_until_, net::Loop::now()) + answers->light;
    light_until_ = at;
    const auto timer = std::make_shared<net::Timer>(session.loop().executor());
    timer->expires_at(net::Loop::time_point(at));
    timer->async_wait([this, timer, held = std::make_shared<Source::Answers>(std::move(*answers))](
                          const net::error_code&) { tell(*held); });
  }

  /// Before the loop of the sessions goes.
  void forget_sessions() { stations_ = {}; }

  void session_over(MessageSession& session) override {
    const auto side = side_of(session);
    if (!side) return;
    spdlog::warn("{} is gone", *side == Side::Alice ? config_.alice : config_.bob);
    slot(*side) = nullptr;
    source_.forget(*side);
  }

 private:
  MessageSessionPtr& slot(Side side) { return stations_.at(static_cast<std::size_t>(side)); }

  std::optional<Side> side_of(const MessageSession& session) {
    for (const Side side : {Side::Alice, Side::Bob}) {
      if (slot(side).get() == &session) return side;
    }
    return std::nullopt;
  }

  void tell(const Source::Answers& answers) {
    for (const Side side : {Side::Alice, Side::Bob}) {
      const Bytes message = answers.message.at(static_cast<std::size_t>(side)).reveal();
      if (const MessageSessionPtr station = slot(side)) station->post(message);
    }
  }

  const LinkProcessConfig& config_;
  Source source_;
  std::array<MessageSessionPtr, 2> stations_;
  Instant light_until_ = Instant::min();
};

std::expected<std::unique_ptr<LinkProcess>, node::Refused> LinkProcess::open(const LinkProcessConfig& config,
                                                                             ProcessEvents& events) {
  std::unique_ptr<LinkProcess> made(new LinkProcess(config));
  const auto listen = net::parse_address(config.listen);
  if (!listen) return node::refuse_config(listen.error());
  const auto link = link::load_link_file(config.link_file);
  if (!link) return node::refuse(link.error());
  auto eve = EveChoice::make(config.eve, config.eve_file);
  if (!eve) return node::refuse_config(eve.error());
  QSP_TRY(auto end, StationEnd::load(config.identity, Role::Server, ""));
  made->end_ = std::make_unique<StationEnd>(std::move(end));
  auto provider = crypto::make_provider();
  if (!provider) return node::refuse(provider.error());
  made->provider_ = std::move(*provider);
  auto source = Source::create(*made->provider_, link->config, std::move(*eve));
  if (!source) return node::refuse(fmt::format("{}: {}", config.link_file, source.error().where));
  made->sessions_ = std::make_unique<Sessions>(made->config_, std::move(*source));
  auto server = StationServer::open(*listen, *made->end_, *made->sessions_, kMaxOrder);
  if (!server) return node::refuse(server.error());
  made->server_ = std::move(*server);
  events.warning("the link is simulated: its keys are as secret as this process, with no quantum security");
  return made;
}

LinkProcess::LinkProcess(const LinkProcessConfig& config) : config_(config) {}

LinkProcess::~LinkProcess() {
  if (sessions_) sessions_->forget_sessions();
}

}  // namespace qsp::e91::station
