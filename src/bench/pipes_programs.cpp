#include "bench/pipes_programs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "base/try.hpp"
#include "bench/own_address.hpp"
#include "bench/pipes_traffic.hpp"
#include "crypto/routed/provider.hpp"

namespace qsp::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kStart{10};
constexpr std::array kStunnelPlaces{"/usr/bin/stunnel", "/usr/bin/stunnel4", "/usr/local/bin/stunnel"};

/// Where the OpenSSL is that this program is made with, as for openssl's own (bulk_openssl.cpp); empty: the system's.
std::string openssl_libraries() {
  const char* const root = std::getenv("OPENSSL_ROOT_DIR");  // NOLINT(concurrency-mt-unsafe): nobody writes to it
  return root == nullptr ? "" : fmt::format("{0}/lib:{0}/lib64", root);
}

Descriptor nowhere() { return Descriptor(::open("/dev/null", O_RDWR | O_CLOEXEC)); }  // NOLINT(*-vararg)

Outcome<void> write_text(const std::string& file, const std::string& text) {
  const Descriptor to(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));  // NOLINT(*-vararg)
  if (!to || ::write(to.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return std::unexpected(file + " cannot be written");
  }
  return {};
}

/// All that a program writes to one of its outputs until it ends.
std::string said(const Child::Program& program, int output) {
  auto pipe = PipeHandles::make();
  const Descriptor silent = nowhere();
  if (!pipe || !silent) return {};
  Child::Program run = program;
  run.standard = {silent.get(), silent.get(), silent.get()};
  run.standard[static_cast<std::size_t>(output)] = pipe->in.get();
  auto child = Child::run(run);
  if (!child) return {};
  pipe->in = Descriptor();
  std::string text;
  std::array<char, 4096> some{};
  for (ssize_t count = 0; (count = ::read(pipe->out.get(), some.data(), some.size())) > 0;) {
    text.append(some.data(), static_cast<std::size_t>(count));
  }
  static_cast<void>(child->succeeds(kStart));
  return text;
}

/// This program's, which its environment may have told it: Child hands none of that on.
std::string provider() { return std::string(crypto::name(crypto::default_library())); }

class Qsp final : public Daemon {
 public:
  Qsp(std::string program, const ScratchFolder& folder) : program_(std::move(program)), folder_(folder) {}

  Outcome<RunningServer> serve(const ServerEnd& end) const override {
    QSP_TRY(auto told, PipeHandles::make());
    const Descriptor silent = nowhere();
    auto child =
        Child::run({.arguments = {program_, "serve", "--listen", "127.0.0.1:0", "--log-level", "off", "--provider",
                                  provider(), "--key", folder_ / "bob.key", "--peers", folder_ / "bob.toml",
                                  end.forward != 0 ? "--forward" : "--exec",
                                  end.forward != 0 ? fmt::format("127.0.0.1:{}", end.forward) : "exec " + end.command},
                    .library_folder = {},
                    .standard = {silent.get(), told.in.get(), silent.get()},
                    .kept = {}});
    if (!child) return std::unexpected(child.error());
    told.in = Descriptor();
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> lines(::fdopen(::dup(told.out.get()), "r"), std::fclose);
    std::array<char, 200> line{};
    if (!lines || std::fgets(line.data(), line.size(), lines.get()) == nullptr) {
      return std::unexpected("qsp serve did not start");
    }
    const std::string text(line.data());
    unsigned port = 0;
    const char* const digits = text.data() + text.rfind(':') + 1;
    std::from_chars(digits, text.data() + text.size(), port);
    if (port == 0) return std::unexpected("qsp serve did not say where it listens");
    return RunningServer{*std::move(child), static_cast<std::uint16_t>(port)};
  }

  Outcome<Child> connect(std::uint16_t port, int input, int output) const override {
    const Descriptor silent = nowhere();
    return Child::run(
        {.arguments = {program_, "connect", fmt::format("127.0.0.1:{}", port), "--log-level", "off", "--provider",
                       provider(), "--key", folder_ / "alice.key", "--peers", folder_ / "alice.toml", "--peer", "bob"},
         .library_folder = {},
         .standard = {input, output, silent.get()},
         .kept = {}});
  }

 private:
  std::string program_;
  const ScratchFolder& folder_;
};

class Stunnel final : public Daemon {
 public:
  Stunnel(std::string program, const ScratchFolder& folder) : program_(std::move(program)), folder_(folder) {}

