#include "cli/session/dial_log.hpp"

#include <csignal>
#include <utility>

#include "cli/text.hpp"
#include "node/session_text.hpp"
#include "process/harden.hpp"

namespace qsp::cli {

void DialLog::warning(const std::string& text) { print_warning(text); }

void DialLog::log(node::Level level, const std::string& line) { write_log(level, line); }

void DialLog::dialling() { signals_->arm(); }

void DialLog::established(const node::SessionView& session) {
  if (session.status) node::log_established(log_, *session.status);
}

void DialLog::rekeyed(const node::SessionView& session) {
  if (session.status) node::log_epochs_over(log_, *session.status, false);
}

void DialLog::closed(const node::SessionView& session) {
  if (session.status) node::log_epochs_over(log_, *session.status, true);
}

void DialLog::over(bool was_established) { signals_->over(was_established); }

void DialLog::repeated(const node::DialReport& report) {
  account_for(context_, report, *dialled_, explain(report, *dialled_), *account_);
}

void DialLog::falls_back(const node::DialReport& report) {
  const auto failure = explain(report, *dialled_);
  account_for(context_, report, *dialled_, failure, *account_);
  log_.warn("{}; QKD is preferred, not required: dialling again WITHOUT a QKD key", failure.value_or(""));
}

DialSignals::DialSignals(node::Dial& dial, std::function<void(bool first)> end)
    : dial_(dial), end_(std::move(end)), signals_(dial.loop().io(), SIGINT, SIGTERM) {
  // A terminal that goes away ends the session in good order too, unless whoever started this wants it to live on
  // (nohup).
  if (process::is_ignored(SIGHUP)) return;
  net::error_code ignored;  // it ends the process then, as it always did
  signals_.add(SIGHUP, ignored);
}

void DialSignals::arm() {
  over_ = false;
  wait();
}

void DialSignals::wait() {
  signals_.async_wait([this](const net::error_code& cancelled, int) {
    if (cancelled) return;
    const bool first = !dial_.report().interrupted;
    if (!dial_.interrupt()) return end_(first);
    if (!over_) wait();
  });
}

void DialSignals::over(bool was_established) {
  over_ = true;
  net::error_code ignored;  // it has nothing left to fail at
  if (was_established) signals_.clear(ignored);
  signals_.cancel(ignored);
}

}  // namespace qsp::cli
