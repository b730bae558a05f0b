#pragma once

#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "cli/echo_client.hpp"
#include "cli/pipe_client.hpp"
#include "cli/sessions.hpp"
#include "files/replacement.hpp"
#include "net/address.hpp"
#include "net/loop.hpp"

/// One dial of `qsp connect`, from resolving the name to the end of the session.
namespace qsp::cli {

struct ClientRun;

/// What all dials of a process have in common; outlives them.
struct ClientSetup {
  const Setup& setup;
  Sessions& sessions;
  net::Address target;
  bool check_echo;     ///< compare what comes back, or else be a pipe
  std::size_t window;  ///< of the echo, bytes
  int input;           ///< open as long as this
  std::optional<files::Replacement>& output;
  Instant dial_by;                                  ///< when dialling is over, its last handshake too
  std::function<void(const ClientRun&)> interrupt;  ///< called where a signal ends the process before a session begins
  std::function<void()> discard;                    ///< removes what was written in part, before such an end

  [[nodiscard]] const Profile& profile() const noexcept { return setup.profile(); }
};

/// Everything that one dial needs while its loop turns, and what came of it.
struct ClientRun {
  const ClientSetup& common;
  bool without_qkd;         ///< the one dial of SPEC §5.9
  std::string before = {};  ///< why the dial before this one has to be repeated
  net::Loop loop{};
  boost::asio::signal_set signals{loop.io(), SIGINT, SIGTERM};
  net::Timer timer{loop.executor()};  ///< of the pause, then of the handshake
  net::ConnectionPtr client{};
  boost::intrusive_ptr<PipeClient> pipe{};  ///< the same, where it is one
  EchoReport report{};
  PipeClientReport pipe_report{};
  std::string failure{};     ///< before there was a session
  bool out_of_time = false;  ///< dial_by ended its handshake
  bool interrupted = false;

  [[nodiscard]] const std::optional<Closed>& closed() const noexcept {
    return common.check_echo ? report.closed : pipe_report.closed;
  }
  [[nodiscard]] bool may_redial_without_qkd() const noexcept {
    return common.check_echo ? report.may_redial_without_qkd : pipe_report.may_redial_without_qkd;
  }
};

/// Dials after a pause, and returns once the session is over and its output written. A signal closes the session; a
/// second one, or one before there is a connection, ends the process.
void dial_once(ClientRun& run, std::chrono::nanoseconds pause);

}  // namespace qsp::cli
