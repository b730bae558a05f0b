#include "e91/station/kme_feed.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/try.hpp"
#include "text/escape.hpp"

namespace qsp::e91::station {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kBatchOfOwner = 128;
static_assert(2 * kBatchOfOwner <= kme::link::kMaxLinkItems);
constexpr seconds kCallTime{5};
constexpr milliseconds kTick{100};
constexpr milliseconds kPoolFull{300};  ///< until keys are offered again to a pool that had no room
constexpr seconds kKmeDown{1};          ///< likewise, to a KME that did not answer
constexpr seconds kReportEvery{2};
constexpr seconds kOtherHalf{60};  ///< that a KME waits for the other one to get a key too

/// By Abort, from 1 on: as a metric's label has it.
constexpr std::array<std::string_view, 12> kAbortNames{
    "",       "protocol",       "too_few_rounds", "error_rate", "bell_test",      "reconciliation", "verification",
    "no_key", "authentication", "pad_exhausted",  "link_down",  "too_many_rounds"};

kme::NewPiece piece_of(const party::FinalKey& key) {
  const auto until = std::chrono::system_clock::now() + kOtherHalf;
  return {.id = key.id,
          .bytes = kme::Piece::copy_of(key.key.reveal()),
          .owner = owner_of(key) == kOwnerA ? kme::Owner::Here : kme::Owner::There,
          .simulated = true,
          .confirmed = false,
          .expires = std::chrono::duration_cast<milliseconds>(until.time_since_epoch()).count()};
}

}  // namespace

KmeFeed::KmeFeed(net::Loop& loop, const KmeFeedOptions& options, std::string what)
    : what_(std::move(what)), path_("/link/v1/" + text::url_escape(options.link) + '/'), timer_(loop.executor()) {
  report_.reason = "the station has just started";
  report_.simulated = true;
}

files::OrText<std::unique_ptr<KmeFeed>> KmeFeed::make(net::Loop& loop, const KmeFeedOptions& options,
                                                      std::string what) {
  std::unique_ptr<KmeFeed> feed(new KmeFeed(loop, options, std::move(what)));
  QSP_TRY(auto client, https::Client::make(loop, {.url = options.url,
                                                  .tls = options.tls,
                                                  .server_name = options.server_name,
                                                  .max_body = kme::link::kMaxLinkMessage}));
  feed->client_ = std::move(client);
  return feed;
}

void KmeFeed::start() { tick(); }

void KmeFeed::tick() {
  const Instant now = net::Loop::now();
  if (now >= next_keys_) send_keys();
  if (now >= next_report_) send_report();
  timer_.expires_after(kTick);
  timer_.async_wait([this](const net::error_code& cancelled) {
    if (!cancelled) tick();
  });
}

void KmeFeed::add(std::vector<party::FinalKey>&& keys) {
  for (party::FinalKey& key : keys) waiting_[owner_of(key) == kOwnerA ? 0 : 1].push_back(std::move(key));
  if (net::Loop::now() >= next_keys_) send_keys();
}

void KmeFeed::drop_waiting() {
  for (auto& queue : waiting_) queue.clear();
}

Owners KmeFeed::wanted() const noexcept {
  return static_cast<Owners>((waiting_[0].size() < kEnough ? kOwnerA : 0) |
                             (waiting_[1].size() < kEnough ? kOwnerB : 0));
}

void KmeFeed::send_keys() {
  if (sending_keys_ || (waiting_[0].empty() && waiting_[1].empty())) return;
  kme::link::KeysMessage message;
  std::vector<Uuid> sent;
  for (const auto& queue : waiting_) {
    for (std::size_t i = 0; i < std::min(queue.size(), kBatchOfOwner); ++i) {
      message.pieces.push_back(piece_of(queue[i]));
      sent.push_back(message.pieces.back().id);
    }
  }
  sending_keys_ = true;
  client_->call({.method = https::Method::Post,
                 .target = path_ + "keys",
                 .body = kme::link::to_json(message, 'a'),
                 .deadline = net::Loop::now() + kCallTime},
                [this, sent = std::move(sent)](std::expected<https::Response, https::CallFailure> answer) {
                  sending_keys_ = false;
                  batch_sent(sent, std::move(answer));
                });
}

