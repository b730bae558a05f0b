#include "e91/station/dialler.hpp"
#include "net/outcome.hpp"
#include "text/escape.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

namespace qsp::e91::station {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kDialTimeout{5};
constexpr milliseconds kFirstPause{200};
constexpr milliseconds kLongestPause{60'000};
/// A session that lived so long did not fail at once: the next pause is the first again.
constexpr seconds kGoodLife{3};

}  // namespace

Dialler::Dialler(net::Loop& loop, std::string what, net::Address address, MakeSession make, MessageHandler& handler,
                 std::size_t most)
    : loop_(loop),
      what_(std::move(what)),
      address_(std::move(address)),
      make_(std::move(make)),
      handler_(handler),
      most_(most),
      timer_(loop.executor()) {}

void Dialler::start() { boost::asio::co_spawn(loop_.executor(), run(), boost::asio::detached); }

void Dialler::stop() {
  stopping_ = true;
  timer_.cancel();
  if (session_) session_->close(Reason::Normal, "stopping");
}

milliseconds Dialler::next_pause(std::optional<milliseconds> last) noexcept {
  return last ? std::min(2 * *last, kLongestPause) : kFirstPause;
}

boost::asio::awaitable<void> Dialler::run() {
  std::optional<milliseconds> pause;
  while (!stopping_) {
    established_at_ = Instant::max();
    // Named, not a temporary: see https/await.hpp.
    auto dialling = dial_once();
    co_await std::move(dialling);
    if (stopping_) co_return;
    const bool good = established_at_ != Instant::max() && net::Loop::now() - established_at_ >= kGoodLife;
    if (good) problem_.clear();
    short_lived_ = !good && established_at_ != Instant::max();
    pause = next_pause(good ? std::nullopt : pause);
    auto waiting = wait(*pause);
    co_await std::move(waiting);
  }
}

/// One session, from its dial to its end.
boost::asio::awaitable<void> Dialler::dial_once() {
  auto dialling = net::dial(loop_, address_, kDialTimeout);
  auto dialled = co_await std::move(dialling);
  if (stopping_) co_return;
  if (!dialled) {
    note(dialled.error());
    co_return;
  }
  auto endpoint = make_();
  if (!endpoint) {
    note(fmt::format("cannot make a session: {}", endpoint.error().where));
    co_return;
  }
  session_ = new MessageSession(loop_, std::move(dialled->socket), dialled->peer, std::move(*endpoint), *this, handler_,
                                most_);
  const MessageSessionPtr session = session_;
  session->start();
  while (session_ && !stopping_) {
    auto waiting = wait(std::chrono::hours(24));  // until connection_finished cancels it
    co_await std::move(waiting);
  }
}

boost::asio::awaitable<void> Dialler::wait(std::chrono::nanoseconds time) {
  timer_.expires_after(time);
  auto waiting = timer_.async_wait(net::kOutcome);
  co_await std::move(waiting);
}

void Dialler::note(const std::string& problem) {
  if (problem != problem_) spdlog::warn("{}: {}; trying again until it works", what_, problem);
  problem_ = problem;
}

void Dialler::connection_established(net::Connection&) {
  established_at_ = net::Loop::now();
  spdlog::log(short_lived_ ? spdlog::level::debug : spdlog::level::info, "{}: connected to {}", what_,
              net::to_string(address_));
}

void Dialler::connection_closed(net::Connection&, const Closed& closed, const net::error_code& transport) {
  if (stopping_) return;
  const std::string text = text::terminal_escape(closed.text);
  note(fmt::format("the session ended{} ({}{}{}{}{})", closed.by_peer ? " there" : "", name(closed.reason),
                   text.empty() ? "" : ": ", text, transport ? ", " : "", transport ? transport.message() : ""));
}

void Dialler::connection_finished(net::Connection&) {
  session_.reset();
  timer_.cancel();
}

}  // namespace qsp::e91::station
