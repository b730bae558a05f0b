#include "e91/station/station_process.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/try.hpp"
#include "crypto/routed/provider.hpp"
#include "e91/local/local_link.hpp"
#include "e91/station/block_log.hpp"
#include "e91/station/station.hpp"
#include "text/escape.hpp"

namespace qsp::e91::station {
namespace {

constexpr std::string_view kNameLabel = "qsp e91 pairing";
constexpr std::string_view kPadLabel = "qsp e91 pad";
constexpr std::chrono::milliseconds kTickOfStation{100};
constexpr std::chrono::milliseconds kLastWords{300};  ///< for a CLOSE on its way when the process stops
/// What a block may take beyond its light.
constexpr std::chrono::seconds kPatience{60};

}  // namespace

/// A station with its two sessions and its KME.
class StationProcess::Sessions final : private StationWorld {
 public:
  Sessions(net::Loop& loop, crypto::Provider& provider, const StationProcessConfig& config,
           const link::LinkConfig& link, const StationPlan& plan, KmeFeed& feed, ProcessEvents& events)
      : loop_(loop),
        config_(config),
        slots_per_s_(link.slots_per_s),
        feed_(feed),
        events_(events),
        station_(provider, *this, config.side, plan, patience(link, plan)),
        timer_(loop.executor()) {}

  void start() {
    feed_.start();
    tick();
  }
  void stop() { timer_.cancel(); }
  /// Before the loop of the sessions goes.
  void forget_sessions() {
    with_peer_.session = nullptr;
    with_link_.session = nullptr;
  }

  /// Of the session with the other station, and of that with the link.
  MessageHandler& peer_handler() noexcept { return with_peer_; }
  MessageHandler& link_handler() noexcept { return with_link_; }

