#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <boost/asio/post.hpp>
#include <csignal>
#include <memory>
#include <utility>

#include "cli/app.hpp"
#include "cli/e91_processes.hpp"
#include "cli/e91_service.hpp"
#include "cli/text.hpp"
#include "e91/link/link_file.hpp"
#include "e91/station/source.hpp"
#include "qsp/openssl.hpp"
#include "text/escape.hpp"

namespace qsp::cli {
namespace {

using e91::Side;
using e91::station::MessageSession;

/// The sessions of the two stations, and the source between them.
class LinkProcess final : public e91::station::MessageHandler {
 public:
  LinkProcess(const E91SourceOptions& options, e91::station::Source&& source)
      : options_(options), source_(std::move(source)) {}

  void session_ready(MessageSession& session) override {
    const std::string name = session.peer_name();
    const bool alice = name == options_.alice;
    if (!alice && name != options_.bob) {
      spdlog::warn("{} is neither {} nor {}: refused", text::terminal_escape(name), options_.alice, options_.bob);
      return session.close(Reason::HandshakeFailed, "you are no station of this link");
    }
    const Side side = alice ? Side::Alice : Side::Bob;
    e91::station::MessageSessionPtr old = std::exchange(slot(side), &session);
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
    if (!options_.real_time || answers->light.count() == 0) return tell(*answers);
    // Block follows block: the light of one ends before that of the next begins.
    const Instant at = std::max(light_until_, net::Loop::now()) + answers->light;
    light_until_ = at;
    const auto timer = std::make_shared<net::Timer>(session.loop().executor());
    timer->expires_at(net::Loop::time_point(at));
    timer->async_wait([this, timer, held = std::make_shared<e91::station::Source::Answers>(std::move(*answers))](
                          const net::error_code&) { tell(*held); });
  }

  /// Before the loop of the sessions goes.
  void forget_sessions() { stations_ = {}; }

  void session_over(MessageSession& session) override {
    const auto side = side_of(session);
    if (!side) return;
    spdlog::warn("{} is gone", *side == Side::Alice ? options_.alice : options_.bob);
    slot(*side) = nullptr;
    source_.forget(*side);
  }

 private:
  e91::station::MessageSessionPtr& slot(Side side) { return stations_.at(static_cast<std::size_t>(side)); }

  std::optional<Side> side_of(const MessageSession& session) {
    for (const Side side : {Side::Alice, Side::Bob}) {
      if (slot(side).get() == &session) return side;
    }
    return std::nullopt;
  }

  void tell(const e91::station::Source::Answers& answers) {
    for (const Side side : {Side::Alice, Side::Bob}) {
      const Bytes message = answers.message.at(static_cast<std::size_t>(side)).reveal();
      if (const e91::station::MessageSessionPtr station = slot(side)) station->post(message);
    }
  }

  const E91SourceOptions& options_;
  e91::station::Source source_;
  std::array<e91::station::MessageSessionPtr, 2> stations_;
  Instant light_until_ = Instant::min();
};

}  // namespace

int run_e91_link(const E91SourceOptions& options, bool json) {
  const auto listen = net::parse_address(options.listen);
  if (!listen) return failed(listen.error(), kUsage);
  const auto link = e91::link::load_link_file(options.link_file);
  if (!link) return failed(link.error());
  auto eve = e91::station::EveChoice::make(options.eve, options.eve_file);
  if (!eve) return failed(eve.error(), kUsage);
  auto sessions = load_station(options.identity, Role::Server);
  if (!sessions) return failed(sessions.error().text, sessions.error().code);
  const auto provider = crypto::make_openssl_provider();
  if (!provider) return failed(provider.error().where);
  auto source = e91::station::Source::create(**provider, link->config, std::move(*eve));
  if (!source) return failed(fmt::format("{}: {}", options.link_file, source.error().where));

  LinkProcess process(options, std::move(*source));
  const auto server = e91::station::StationServer::open(*listen, *sessions, process, e91::station::kMaxOrder);
  if (!server) return failed(server.error());
  print_warning("the link is simulated: its keys are as secret as this process, with no quantum security");
  boost::asio::signal_set signals((*server)->server().loop().io(), SIGINT, SIGTERM);
  stop_on_signals(signals, [&server] { (*server)->server().stop(); });
  if (!announce_listening(json, "link", (*server)->server().local_endpoint())) return kFailed;
  const auto ran = (*server)->server().run();
  process.forget_sessions();
  return ran ? kOk : failed(ran.error());
}

}  // namespace qsp::cli
