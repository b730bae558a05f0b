#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <memory>
#include <utility>

#include "cli/app.hpp"
#include "cli/e91_account.hpp"
#include "cli/e91_processes.hpp"
#include "cli/e91_service.hpp"
#include "cli/text.hpp"
#include "e91/link/link_file.hpp"
#include "e91/local/local_link.hpp"
#include "e91/station/dialler.hpp"
#include "e91/station/station.hpp"
#include "qsp/openssl.hpp"
#include "text/escape.hpp"

namespace qsp::cli {
namespace {

using e91::Side;
using e91::station::MessageSession;

constexpr std::string_view kNameLabel = "qsp e91 pairing";
constexpr std::string_view kPadLabel = "qsp e91 pad";
constexpr std::chrono::milliseconds kTick{100};
constexpr std::chrono::milliseconds kLastWords{300};  ///< for a CLOSE on its way when the process stops
/// What a block may take beyond its light.
constexpr std::chrono::seconds kPatience{60};

/// A station with its two sessions and its KME.
class StationProcess final : private e91::station::StationWorld {
 public:
  StationProcess(net::Loop& loop, crypto::Provider& provider, const E91StationOptions& options, Side side,
                 const e91::link::LinkConfig& link, const e91::station::StationPlan& plan, e91::station::KmeFeed& feed,
                 bool json)
      : loop_(loop),
        options_(options),
        slots_per_s_(link.slots_per_s),
        feed_(feed),
        account_(json),
        station_(provider, *this, side, plan, patience(link, plan)),
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
  e91::station::MessageHandler& peer_handler() noexcept { return with_peer_; }
  e91::station::MessageHandler& link_handler() noexcept { return with_link_; }