 private:
  /// Alice's patience is with both links; Bob, who learns the length from her, has hers and more.
  static std::chrono::nanoseconds patience(const link::LinkConfig& link, const StationPlan& plan) {
    const double light = 2 * static_cast<double>(plan.slots) / link.slots_per_s;
    return kPatience + std::chrono::duration_cast<std::chrono::nanoseconds>(
                           std::chrono::duration<double>(std::min(light, 86'400.0)));
  }

  struct WithPeer final : MessageHandler {
    explicit WithPeer(Sessions& owner) : process(owner) {}
    void session_ready(MessageSession& ready) override { process.peer_ready(ready); }
    void session_message(MessageSession& from, Bytes message) override {
      if (&from == session.get()) process.station_.peer_said(message, net::Loop::now());
    }
    void session_over(MessageSession& over) override {
      if (&over == session.get()) process.peer_over();
    }
    Sessions& process;
    MessageSessionPtr session;
  };

  struct WithLink final : MessageHandler {
    explicit WithLink(Sessions& owner) : process(owner) {}
    void session_ready(MessageSession& ready) override {
      session = &ready;
      process.link_changed();
    }
    void session_message(MessageSession& from, Bytes message) override {
      if (&from == session.get()) process.station_.link_said(message, net::Loop::now());
    }
    void session_over(MessageSession& over) override {
      if (&over != session.get()) return;
      session = nullptr;
      process.link_changed();
    }
    Sessions& process;
    MessageSessionPtr session;
  };

  void peer_ready(MessageSession& session);
  void peer_over();
  void link_changed();
  void tick();

  void to_peer(std::vector<std::uint8_t> message) override {
    if (with_peer_.session) with_peer_.session->post(message);
  }
  void to_link(SecretBytes message) override {
    if (with_link_.session) with_link_.session->post(message.reveal());
  }
  void end_pairing(std::string_view why) override;
  void block_done(const post::BlockReport& report, std::vector<party::FinalKey>&& keys) override;
  [[nodiscard]] Owners wanted() const override { return feed_.wanted(); }

  net::Loop& loop_;
  const StationProcessConfig& config_;
  double slots_per_s_;
  KmeFeed& feed_;
  ProcessEvents& events_;
  BlockLog log_;
  StationMachine station_;
  net::Timer timer_;
  WithPeer with_peer_{*this};
  WithLink with_link_{*this};
};

void StationProcess::Sessions::peer_ready(MessageSession& session) {
  const std::string name = session.peer_name();
  if (name != config_.peer) {
    spdlog::warn("{} is not {}: refused", text::terminal_escape(name), config_.peer);
    return session.close(Reason::HandshakeFailed, "you are not the other station");
  }
  auto pairing = session.export_key(kNameLabel, PairingName().size());
  auto bootstrap = session.export_key(kPadLabel, post::AuthenticationPad::kBootstrap);
  if (!pairing || !bootstrap) return session.close(Reason::InternalError, "no key for the pad");
  PairingName public_name{};
  std::copy_n(pairing->reveal().begin(), public_name.size(), public_name.begin());
  const MessageSessionPtr old = std::exchange(with_peer_.session, &session);
  spdlog::info("paired with {}", text::terminal_escape(name));
  // The other station may have lost what waited there, with the session or with its process.
  feed_.drop_waiting();
  station_.paired(public_name, bootstrap->reveal(), net::Loop::now());
  if (old) old->close(Reason::Normal, "another session of this station began");
}

void StationProcess::Sessions::peer_over() {
  with_peer_.session = nullptr;
  // The station may be at work further up the stack.
  boost::asio::post(loop_.executor(), [this] {
    if (with_peer_.session) return;
    station_.unpaired();
    feed_.drop_waiting();
    feed_.set_down(fmt::format("no session with {}", config_.peer));
  });
}

void StationProcess::Sessions::link_changed() {
  boost::asio::post(loop_.executor(), [this] {
    const bool up = with_link_.session != nullptr;
    station_.set_link(up, net::Loop::now());
    if (!up) feed_.set_down("the link does not answer");
  });
}

void StationProcess::Sessions::tick() {
  station_.tick(net::Loop::now());
  if (station_.is_paired() && station_.link_up()) feed_.set_up();
  timer_.expires_after(kTickOfStation);
  timer_.async_wait([this](const net::error_code& cancelled) {
    if (!cancelled) tick();
  });
}

void StationProcess::Sessions::end_pairing(std::string_view why) {
  const std::string text = text::terminal_escape(why);
  spdlog::warn("pairing with {} ended: {}", config_.peer, text);
  feed_.drop_waiting();
  feed_.set_down(text.substr(0, kme::link::kMaxReason));
  const MessageSessionPtr session = std::exchange(with_peer_.session, nullptr);
  if (session) session->close(Reason::Normal, text);
}

void StationProcess::Sessions::block_done(const post::BlockReport& report, std::vector<party::FinalKey>&& keys) {
  log_.tell(report, keys.size());
  events_.block(report, keys.size());
  feed_.add(std::move(keys));
  feed_.block_done(report, slots_per_s_);
}

/// Passes a handler's calls on to one that is made later: a server is there before its station.
class StationProcess::Later final : public MessageHandler {
 public:
  void set(MessageHandler& handler) noexcept { handler_ = &handler; }
  void session_ready(MessageSession& session) override { handler_->session_ready(session); }
  void session_message(MessageSession& session, Bytes message) override { handler_->session_message(session, message); }
  void session_over(MessageSession& session) override { handler_->session_over(session); }

 private:
  MessageHandler* handler_ = nullptr;
};

std::expected<std::unique_ptr<StationProcess>, node::Refused> StationProcess::open(const StationProcessConfig& config,
                                                                                   ProcessEvents& events) {
  std::unique_ptr<StationProcess> made(new StationProcess(config));
  QSP_TRY(made->prepare());
  events.warning("the link is simulated: its keys give no quantum security");
  QSP_TRY(made->listen());
  QSP_TRY(made->meet(events));
  return made;
}

StationProcess::StationProcess(const StationProcessConfig& config) : config_(config) {}

StationProcess::~StationProcess() {
  if (sessions_) sessions_->forget_sessions();
}

/// What both stations need before they have a loop.
std::expected<void, node::Refused> StationProcess::prepare() {
  auto address = net::parse_address(config_.address);
  if (!address) return node::refuse_config(address.error());
  auto link_address = net::parse_address(config_.link);
  if (!link_address) return node::refuse_config(link_address.error());
  auto link = link::load_link_file(config_.link_file);
  if (!link) return node::refuse(link.error());
  plan_ = {.post = local::post_of(link->config), .p_z = link->config.p_z, .slots = 0};
  plan_.slots = slots_of_block(link->config, config_.block_bits);
  if (plan_.slots == 0) return node::refuse(config_.link_file + ": this link brings no sifted key; lower its losses");
  QSP_TRY(auto to_link, StationEnd::load(config_.identity, Role::Client, config_.link_peer));
  auto provider = crypto::make_provider();
  if (!provider) return node::refuse(provider.error());
  address_ = std::move(*address);
  link_address_ = std::move(*link_address);
  link_file_ = std::move(*link);
  to_link_.emplace(std::move(to_link));
  provider_ = std::move(*provider);
  return {};
}

/// Alice's server and its loop, or a loop for Bob.
std::expected<void, node::Refused> StationProcess::listen() {
  const bool alice = config_.side == Side::Alice;
  QSP_TRY(auto end, StationEnd::load(config_.identity, alice ? Role::Server : Role::Client, alice ? "" : config_.peer));
  with_peer_.emplace(std::move(end));
  if (!alice) {
    own_loop_ = std::make_unique<net::Loop>();
    loop_ = own_loop_.get();
    return {};
  }
  later_ = std::make_unique<Later>();
  auto opened = StationServer::open(address_, *with_peer_, *later_, kMaxClassicalMessage);
  if (!opened) return node::refuse(opened.error());
  server_ = std::move(*opened);
  loop_ = &server_->server().loop();
  return {};
}

std::expected<void, node::Refused> StationProcess::meet(ProcessEvents& events) {
  auto feed = KmeFeed::make(*loop_, config_.kme, "KME " + text::terminal_escape(config_.kme.url));
  if (!feed) return node::refuse(feed.error());
  feed_ = std::move(*feed);
  sessions_ = std::make_unique<Sessions>(*loop_, *provider_, config_, link_file_.config, plan_, *feed_, events);
  if (later_) later_->set(sessions_->peer_handler());
  link_ = std::make_unique<Dialler>(
      *loop_, "link", link_address_, [this] { return to_link_->make(); }, sessions_->link_handler(), kMaxDetections);
  if (config_.side == Side::Bob) {
    alice_ = std::make_unique<Dialler>(
        *loop_, config_.peer, address_, [this] { return with_peer_->make(); }, sessions_->peer_handler(),
        kMaxClassicalMessage);
  }
  last_words_ = std::make_unique<net::Timer>(loop_->executor());
  return {};
}

std::optional<net::tcp::endpoint> StationProcess::listening() const {
  if (!server_) return std::nullopt;
  return server_->server().local_endpoint();
}

void StationProcess::start() {
  sessions_->start();
  link_->start();
  if (alice_) alice_->start();
}

std::expected<void, std::string> StationProcess::run() {
  if (server_) return server_->server().run();
  loop_->run();
  return {};
}

void StationProcess::stop() {
  sessions_->stop();
  link_->stop();
  if (server_) return server_->server().stop();
  alice_->stop();
  last_words_->expires_after(kLastWords);
  last_words_->async_wait([this](const net::error_code&) { loop_->io().stop(); });
}

}  // namespace qsp::e91::station
