#pragma once

#include <cstdint>
#include <string>

#include "bench/child.hpp"
#include "bench/rounds.hpp"
#include "bench/tls.hpp"

/// The daemons that `qsp bench loopback` measures: qsp itself, and stunnel.
namespace qsp::bench {

/// What a server does with the data of its connection.
struct ServerEnd {
  std::uint16_t forward = 0;  ///< a port of 127.0.0.1; 0: `command` instead
  std::string command;        ///< words with blanks between them, run without a shell
};

/// A server that listens on `port`.
struct RunningServer {
  Child child;
  std::uint16_t port;
};

/// How a contender is started. Clients read their standard input and write their standard output.
class Daemon {
 public:
  virtual ~Daemon() = default;
  virtual Outcome<RunningServer> serve(const ServerEnd& end) const = 0;
  virtual Outcome<Child> connect(std::uint16_t port, int input, int output) const = 0;
};

/// A folder that goes with its object, and all that is in it.
class ScratchFolder {
 public:
  static Outcome<ScratchFolder> make();
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder();
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + '/' + name; }

 private:
  explicit ScratchFolder(std::string path) noexcept : path_(std::move(path)) {}
  std::string path_;
};

/// Makes keys and pins for qsp in `folder`, which outlives the daemon.
Outcome<std::unique_ptr<Daemon>> make_qsp_daemon(const std::string& program, const ScratchFolder& folder);

struct StunnelDaemon {
  std::unique_ptr<Daemon> daemon;
  std::string version;  ///< "stunnel 5.68 with OpenSSL 3.5.7 9 Jun 2026"
};
/// Error: one line that says why there is none, that it is not installed for instance.
Outcome<StunnelDaemon> make_stunnel_daemon(const tls::Credential& credential, const ScratchFolder& folder);

}  // namespace qsp::bench