void KmeFeed::batch_sent(const std::vector<Uuid>& sent, std::expected<https::Response, https::CallFailure> answer) {
  next_keys_ = net::Loop::now() + kKmeDown;
  if (!answer) return note(answer.error().text);
  if (answer->status != 200) {
    return note(
        fmt::format("it answers {} to keys (is this certificate among the link's feeders, and its producer \"feed\"?)",
                    answer->status));
  }
  auto held = kme::link::parse_ids(answer->body.reveal_text());
  if (!held) return note("its answer: " + held.error());
  note("");
  std::ranges::sort(held->ids);
  std::size_t gone = 0;
  for (auto& queue : waiting_) {
    // Only what was sent is looked at; what a block brought meanwhile stands behind it.
    for (std::size_t i = 0, left = std::min(queue.size(), kBatchOfOwner); left > 0; --left) {
      if (std::ranges::binary_search(held->ids, queue[i].id)) {
        queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
        ++gone;
      } else {
        ++i;
      }
    }
  }
  delivered_ += gone;
  next_keys_ = gone == sent.size() ? Instant::min() : net::Loop::now() + kPoolFull;
  if (gone == sent.size()) send_keys();
}

void KmeFeed::block_done(const post::BlockReport& report, double slots_per_s) {
  ++report_.blocks;
  block_at_ = net::Loop::now();
  last_abort_ = report.aborted;
  set_state();
  if (report.aborted) ++report_.aborted[std::string(kAbortNames.at(static_cast<std::size_t>(*report.aborted)))];
  report_.s.reset();
  if (report.tests.chsh) report_.s = report.tests.chsh->value;
  report_.qber = report.aborted ? report.tests.phase_error_rate() : report.qber();
  if (report.aborted && report.tests.phase.bits == 0) report_.qber.reset();
  report_.rate = static_cast<double>(report.length) * slots_per_s / static_cast<double>(report.slots);
  send_report();
}

void KmeFeed::set_state() {
  report_.state = last_abort_ ? kme::link::FeedState::Aborting : kme::link::FeedState::Running;
  report_.reason = last_abort_ ? std::string(describe(*last_abort_)) : std::string();
}

void KmeFeed::set_up() {
  if (report_.state != kme::link::FeedState::Down) return;
  set_state();
  send_report();
}

void KmeFeed::set_down(std::string why) {
  if (report_.state == kme::link::FeedState::Down && report_.reason == why) return;
  report_.state = kme::link::FeedState::Down;
  report_.reason = std::move(why);
  report_.rate = 0;
  send_report();
}

void KmeFeed::send_report() {
  if (sending_report_) return;
  next_report_ = net::Loop::now() + kReportEvery;
  report_.keys = delivered_;
  if (block_at_) report_.block_age = std::chrono::duration<double>(net::Loop::now() - *block_at_).count();
  sending_report_ = true;
  client_->call({.method = https::Method::Post,
                 .target = path_ + "state",
                 .body = kme::link::to_json(report_),
                 .deadline = net::Loop::now() + kCallTime},
                [this](const std::expected<https::Response, https::CallFailure>& answer) {
                  sending_report_ = false;
                  if (!answer) return note(answer.error().text);
                  if (answer->status != 200) return note(fmt::format("it answers {} to a report", answer->status));
                  note("");
                });
}

void KmeFeed::note(std::string problem) {
  if (problem == problem_) return;
  if (problem.empty()) {
    spdlog::info("{}: it takes keys again", what_);
  } else if (problem_.empty()) {
    spdlog::warn("{}: {}; trying again until it works", what_, problem);
  }
  problem_ = std::move(problem);
}

}  // namespace qsp::e91::station
