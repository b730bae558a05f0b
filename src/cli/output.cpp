#include "cli/output.hpp"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "cli/app.hpp"
#include "cli/text.hpp"

namespace qsp::cli {
namespace {

std::atomic<bool> writing_failed{false};
std::atomic<bool> written{false};

/// The first failure is told, at once: a server that serves on must not keep it to itself until its end.
void fail(int why) {
  if (writing_failed.exchange(true)) return;
  // A reader that has seen enough (`qsp … | head -1`) needs no telling.
  if (why == EPIPE) return;
  // A stream that was closed at the start is one that cannot be written to (see process::harden).
  const std::string reason = why == EBADF ? "it is closed" : std::generic_category().message(why);
  print_error("cannot write the result to standard output: " + reason);
}

}  // namespace

void write_out(std::string_view text) {
  if (text.empty() || writing_failed) return;
  written = true;
  errno = 0;
  // One call, for which stdio locks the stream: lines of several threads stay whole.
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail(errno != 0 ? errno : EIO);
}

void flush_out() {
  if (writing_failed) return;
  errno = 0;
  if (std::fflush(stdout) != 0) fail(errno != 0 ? errno : EIO);
}

bool output_works() { return !writing_failed; }

int finish_output(int code) {
  flush_out();
  // Some file systems tell of a full disk only when a descriptor of the file is closed.
  if (written && !writing_failed) {
    const int copy = ::dup(STDOUT_FILENO);
    if (copy >= 0 && ::close(copy) != 0 && errno != EINTR) fail(errno);
  }
  return writing_failed && code == kOk ? kFailed : code;
}

void write_err(std::string_view text) noexcept {
  // Unbuffered, so that nothing is left for the program's end.
  if (std::fwrite(text.data(), 1, text.size(), stderr) != text.size()) std::clearerr(stderr);
}

}  // namespace qsp::cli
