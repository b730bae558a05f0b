#include "e91/station/feed_process.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>
#include <vector>

#include "crypto/routed/provider.hpp"
#include "e91/link/link_file.hpp"
#include "e91/station/block_log.hpp"
#include "e91/station/eve_file.hpp"
#include "text/escape.hpp"

namespace qsp::e91::station {
namespace {

constexpr std::chrono::milliseconds kRest{20};

}  // namespace

/// Blocks of a local link, one after the other as long as both KMEs want keys.
class FeedProcess::Blocks {
 public:
  Blocks(net::Loop& loop, local::LocalLink& link, EveChoice&& eve, KmeFeed& a, KmeFeed& b, ProcessEvents& events)
      : link_(link), eve_(std::move(eve)), a_(a), b_(b), events_(events), timer_(loop.executor()) {}

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
    const auto kept = static_cast<Owners>(a_.wanted() & b_.wanted());
    if (kept == 0) return;
    if (const auto eve = eve_.changed()) {
      if (const auto set = link_.set_eve(*eve); !set) return down(set.error());
      spdlog::warn("Eve: {}, from the next block on", eve_.current().name());
    }
    auto outcome = link_.block();
    if (!outcome) return down(outcome.error());
    if (!outcome->keys_equal) spdlog::error("block {}: the two ends' keys differ", outcome->alice.block);
    const auto unwanted = [kept](const party::FinalKey& key) { return (owner_of(key) & kept) == 0; };
    std::erase_if(outcome->alice_keys, unwanted);
    std::erase_if(outcome->bob_keys, unwanted);
    log_.tell(outcome->bob, outcome->bob_keys.size());
    events_.block(outcome->bob, outcome->bob_keys.size());
    const double rate = link_.config().link.slots_per_s;
    a_.add(std::move(outcome->alice_keys));
    b_.add(std::move(outcome->bob_keys));
    a_.block_done(outcome->alice, rate);
    b_.block_done(outcome->bob, rate);
    if (outcome->bob.aborted) pause_until_ = net::Loop::now() + kPauseAfterAbort;
  }

  void down(const Error& error) {
    spdlog::error("the link: {}: {}", name(error.kind), error.where);
    for (KmeFeed* const feed : {&a_, &b_}) feed->set_down(std::string(error.where.substr(0, kme::link::kMaxReason)));
    pause_until_ = net::Loop::now() + kPauseAfterAbort;
  }

  local::LocalLink& link_;
  EveChoice eve_;
  KmeFeed& a_;
  KmeFeed& b_;
  ProcessEvents& events_;
  BlockLog log_;
  net::Timer timer_;
  Instant pause_until_ = Instant::min();
};

std::expected<std::unique_ptr<FeedProcess>, node::Refused> FeedProcess::open(const FeedProcessConfig& config,
                                                                             ProcessEvents& events) {
  std::unique_ptr<FeedProcess> made(new FeedProcess);
  const auto file = link::load_link_file(config.link_file);
  if (!file) return node::refuse(file.error());
  auto eve = EveChoice::make(config.eve, config.eve_file);
  if (!eve) return node::refuse_config(eve.error());
  auto provider = crypto::make_provider();
  if (!provider) return node::refuse(provider.error());
  made->provider_ = std::move(*provider);
  const local::LocalConfig link_config{
      .link = file->config, .post = local::post_of(file->config), .block_bits = config.block_bits};
  auto link = local::LocalLink::create(*made->provider_, link_config, eve->current());
  if (!link) return node::refuse(fmt::format("{}: {}", config.link_file, link.error().where));
  made->link_ = std::move(*link);

  KmeFeedOptions to_b = config.kme_b;
  to_b.link = config.kme_a.link;
  to_b.tls.authorities = config.kme_a.tls.authorities;
  to_b.tls.revoked = config.kme_a.tls.revoked;
  to_b.tls.allow_tls_1_2 = config.kme_a.tls.allow_tls_1_2;
  auto a = KmeFeed::make(made->loop_, config.kme_a, "KME " + text::terminal_escape(config.kme_a.url));
  if (!a) return node::refuse(a.error());
  made->a_ = std::move(*a);
  auto b = KmeFeed::make(made->loop_, to_b, "KME " + text::terminal_escape(to_b.url));
  if (!b) return node::refuse(b.error());
  made->b_ = std::move(*b);
  events.warning("the link is simulated: its keys are as secret as this process, with no quantum security");
  made->blocks_ = std::make_unique<Blocks>(made->loop_, *made->link_, std::move(*eve), *made->a_, *made->b_, events);
  return made;
}

FeedProcess::FeedProcess() = default;

FeedProcess::~FeedProcess() = default;

void FeedProcess::run() {
  blocks_->start();
  loop_.run();
}

}  // namespace qsp::e91::station
