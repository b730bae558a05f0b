#pragma once

#include <boost/asio/signal_set.hpp>
#include <functional>
#include <optional>
#include <string>

#include "cli/app.hpp"
#include "cli/session/client_account.hpp"
#include "cli/session/node_log.hpp"
#include "node/dial.hpp"
#include "node/dial_explain.hpp"

namespace qsp::cli {

class DialSignals;

/// Tells of the dials of `qsp connect`: its log, and the account of each one.
class DialLog final : public node::DialEvents {
 public:
  explicit DialLog(const Context& context) : context_(context), log_(write_log) {}
  /// Before the dial runs. All outlive its run.
  void tell_of(const node::Dialled& dialled, AccountLines& account, DialSignals& signals) {
    dialled_ = &dialled;
    account_ = &account;
    signals_ = &signals;
  }

  void warning(const std::string& text) override;
  void log(node::Level level, const std::string& line) override;
  void dialling() override;
  void established(const node::SessionView& session) override;
  void rekeyed(const node::SessionView& session) override;
  void closed(const node::SessionView& session) override;
  void over(bool was_established) override;
  void repeated(const node::DialReport& report) override;
  void falls_back(const node::DialReport& report) override;

 private:
  const Context& context_;
  node::Log log_;
  const node::Dialled* dialled_ = nullptr;
  AccountLines* account_ = nullptr;
  DialSignals* signals_ = nullptr;
};

/// The signals that end a dial. The first closes its session; a second one, or one before there is a connection, ends
/// the process.
class DialSignals {
 public:
  /// `end` ends the process; it hears whether it was the first signal. `dial` outlives this.
  DialSignals(node::Dial& dial, std::function<void(bool first)> end);

  /// A dial begins.
  void arm();
  /// Its socket is closed. Output may still be on its way: from here on a signal ends the process as it would any
  /// other. Where there was no session another dial may follow, and has the signals that come meanwhile.
  void over(bool was_established);

 private:
  void wait();

  node::Dial& dial_;
  std::function<void(bool first)> end_;
  boost::asio::signal_set signals_;
  bool over_ = false;
};

}  // namespace qsp::cli
