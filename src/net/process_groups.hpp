#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "files/descriptor.hpp"
#include "qsp/error.hpp"

namespace qsp::net {

/// Whether a process of the group lives. A leader that was not waited for counts as living.
bool group_lives(int group) noexcept;

/// The process groups of the commands that a server runs, none of which outlives it.
///
/// Each is asked to end with SIGTERM and killed kGrace later. A guard, a small process of its own, does the same for
/// what is left when the server was killed itself. A command that leaves its group with setsid(2) is on its own.
class ProcessGroups {
 public:
  /// What a command has to end after SIGTERM.
  static constexpr std::chrono::seconds kGrace{5};

  /// Starts the guard, a copy of this process: so call it before secrets are read. Error: one line; also
  /// where this process has other threads.
  static Result<std::unique_ptr<ProcessGroups>, std::string> start();
  ProcessGroups(const ProcessGroups&) = delete;
  ProcessGroups& operator=(const ProcessGroups&) = delete;
  /// Kills what is left.
  ~ProcessGroups();

  /// From any thread: a group has begun; has ended, or was killed.
  void add(int group);
  void remove(int group);

  /// Ends what is left, which takes kGrace at most. The leaders must be children of this process. No group may be added
  /// any more.
  void end_all();
  /// The same at once, without SIGTERM.
  void kill_all();

 private:
  ProcessGroups(int guard, files::Descriptor&& socket) noexcept : guard_(guard), socket_(std::move(socket)) {}
  void tell(int message) const noexcept;

  int guard_;                 ///< process id
  files::Descriptor socket_;  ///< to the guard, which sees its end
  std::mutex mutex_;
  std::vector<int> groups_;
};

}  // namespace qsp::net
