#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/signal_set.hpp>
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
#include "e91/station/eve_file.hpp"
#include "e91/station/kme_feed.hpp"
#include "qsp/openssl.hpp"
#include "text/escape.hpp"

namespace qsp::cli {
namespace {

constexpr std::chrono::milliseconds kRest{20};

/// Blocks of a local link, one after the other as long as both KMEs want keys.
class FeedProcess {
 public:
  FeedProcess(net::Loop& loop, e91::local::LocalLink& link, e91::station::EveChoice&& eve, e91::station::KmeFeed& a,
              e91::station::KmeFeed& b, bool json)
      : link_(link), eve_(std::move(eve)), a_(a), b_(b), account_(json), timer_(loop.executor()) {}

  void start() {
    a_.start();
    b_.start();
    go_on();
  }

 private:
  void go_on() {
    if (net::Loop::now() >= pause_until_) block();
    timer_.expires_after(kRest);
    timer_.async_wait([this](const net::error_code& cancelled) {
      if (!cancelled) go_on();
    });
  }

  void block() {
    const auto kept = static_cast<e91::station::Owners>(a_.wanted() & b_.wanted());
    if (kept == 0) return;
    if (const auto eve = eve_.changed()) {
      if (const auto set = link_.set_eve(*eve); !set) return down(set.error());
      spdlog::warn("Eve: {}, from the next block on", eve_.name());
    }
    auto outcome = link_.block();
    if (!outcome) return down(outcome.error());
    if (!outcome->keys_equal) spdlog::error("block {}: the two ends' keys differ", outcome->alice.block);
    const auto unwanted = [kept](const e91::party::FinalKey& key) { return (e91::station::owner_of(key) & kept) == 0; };
    std::erase_if(outcome->alice_keys, unwanted);
    std::erase_if(outcome->bob_keys, unwanted);
    account_.tell(outcome->bob, outcome->bob_keys.size());
    const double rate = link_.config().link.slots_per_s;
    a_.add(std::move(outcome->alice_keys));
    b_.add(std::move(outcome->bob_keys));
    a_.block_done(outcome->alice, rate);
    b_.block_done(outcome->bob, rate);
    if (outcome->bob.aborted) pause_until_ = net::Loop::now() + e91::station::kPauseAfterAbort;
  }

  void down(const Error& error) {
    spdlog::error("the link: {}: {}", name(error.kind), error.where);
    for (e91::station::KmeFeed* const feed : {&a_, &b_})
      feed->set_down(std::string(error.where.substr(0, kme::link::kMaxReason)));
    pause_until_ = net::Loop::now() + e91::station::kPauseAfterAbort;
  }

  e91::local::LocalLink& link_;
  e91::station::EveChoice eve_;
  e91::station::KmeFeed& a_;
  e91::station::KmeFeed& b_;
  E91Account account_;
  net::Timer timer_;
  Instant pause_until_ = Instant::min();
};

}  // namespace

int run_e91_feed(const E91FeedOptions& options, bool json) {
  const auto file = e91::link::load_link_file(options.link_file);
  if (!file) return failed(file.error());
  auto eve = e91::station::EveChoice::make(options.eve, options.eve_file);
  if (!eve) return failed(eve.error(), kUsage);
  const auto provider = crypto::make_openssl_provider();
  if (!provider) return failed(provider.error().where);
  e91::local::LocalConfig config{
      .link = file->config, .post = e91::local::post_of(file->config), .block_bits = options.block_bits};
  const auto link = e91::local::LocalLink::create(**provider, config, *eve->first());
  if (!link) return failed(fmt::format("{}: {}", options.link_file, link.error().where));

  net::Loop loop;
  e91::station::KmeFeedOptions to_b = options.kme_b;
  to_b.link = options.kme_a.link;
  to_b.tls.authorities = options.kme_a.tls.authorities;
  to_b.tls.revoked = options.kme_a.tls.revoked;
  to_b.tls.allow_tls_1_2 = options.kme_a.tls.allow_tls_1_2;
  const auto a = e91::station::KmeFeed::make(loop, options.kme_a, "KME " + text::terminal_escape(options.kme_a.url));
  if (!a) return failed(a.error());
  const auto b = e91::station::KmeFeed::make(loop, to_b, "KME " + text::terminal_escape(to_b.url));
  if (!b) return failed(b.error());
  print_warning("the link is simulated: its keys are as secret as this process, with no quantum security");
  FeedProcess process(loop, **link, std::move(*eve), **a, **b, json);
  boost::asio::signal_set signals(loop.io(), SIGINT, SIGTERM);
  stop_on_signals(signals, [&loop] { loop.io().stop(); });
  process.start();
  loop.run();
  return kOk;
}

}  // namespace qsp::cli
