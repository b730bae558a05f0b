#include "node/dial.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <random>
#include <utility>

#include "base/try.hpp"
#include "net/outcome.hpp"
#include "node/broken_pipe.hpp"

namespace qsp::node {
namespace {

constexpr std::chrono::nanoseconds kDialTimeout = std::chrono::seconds(10);
constexpr std::chrono::nanoseconds kShortestDial = std::chrono::milliseconds(1);

/// Why another dial follows this one after a pause.
std::string why_again(const DialReport& report, const net::Address& target) {
  if (report.server_is_full()) return net::to_string(target) + " is full";
  if (!report.closed || !report.closed->by_peer) return "this end's budget of QKD keys is spent";
  return net::to_string(target) + "'s budget of QKD keys is spent, or it has no room now";
}

}  // namespace

Dial::Dial(const DialConfig& config, DialEvents& events)
    : target_(config.target),
      retry_for_(config.retry_for),
      events_(events),
      log_([&events](Level level, const std::string& line) { events.log(level, line); }) {}

std::expected<std::unique_ptr<Dial>, Refused> Dial::open(const DialConfig& config, DialEvents& events) try {
  std::unique_ptr<Dial> dial(new Dial(config, events));
  QSP_TRY(auto end, LocalEnd::load(config.end, Role::Client, dial->log_));
  dial->end_ = std::move(end);
  for (const std::string& warning : dial->end_->warnings()) events.warning(warning);
  auto endpoints = dial->end_->endpoints();
  if (!endpoints) return refuse(std::move(endpoints.error()));
  dial->endpoints_ = *std::move(endpoints);
  return dial;
} catch (const boost::system::system_error& failed) {  // Asio makes its epoll descriptors in constructors
  return refuse(fmt::format("cannot dial: {} (see: ulimit -n)", failed.what()));
}

DialReport Dial::run(const DialApplication& application) {
  if (!end_->profile().half_close && std::holds_alternative<CarryPipe>(application)) {
    report_.failure =
        fmt::format("a pipe needs profile 1.0: {} cannot say that data is complete", end_->profile().name);
    return report_;
  }
  if (!survives_broken_pipe()) {
    report_.failure = "this process has to ignore SIGPIPE: an output that nobody reads any more would end it";
    return report_;
  }
  application_ = &application;
  Redial redial(retry_for_, net::Loop::now(), std::random_device()());
  dial_by_ = redial.dial_by();
  std::string before;
  for (std::optional<Redial::Next> next = Redial::Next{}; next;) {
    dial_once({.without_qkd = next->without_qkd, .before = std::move(before)}, next->pause);
    next = redial.after(report_, net::Loop::now());
    if (!next) break;
    if (next->without_qkd) {
      before.clear();
      events_.falls_back(report_);
    } else {
      before = why_again(report_, target_);
      log_.warn("{}: trying again in {:.1f} s", before, std::chrono::duration<double>(next->pause).count());
      events_.repeated(report_);
    }
  }
  connection_.reset();
  return report_;
}

void Dial::dial_once(DialReport&& fresh, std::chrono::nanoseconds pause) {
  connection_.reset();
  finished_ = false;
  echo_ = nullptr;
  pipe_ = nullptr;
  report_ = std::move(fresh);
  events_.dialling();
  boost::asio::co_spawn(loop_.executor(), connect(pause), boost::asio::detached);
  loop_.run();
  loop_.io().restart();
  collect();
}

boost::asio::awaitable<void> Dial::connect(std::chrono::nanoseconds pause) {
  if (pause > std::chrono::nanoseconds::zero()) {
    timer_.expires_after(pause);
    co_await timer_.async_wait(net::kOutcome);
  }
  const std::chrono::nanoseconds limit = std::clamp(dial_by_ - net::Loop::now(), kShortestDial, kDialTimeout);
  std::expected<net::Dialled, std::string> dialled = co_await net::dial(loop_, target_, limit);
  if (!dialled) {
    fail(std::move(dialled.error()));
    co_return;
  }
  Result<std::unique_ptr<Endpoint>> endpoint = endpoints_->make(report_.without_qkd);
  const int input = std::visit([](const auto& carried) { return carried.input; }, *application_);
  std::expected<net::Watch, net::error_code> watch = net::Watch::open(loop_, input);
  if (!endpoint || !watch) {
    fail(endpoint ? fmt::format("cannot watch the input: {}", watch.error().message())
                  : fmt::format("cannot make a session: {}", endpoint.error().where));
    co_return;
  }
  start_session(std::move(*dialled), std::move(*endpoint), std::move(*watch));
}

void Dial::fail(std::string why) {
  report_.failure = std::move(why);
  events_.over(false);
}

void Dial::start_session(net::Dialled&& dialled, std::unique_ptr<Endpoint> endpoint, net::Watch&& watch) {
  if (const auto* const checked = std::get_if<CheckEcho>(application_)) {
    echo_ = new EchoClient(
        loop_, std::move(dialled.socket), dialled.peer, std::move(endpoint), *this,
        {.input = checked->input, .watch = std::move(watch), .output = checked->output, .show = checked->show},
        {.half_close = end_->profile().half_close, .window = checked->window});
    connection_ = echo_;
  } else {
    pipe_ = new PipeClient(loop_, std::move(dialled.socket), dialled.peer, std::move(endpoint), *this,
                           end_->stall_limit(), std::get<CarryPipe>(*application_));
    connection_ = pipe_;
  }
  report_.connected = true;
  if (auto* const delivery = endpoints_->delivery(); delivery != nullptr) connection_->set_key_delivery(*delivery);
  end_handshake_in_time();
  connection_->start();
}

/// The handshake has its own limit; this is that of dialling altogether.
void Dial::end_handshake_in_time() {
  if (dial_by_ == Instant::max()) return;
  timer_.expires_at(net::Loop::time_point(dial_by_));
  timer_.async_wait([this](const net::error_code& cancelled) {
    if (cancelled || connection_->endpoint().phase() != Phase::Handshake) return;
    report_.out_of_time = true;
    connection_->close(Reason::Timeout, "the time for dialling is over");
  });
}

void Dial::connection_established(net::Connection& connection) {
  report_.established = true;
  established_at_ = net::Loop::now();
  events_.established(view_of(connection));
}

void Dial::connection_rekeyed(net::Connection& connection) { events_.rekeyed(view_of(connection)); }

void Dial::connection_closed(net::Connection& connection, const Closed& closed, const net::error_code& transport) {
  report_.closed = closed;
  if (transport) report_.transport = transport.message();
  report_.traffic = connection.traffic();
  report_.status = view_of(connection).status;
  report_.may_redial_without_qkd = connection.endpoint().may_redial_without_qkd();
  if (!report_.established) return;
  report_.elapsed = net::Loop::now() - established_at_;
  report_.epoch = connection.endpoint().epoch();
  events_.closed(view_of(connection));
}

void Dial::connection_finished(net::Connection& connection) {
  finished_ = true;
  timer_.cancel();
  if (stopping_) loop_.io().stop();
  events_.over(connection.established());
}

/// What its connection can tell when the dial is over.
void Dial::collect() {
  if (!connection_) return;
  report_.cut_off = connection_->cut_off();
  report_.heard_anything = connection_->heard_anything();
  report_.asked_for_key = connection_->asked_for_key();
  report_.foreign = connection_->foreign();
  if (echo_ != nullptr) report_.echo = echo_->report();
  if (pipe_ != nullptr) report_.pipe = pipe_->report();
  const auto presented = connection_->endpoint().presented();
  if (presented && !report_.established) report_.stranger = end_->describe_stranger(*presented);
}

bool Dial::interrupt() {
  const bool again = std::exchange(report_.interrupted, true);
  if (again || !connection_) return false;
  connection_->close(Reason::Normal, "interrupted");
  return true;
}

void Dial::stop() {
  boost::asio::post(loop_.executor(), [this] {
    if (std::exchange(stopping_, true)) return;
    interrupt();
    if (!connection_ || finished_) loop_.io().stop();
  });
}

}  // namespace qsp::node