 private:
  /// Alice's patience is with both links; Bob, who learns the length from her, has hers and more.
  static std::chrono::nanoseconds patience(const e91::link::LinkConfig& link, const e91::station::StationPlan& plan) {
    const double light = 2 * static_cast<double>(plan.slots) / link.slots_per_s;
    return kPatience + std::chrono::duration_cast<std::chrono::nanoseconds>(
                           std::chrono::duration<double>(std::min(light, 86'400.0)));
  }

  struct WithPeer final : e91::station::MessageHandler {
    explicit WithPeer(StationProcess& owner) : process(owner) {}
    void session_ready(MessageSession& ready) override { process.peer_ready(ready); }
    void session_message(MessageSession& from, Bytes message) override {
      if (&from == session.get()) process.station_.peer_said(message, net::Loop::now());
    }
    void session_over(MessageSession& over) override {
      if (&over == session.get()) process.peer_over();
    }
    StationProcess& process;
    e91::station::MessageSessionPtr session;
  };

  struct WithLink final : e91::station::MessageHandler {
    explicit WithLink(StationProcess& owner) : process(owner) {}
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
    StationProcess& process;
    e91::station::MessageSessionPtr session;
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
  void block_done(const e91::post::BlockReport& report, std::vector<e91::party::FinalKey>&& keys) override;
  [[nodiscard]] e91::station::Owners wanted() const override { return feed_.wanted(); }

  net::Loop& loop_;
  const E91StationOptions& options_;
  double slots_per_s_;
  e91::station::KmeFeed& feed_;
  E91Account account_;
  e91::station::StationMachine station_;
  net::Timer timer_;
  WithPeer with_peer_{*this};
  WithLink with_link_{*this};
};

void StationProcess::peer_ready(MessageSession& session) {
  const std::string name = session.peer_name();
  if (name != options_.peer) {
    spdlog::warn("{} is not {}: refused", text::terminal_escape(name), options_.peer);
    return session.close(Reason::HandshakeFailed, "you are not the other station");
  }
  auto pairing = session.export_key(kNameLabel, e91::station::PairingName().size());
  auto bootstrap = session.export_key(kPadLabel, e91::post::Pad::kBootstrap);
  if (!pairing || !bootstrap) return session.close(Reason::InternalError, "no key for the pad");
  e91::station::PairingName public_name{};
  std::copy_n(pairing->reveal().begin(), public_name.size(), public_name.begin());
  const e91::station::MessageSessionPtr old = std::exchange(with_peer_.session, &session);
  spdlog::info("paired with {}", text::terminal_escape(name));
  // The other station may have lost what waited there, with the session or with its process.
  feed_.drop_waiting();
  station_.paired(public_name, bootstrap->reveal(), net::Loop::now());
  if (old) old->close(Reason::Normal, "another session of this station began");
}

void StationProcess::peer_over() {
  with_peer_.session = nullptr;
  // The station may be at work further up the stack.
  boost::asio::post(loop_.executor(), [this] {
    if (with_peer_.session) return;
    station_.unpaired();
    feed_.drop_waiting();
    feed_.set_down(fmt::format("no session with {}", options_.peer));
  });
}

void StationProcess::link_changed() {
  boost::asio::post(loop_.executor(), [this] {
    const bool up = with_link_.session != nullptr;
    station_.set_link(up, net::Loop::now());
    if (!up) feed_.set_down("the link does not answer");
  });
}

void StationProcess::tick() {
  station_.tick(net::Loop::now());
  if (station_.is_paired() && station_.link_up()) feed_.set_up();
  timer_.expires_after(kTick);
  timer_.async_wait([this](const net::error_code& cancelled) {
    if (!cancelled) tick();
  });
}

void StationProcess::end_pairing(std::string_view why) {
  const std::string text = text::terminal_escape(why);
  spdlog::warn("pairing with {} ended: {}", options_.peer, text);
  feed_.drop_waiting();
  feed_.set_down(text.substr(0, kme::link::kMaxReason));
  const e91::station::MessageSessionPtr session = std::exchange(with_peer_.session, nullptr);
  if (session) session->close(Reason::Normal, text);
}

void StationProcess::block_done(const e91::post::BlockReport& report, std::vector<e91::party::FinalKey>&& keys) {
  account_.tell(report, keys.size());
  feed_.add(std::move(keys));
  feed_.block_done(report, slots_per_s_);
}

/// What both stations need before they have a loop.
struct Prepared {
  net::Address address, link_address;
  e91::link::LinkFile link;
  e91::station::StationPlan plan;
  e91::station::StationEnd to_link;
  std::unique_ptr<crypto::Provider> provider;
};

std::expected<Prepared, Refused> prepare(const E91StationOptions& options) {
  const auto usage = [](std::string text) { return std::unexpected(Refused{kUsage, std::move(text)}); };
  auto address = net::parse_address(options.address);
  if (!address) return usage(address.error());
  auto link_address = net::parse_address(options.link);
  if (!link_address) return usage(link_address.error());
  auto link = e91::link::load_link_file(options.link_file);
  if (!link) return std::unexpected(Refused{kFailed, link.error()});
  e91::station::StationPlan plan{.post = e91::local::post_of(link->config), .p_z = link->config.p_z, .slots = 0};
  plan.slots = e91::station::slots_of_block(link->config, options.block_bits);
  if (plan.slots == 0) {
    return std::unexpected(Refused{kFailed, options.link_file + ": this link brings no sifted key; lower its losses"});
  }
  auto to_link = load_station(options.identity, Role::Client, options.link_peer);
  if (!to_link) return std::unexpected(to_link.error());
  auto provider = crypto::make_openssl_provider();
  if (!provider) return std::unexpected(Refused{kFailed, std::string(provider.error().where)});
  return Prepared{.address = std::move(*address),
                  .link_address = std::move(*link_address),
                  .link = std::move(*link),
                  .plan = plan,
                  .to_link = std::move(*to_link),
                  .provider = std::move(*provider)};
}

e91::station::Dialler dialler_to_link(net::Loop& loop, Prepared& prepared, StationProcess& process) {
  return {loop,
          "link",
          prepared.link_address,
          [&prepared] { return prepared.to_link.make(); },
          process.link_handler(),
          e91::station::kMaxDetections};
}

/// Passes a handler's calls on to one that is made later: a server is there before its station.
class Later final : public e91::station::MessageHandler {
 public:
  void set(e91::station::MessageHandler& handler) noexcept { handler_ = &handler; }
  void session_ready(MessageSession& session) override { handler_->session_ready(session); }
  void session_message(MessageSession& session, Bytes message) override { handler_->session_message(session, message); }
  void session_over(MessageSession& session) override { handler_->session_over(session); }

 private:
  e91::station::MessageHandler* handler_ = nullptr;
};

int run_alice(const E91StationOptions& options, Prepared& prepared, bool json) {
  auto sessions = load_station(options.identity, Role::Server);
  if (!sessions) return failed(sessions.error().text, sessions.error().code);
  Later later;
  const auto opened =
      e91::station::StationServer::open(prepared.address, *sessions, later, e91::station::kMaxClassicalMessage);
  if (!opened) return failed(opened.error());
  net::Server& server = (*opened)->server();
  net::Loop& loop = server.loop();
  auto feed = e91::station::KmeFeed::make(loop, options.kme, "KME " + text::terminal_escape(options.kme.url));
  if (!feed) return failed(feed.error());
  StationProcess process(loop, *prepared.provider, options, Side::Alice, prepared.link.config, prepared.plan, **feed,
                         json);
  later.set(process.peer_handler());
  e91::station::Dialler link = dialler_to_link(loop, prepared, process);
  boost::asio::signal_set signals(loop.io(), SIGINT, SIGTERM);
  stop_on_signals(signals, [&] {
    process.stop();
    link.stop();
    server.stop();
  });
  process.start();
  link.start();
  if (!announce_listening(json, "alice", server.local_endpoint())) {
    process.forget_sessions();
    return kFailed;
  }
  const auto ran = server.run();
  process.forget_sessions();
  return ran ? kOk : failed(ran.error());
}

int run_bob(const E91StationOptions& options, Prepared& prepared, bool json) {
  auto to_alice = load_station(options.identity, Role::Client, options.peer);
  if (!to_alice) return failed(to_alice.error().text, to_alice.error().code);
  net::Loop loop;
  auto feed = e91::station::KmeFeed::make(loop, options.kme, "KME " + text::terminal_escape(options.kme.url));
  if (!feed) return failed(feed.error());
  StationProcess process(loop, *prepared.provider, options, Side::Bob, prepared.link.config, prepared.plan, **feed,
                         json);
  e91::station::Dialler link = dialler_to_link(loop, prepared, process);
  e91::station::Dialler alice(
      loop, options.peer, prepared.address, [&to_alice] { return to_alice->make(); }, process.peer_handler(),
      e91::station::kMaxClassicalMessage);
  boost::asio::signal_set signals(loop.io(), SIGINT, SIGTERM);
  net::Timer last_words(loop.executor());
  stop_on_signals(signals, [&] {
    process.stop();
    link.stop();
    alice.stop();
    last_words.expires_after(kLastWords);
    last_words.async_wait([&loop](const net::error_code&) { loop.io().stop(); });
  });
  process.start();
  link.start();
  alice.start();
  loop.run();
  process.forget_sessions();
  return kOk;
}

}  // namespace

int run_e91_station(const E91StationOptions& options, Side side, bool json) {
  auto prepared = prepare(options);
  if (!prepared) return failed(prepared.error().text, prepared.error().code);
  print_warning("the link is simulated: its keys give no quantum security");
  return side == Side::Alice ? run_alice(options, *prepared, json) : run_bob(options, *prepared, json);
}

}  // namespace qsp::cli
