#include "identity/passphrase.hpp"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/try.hpp"
#include "qsp/bytes.hpp"
#include "qsp/secret.hpp"

namespace qsp::identity {
namespace {

using files::OrText;

/// Signals that may come while echo is off. Each ends the wait, and is raised again once the terminal is
/// restored.
constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGALRM};
std::array<volatile std::sig_atomic_t, kSignals.size()> caught{};

extern "C" void note_signal(int number) {
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    if (kSignals[i] == number) caught[i] = 1;
  }
}

bool any_caught() {
  for (const auto& flag : caught) {
    if (flag != 0) return true;
  }
  return false;
}

bool was_caught(int number) {
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    if (kSignals[i] == number) return caught[i] != 0;
  }
  return false;
}

/// Handlers that only take notes, as long as it lives. The signals stay blocked but for the waits under `waiting_mask`:
/// one that came just before a read would not end it. Not so what the terminal sends to a background process: blocking
/// these would let it meddle with the terminal.
class SignalNotes {
 public:
  SignalNotes() {
    for (auto& flag : caught) flag = 0;
    struct sigaction note{};
    note.sa_handler = note_signal;
    ::sigemptyset(&note.sa_mask);
    sigset_t blocked;
    ::sigemptyset(&blocked);
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      ::sigaction(kSignals[i], &note, &before_[i]);
      if (kSignals[i] != SIGTTIN && kSignals[i] != SIGTTOU) ::sigaddset(&blocked, kSignals[i]);
    }
    ::pthread_sigmask(SIG_BLOCK, &blocked, &mask_before_);
  }
  SignalNotes(const SignalNotes&) = delete;
  SignalNotes& operator=(const SignalNotes&) = delete;
  ~SignalNotes() {
    // Unblocked first: what is pending is noted and not lost to the handlers of before.
    ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
  }

  [[nodiscard]] const sigset_t& waiting_mask() const noexcept { return mask_before_; }

 private:
  std::array<struct sigaction, kSignals.size()> before_{};
  sigset_t mask_before_{};
};

/// Echo off as long as it lives. Typed-ahead input is dropped both times: it was not meant for what comes next.
class NoEcho {
 public:
  explicit NoEcho(int tty) : tty_(tty) {
    if (::tcgetattr(tty, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
    silent.c_lflag |= ICANON | ISIG;
    active_ = ::tcsetattr(tty, TCSAFLUSH, &silent) == 0;
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() {
    // Interrupted is no reason to leave echo off; SIGTTOU is, since a background process may not set it at all.
    while (active_ && ::tcsetattr(tty_, TCSAFLUSH, &before_) != 0 && errno == EINTR && !was_caught(SIGTTOU)) continue;
  }
  [[nodiscard]] bool active() const noexcept { return active_; }

 private:
  int tty_;
  termios before_{};
  bool active_ = false;
};

enum class Ended { Line, EndOfInput, TooLong, Signal, Error };

void say(int tty, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(tty, text.data(), text.size());
    if (put <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

/// Reads one line, byte by byte so that nothing of what follows is taken.
Ended read_line(int tty, const sigset_t& waiting_mask, SecretBytes& line) {
  while (true) {
    pollfd ready{tty, POLLIN, 0};
    const int waited = ::ppoll(&ready, 1, nullptr, &waiting_mask);
    if (any_caught()) return Ended::Signal;
    if (waited < 0 && errno == EINTR) continue;
    if (waited < 0) return Ended::Error;
    char next = 0;
    const ssize_t got = ::read(tty, &next, 1);
    if (any_caught()) return Ended::Signal;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Ended::Error;
    if (got == 0) return Ended::EndOfInput;
    if (next == '\n') return Ended::Line;
    if (line.size() == kMaxPassphraseSize) return Ended::TooLong;
    line.append(std::string_view(&next, 1));
  }
}

/// One prompt and its answer, with the terminal and the signal handlers back in place on return.
Ended ask_once(int tty, const std::string& prompt, SecretBytes& answer) {
  answer = SecretBytes();
  const SignalNotes notes;
  Ended ended = Ended::Error;
  {
    const NoEcho silence(tty);
    if (!silence.active()) return any_caught() ? Ended::Signal : Ended::Error;
    say(tty, prompt);
    ended = read_line(tty, notes.waiting_mask(), answer);
  }
  say(tty, "\n");
  return ended;
}

}  // namespace

OrText<SecretBytes> passphrase_from_file(const std::string& file) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  constexpr std::size_t kLineEnd = 2;
  OrText<SecretBytes> content = files::read_private_file(file, kMaxPassphraseSize + kLineEnd);
  if (!content) return content;
  std::string_view text = content->reveal_text();
  const auto refused = [&file](std::string_view why) { return std::unexpected(file + ": " + std::string(why)); };
  // What another program would take for part of the line, or not, must not decide whether the key opens.
  if (text.starts_with(kByteOrderMark)) return refused("starts with a byte order mark; save it as UTF-8 without one");
  if (text.ends_with('\n')) {
    text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
  }
  if (text.empty()) return refused("holds no passphrase; write one line into it");
  if (text.contains('\0')) return refused("has a NUL in its passphrase; write one line of text into it");
  if (text.find_first_of("\r\n") != std::string_view::npos) {
    return refused("has more than one line; a passphrase is one line, so leave only that");
  }
  if (text.size() > kMaxPassphraseSize) {
    return refused("a passphrase has at most " + std::to_string(kMaxPassphraseSize) + " bytes");
  }
  return SecretBytes::copy_of(text);
}

OrText<SecretBytes> passphrase_from_terminal(const std::string& prompt) {
  const files::Descriptor tty(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!tty) return std::unexpected("no terminal to ask for a passphrase; use --passphrase-file");
  while (true) {
    SecretBytes answer;
    const Ended ended = ask_once(tty.get(), prompt, answer);
    switch (ended) {
      case Ended::Line:
        if (answer.reveal_text().empty()) return std::unexpected("an empty passphrase protects nothing; type one");
        return answer;
      case Ended::EndOfInput:
        return std::unexpected("no passphrase given");
      case Ended::TooLong:
        return std::unexpected("a passphrase has at most " + std::to_string(kMaxPassphraseSize) + " bytes");
      case Ended::Error:
        return std::unexpected("the terminal cannot be asked for a passphrase; use --passphrase-file");
      case Ended::Signal:
        break;
    }
    // With the usual handlers back: what ends the process ends it here; after a stop, the question is asked again.
    bool stopped_only = true;
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      if (caught[i] == 0) continue;
      stopped_only = stopped_only && (kSignals[i] == SIGTSTP || kSignals[i] == SIGTTIN || kSignals[i] == SIGTTOU);
      ::kill(::getpid(), kSignals[i]);
    }
    if (!stopped_only) return std::unexpected("no passphrase given");
  }
}

OrText<SecretBytes> new_passphrase_from_terminal(const std::string& prompt) {
  OrText<SecretBytes> first = passphrase_from_terminal(prompt);
  if (!first) return first;
  QSP_TRY(const SecretBytes again, passphrase_from_terminal("once more: "));
  if (!constant_time_equal(first->reveal(), again.reveal())) {
    return std::unexpected("the two passphrases differ; start again");
  }
  return first;
}

}  // namespace qsp::identity
