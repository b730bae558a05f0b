#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "files/temp_folder.hpp"

namespace qsp::test {

/// A PostgreSQL server of its own in a temporary folder, reached through a socket in that folder alone. It stops with
/// this object, or with the thread that made it, and leaves nothing behind.
class Postgres {
 public:
  /// Why there can be none here, for a message of a test that is skipped; empty where there can.
  static std::string missing();

  /// One for the whole program, started when first asked for.
  static Postgres& shared();

  /// Makes a cluster and starts it. Aborts the program where that fails: call missing() first.
  Postgres();
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;
  ~Postgres();

  /// The URL of a new and empty database.
  std::string new_database();

  /// `settings`: of postgresql.conf, NAME=VALUE.
  void start(const std::vector<std::string>& settings = {});
  /// Makes a file that the server alone may read, or replaces it; its name.
  std::string put(const std::string& name, const std::string& content) const;
  /// As `pg_ctl stop -m immediate` does: without a checkpoint, so that the next start recovers from the log.
  void stop_immediately();
  /// As `pg_ctl stop -m fast` does.
  void stop();

 private:
  void end(int signal);

  TempFolder folder_;
  pid_t server_ = 0;
  int databases_ = 0;
};

}  // namespace qsp::test
