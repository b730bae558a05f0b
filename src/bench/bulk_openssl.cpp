#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/try.hpp"
#include "bench/bulk.hpp"
#include "bench/own_address.hpp"

namespace qsp::bench {
namespace {

using Clock = std::chrono::steady_clock;
using crypto::openssl::Bio;

constexpr std::chrono::seconds kStart{5};
constexpr std::chrono::seconds kPatience{600};

/// An unnamed file of what a BIO holds.
Descriptor file_of(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  Descriptor file(::memfd_create("qsp-bench", MFD_CLOEXEC));
  if (!file || ::write(file.get(), data, static_cast<std::size_t>(size)) != size) return Descriptor();
  return file;
}

std::string path_of(const Descriptor& file) { return fmt::format("/dev/fd/{}", file.get()); }

struct Place {
  std::string program;
  std::string libraries;  ///< empty: where the system has them
};

/// The program of the OpenSSL that this one is made with. Where that is not the system's, the build asked the
/// environment for it, and so does this: a program that is installed knows nothing of the folders of who built it.
Place place() {
  if constexpr (!std::string_view(QSP_OPENSSL_PROGRAM).empty())
    return {.program = QSP_OPENSSL_PROGRAM, .libraries = {}};
  const char* const root = std::getenv("OPENSSL_ROOT_DIR");  // NOLINT(concurrency-mt-unsafe): nobody writes to it
  if (root == nullptr) return {};
  return {.program = fmt::format("{}/bin/openssl", root), .libraries = fmt::format("{0}/lib:{0}/lib64", root)};
}

Child::Program program(std::vector<std::string> arguments, std::array<int, 3> standard, std::vector<int> kept) {
  auto [openssl, libraries] = place();
  arguments.insert(arguments.begin(), std::move(openssl));
  arguments.insert(arguments.end(), {"-tls1_3", "-ciphersuites", tls::kCipher, "-groups", tls::kGroup});
  return {std::move(arguments), std::move(libraries), standard, std::move(kept)};
}

}  // namespace

Outcome<OpensslProgram> OpensslProgram::make(const tls::Credential& credential) {
  const std::string openssl = place().program;
  if (openssl.empty())
    return std::unexpected("set OPENSSL_ROOT_DIR to the root of the OpenSSL that qsp was built with");
  if (::access(openssl.c_str(), X_OK) != 0) {
    return std::unexpected(fmt::format("the program openssl is not at '{}'", openssl));
  }
  const Bio key(BIO_new(BIO_s_mem()));
  const Bio certificate(BIO_new(BIO_s_mem()));
  if (!key || !certificate ||
      PEM_write_bio_PrivateKey(key.get(), credential.key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_X509(certificate.get(), credential.certificate.get()) != 1) {
    return std::unexpected(tls::explain("a key for openssl cannot be written"));
  }
  OpensslProgram made(file_of(key), file_of(certificate));
  const Descriptor sink(::memfd_create("qsp-bench", MFD_CLOEXEC));
  if (!made.key_ || !made.certificate_ || !sink) return std::unexpected("no unnamed file for openssl can be made");

  constexpr std::uint64_t kSome = 100'000;
  QSP_TRY(made.send(kSome, sink.get()));
  struct ::stat arrived{};
  if (::fstat(sink.get(), &arrived) != 0 || std::cmp_not_equal(arrived.st_size, kSome)) {
    return std::unexpected(fmt::format("openssl s_server wrote {} of {} bytes", arrived.st_size, kSome));
  }
  return made;
}

Outcome<double> OpensslProgram::send(std::uint64_t bytes) const {
  const Descriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!nowhere) return std::unexpected("/dev/null cannot be opened");
  return send(bytes, nowhere.get());
}

Outcome<double> OpensslProgram::send(std::uint64_t bytes, int sink) const {
  const Descriptor input(::memfd_create("qsp-bench", MFD_CLOEXEC));  // a hole, which reads as zeros
  const Descriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  std::array<int, 2> silence{};
  if (!input || !nowhere || ::ftruncate(input.get(), static_cast<off_t>(bytes)) != 0 ||
      ::pipe2(silence.data(), O_CLOEXEC) != 0) {
    return std::unexpected("no input for openssl can be made");
  }
  // The server's terminal is a pipe into which nobody writes: at the end of a file it would read without pause.
  const Descriptor silent(silence[0]);
  const Descriptor never_written(silence[1]);
  QSP_TRY(const auto port, free_port());
  const std::string address = fmt::format("{}:{}", own_address(), port);
  QSP_TRY(auto server, Child::run(program({"s_server", "-accept", address, "-naccept", "1", "-quiet", "-num_tickets",
                                           "0", "-key", path_of(key_), "-cert", path_of(certificate_)},
                                          {silent.get(), sink, nowhere.get()}, {key_.get(), certificate_.get()})));

  // The server does not say when it listens, so the client tries until it does.
  const auto deadline = Clock::now() + kStart;
  for (;;) {
    const auto start = Clock::now();
    QSP_TRY(auto client, Child::run(program({"s_client", "-connect", address, "-quiet", "-no_ign_eof"},
                                            {input.get(), nowhere.get(), nowhere.get()}, {})));
    if (client.succeeds(kPatience)) {
      if (!server.succeeds(kPatience)) return std::unexpected("openssl s_server failed");
      return std::chrono::duration<double>(Clock::now() - start).count();
    }
    if (Clock::now() >= deadline) return std::unexpected("openssl s_client cannot reach openssl s_server");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace qsp::bench