  Outcome<RunningServer> serve(const ServerEnd& end) const override {
    QSP_TRY(const auto port, free_port());
    const std::string does =
        end.forward != 0 ? fmt::format("connect = 127.0.0.1:{}\n", end.forward)
                         : fmt::format("exec = {}\nexecArgs = {}\n", end.command.substr(0, end.command.find(' ')),
                                       end.command.substr(end.command.rfind('/', end.command.find(' ')) + 1));
    const std::string config = common() + fmt::format(
                                              "foreground = yes\npid =\n[bench]\naccept = {}:{}\ncert = {}\n"
                                              "key = {}\n{}",
                                              own_address(), port, folder_ / "cert.pem", folder_ / "key.pem", does);
    QSP_TRY(write_text(folder_ / "server.conf", config));
    const Descriptor silent = nowhere();
    QSP_TRY(auto child, run({program_, folder_ / "server.conf"}, {silent.get(), silent.get(), silent.get()}));
    for (const auto deadline = Clock::now() + kStart; !accepts(port);) {
      if (Clock::now() > deadline) return std::unexpected("stunnel did not start");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return RunningServer{std::move(child), port};
  }

  /// Without a service of its own in the file it serves its standard streams, as inetd had it.
  Outcome<Child> connect(std::uint16_t port, int input, int output) const override {
    const std::string config = common() + fmt::format("client = yes\nconnect = {}:{}\n", own_address(), port);
    QSP_TRY(write_text(folder_ / "client.conf", config));
    const Descriptor silent = nowhere();
    return run({program_, folder_ / "client.conf"}, {input, output, silent.get()});
  }

  static Outcome<Child> run(std::vector<std::string> arguments, std::array<int, 3> standard) {
    return Child::run(
        {.arguments = std::move(arguments), .library_folder = openssl_libraries(), .standard = standard, .kept = {}});
  }

 private:
  static std::string common() {
    return fmt::format("debug = 0\nsyslog = no\nsslVersion = TLSv1.3\nciphersuites = {}\n", tls::kCipher);
  }

  std::string program_;
  const ScratchFolder& folder_;
};

}  // namespace

Outcome<ScratchFolder> ScratchFolder::make() {
  std::error_code failed;
  std::string path = (std::filesystem::temp_directory_path(failed) / "qsp-bench-XXXXXX").string();
  if (failed || ::mkdtemp(path.data()) == nullptr) return std::unexpected("no temporary folder can be made");
  return ScratchFolder(std::move(path));
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Outcome<std::unique_ptr<Daemon>> make_qsp_daemon(const std::string& program, const ScratchFolder& folder) {
  const auto pin = [](const std::string& name, const std::string& right) {
    return fmt::format("[[peer]]\nname = \"{0}\"\nkey_file = \"{0}.key.pub\"\n{1} = true\n", name, right);
  };
  const Descriptor silent = nowhere();
  for (const std::string name : {"alice", "bob"}) {
    auto made = Child::run({.arguments = {program, "keygen", "--out", folder / (name + ".key")},
                            .library_folder = {},
                            .standard = {silent.get(), silent.get(), silent.get()},
                            .kept = {}});
    if (!made) return std::unexpected(made.error());
    if (!made->succeeds(kStart)) return std::unexpected(fmt::format("{} keygen failed", program));
  }
  QSP_TRY(write_text(folder / "bob.toml", pin("alice", "connect")));
  QSP_TRY(write_text(folder / "alice.toml", pin("bob", "serve")));
  return std::make_unique<Qsp>(program, folder);
}

Outcome<StunnelDaemon> make_stunnel_daemon(const tls::Credential& credential, const ScratchFolder& folder) {
  std::string program;
  for (const char* const place : kStunnelPlaces) {
    if (program.empty() && ::access(place, X_OK) == 0) program = place;
  }
  if (program.empty()) return std::unexpected("stunnel is not installed (Debian's package stunnel4)");
  const std::string version = said({{program, "-version"}, openssl_libraries(), {}, {}}, STDERR_FILENO);
  const std::string_view own = OpenSSL_version(OPENSSL_VERSION);
  if (version.find(own) == std::string::npos) {
    return std::unexpected(fmt::format("{} does not run with {}: set OPENSSL_ROOT_DIR to its root", program, own));
  }
  const std::size_t named = version.find("stunnel 5");
  const std::string release =
      named == std::string::npos ? "stunnel" : version.substr(named, version.find(' ', named + 8) - named);

  const auto file_for = [](const std::string& name) { return crypto::openssl::Bio(BIO_new_file(name.c_str(), "w")); };
  {
    const auto key = file_for(folder / "key.pem");
    const auto certificate = file_for(folder / "cert.pem");
    if (!key || !certificate ||
        PEM_write_bio_PrivateKey(key.get(), credential.key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
        PEM_write_bio_X509(certificate.get(), credential.certificate.get()) != 1) {
      return std::unexpected(tls::explain("a key for stunnel cannot be written"));
    }
  }
  return StunnelDaemon{std::make_unique<Stunnel>(program, folder), fmt::format("{} with {}", release, own)};
}

}  // namespace qsp::bench
