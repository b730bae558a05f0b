#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "files/descriptor.hpp"
#include "net/address.hpp"
#include "net/process_groups.hpp"
#include "net/pumped_connection.hpp"

/// What a server does with an established session besides an echo.
namespace qsp::net {

/// Carries a session to a TCP server and back, one connection for each session.
class ForwardConnection : public PumpedConnection {
 public:
  /// Files that one may have open at once: its own socket, the target's, another attempt at it, and two to watch it.
  static constexpr std::size_t kDescriptors = 5;

  ForwardConnection(Loop& loop, Socket&& socket, const tcp::endpoint& peer, std::unique_ptr<Endpoint> endpoint,
                    ConnectionOwner& owner, std::chrono::nanoseconds stall_limit, const Address& target)
      : PumpedConnection(loop, std::move(socket), peer, std::move(endpoint), owner, stall_limit), target_(target) {}

 protected:
  void handle_established() override;

 private:
  const Address& target_;
};

/// Runs a command for each session, whose standard input and output are the peer's data.
///
/// The command runs under /bin/sh with QSP_PEER set to the peer's pinned name. Its output is complete for the peer only
/// if it exits with 0; any other end closes the session. A session that is over ends what is left of the command's
/// process group: SIGTERM, and SIGKILL ProcessGroups::kGrace later.
class ExecConnection : public PumpedConnection {
 public:
  /// Files that one may have open at once: its own socket, four pipe ends and the process while a command starts, and
  /// three to watch it.
  static constexpr std::size_t kDescriptors = 9;

  ExecConnection(Loop& loop, Socket&& socket, const tcp::endpoint& peer, std::unique_ptr<Endpoint> endpoint,
                 ConnectionOwner& owner, std::chrono::nanoseconds stall_limit, const std::string& command,
                 ProcessGroups& groups)
      : PumpedConnection(loop, std::move(socket), peer, std::move(endpoint), owner, stall_limit),
        command_(command),
        groups_(groups),
        group_timer_(loop.executor()) {
    pump().await_judgement();  // by the status that the command ends with
  }

 protected:
  void handle_established() override;

 private:
  void handle_finished() override;

  std::optional<std::string> start();
  void watch_child();
  void await_child();
  void reap();
  void end_group();
  void look_at_group(Instant deadline);
  void group_is_over();

  const std::string& command_;
  ProcessGroups& groups_;
  Timer group_timer_;
  int child_ = -1;  ///< process id; -1 once it was waited for
  /// Its process group; -1 once nobody is left in it. One that is left when the loop goes is still known to groups_,
  /// which ends it with the server.
  int group_ = -1;
  files::Descriptor child_fd_;  ///< its pidfd
  std::optional<Watch> child_watch_;
};

}  // namespace qsp::net
