#include "kme/postgres.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace qsp::test {
namespace {

/// The folder of the newest server's programs, or empty.
std::string programs() {
  std::string newest;
  int newest_version = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", error)) {
    const int version = std::atoi(entry.path().filename().c_str());
    if (version <= newest_version || !std::filesystem::exists(entry.path() / "bin/initdb")) continue;
    newest_version = version;
    newest = (entry.path() / "bin").string();
  }
  return newest;
}

/// PostgreSQL refuses to run as root; then it runs as the user that its package made.
const passwd* other_user() { return ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr; }

pid_t spawn(const std::vector<std::string>& command, const std::string& log) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const passwd* user = other_user();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  if (user != nullptr && (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)) {
    ::_exit(126);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(fd, STDOUT_FILENO);
  ::dup2(fd, STDERR_FILENO);
  if (::chdir("/") != 0) ::_exit(126);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

int wait_for(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

[[noreturn]] void give_up(const std::string& what, const std::string& log) {
  std::fprintf(stderr, "PostgreSQL of the test: %s\n%s\n", what.c_str(), content_of(log).c_str());
  std::abort();
}

}  // namespace

std::string Postgres::missing() {
  if (programs().empty()) return "no server in /usr/lib/postgresql; install the package postgresql";
  if (::geteuid() == 0 && other_user() == nullptr) return "no user postgres, and the server does not run as root";
  return {};
}

Postgres& Postgres::shared() {
  static Postgres server;
  return server;
}

Postgres::Postgres() {
  if (const passwd* user = other_user(); user != nullptr) {
    if (::chown((folder_ / "").c_str(), user->pw_uid, user->pw_gid) != 0) std::abort();
  }
  const std::string log = folder_ / "log";
  const pid_t made = spawn({programs() + "/initdb", "-D", folder_ / "data", "-U", "qsp", "-A", "trust", "--no-sync",
                            "--locale=C", "-E", "UTF8"},
                           log);
  if (wait_for(made) != 0) give_up("initdb failed", log);
  start();
}

Postgres::~Postgres() { stop(); }

std::string Postgres::put(const std::string& name, const std::string& content) const {
  std::string file = folder_.with(name, content);
  const passwd* user = other_user();
  if (::chmod(file.c_str(), 0600) != 0) std::abort();
  if (user != nullptr && ::chown(file.c_str(), user->pw_uid, user->pw_gid) != 0) std::abort();
  return file;
}

void Postgres::start(const std::vector<std::string>& settings) {
  constexpr int kTries = 5000;
  const std::string log = folder_ / "log";
  std::vector<std::string> command{programs() + "/postgres", "-D", folder_ / "data", "-k", folder_ / "", "-c",
                                   "listen_addresses="};
  const std::vector<std::string> ready{programs() + "/pg_isready", "-q", "-h", folder_ / ""};
  for (const std::string& setting : settings) command.insert(command.end(), {"-c", setting});
  server_ = spawn(command, log);
  for (int i = 0; i < kTries; ++i) {
    if (wait_for(spawn(ready, log)) == 0) return;
    ::usleep(20'000);
  }
  give_up("the server does not start", log);
}

std::string Postgres::new_database() {
  const std::string name = "d" + std::to_string(++databases_);
  const std::string log = folder_ / "log";
  const std::string folder = folder_ / "";
  if (wait_for(spawn({programs() + "/createdb", "-h", folder, "-U", "qsp", "-T", "template0", name}, log)) != 0) {
    give_up("createdb failed", log);
  }
  return "postgresql://qsp@/" + name + "?host=" + folder;
}

void Postgres::stop_immediately() { end(SIGQUIT); }

void Postgres::stop() { end(SIGINT); }

void Postgres::end(int signal) {
  if (server_ == 0) return;
  ::kill(server_, signal);
  wait_for(server_);
  server_ = 0;
}

}  // namespace qsp::test
