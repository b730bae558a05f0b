#include "identity/passphrase.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <string>

#include "files/temp_folder.hpp"

namespace qsp::identity::test {
namespace {

using qsp::test::TempFolder;

TEST(PassphraseFile, is_one_line_without_its_end) {
  const TempFolder folder;
  const std::string longest(kMaxPassphraseSize, 'x');
  for (const auto& [content, expected] : {std::pair<std::string, std::string>{"horse", "horse"},
                                          {"horse\n", "horse"},
                                          {"horse\r\n", "horse"},
                                          {" a horse \n", " a horse "},
                                          {"h\xC3\xB6rse\t", "h\xC3\xB6rse\t"},
                                          {longest, longest},
                                          {longest + "\r\n", longest}}) {
    const auto text = passphrase_from_file(folder.with("passphrase", content));
    ASSERT_TRUE(text) << text.error();
    EXPECT_EQ(text->reveal_text(), expected);
  }
}

TEST(PassphraseFile, that_another_program_would_read_otherwise_is_refused_with_the_remedy) {
  using namespace std::string_literals;
  const TempFolder folder;
  const std::string too_long(kMaxPassphraseSize + 1, 'x');
  for (const auto& [content, why] : {std::pair<std::string, std::string>{"", "write one line"},
                                     {"\n", "write one line"},
                                     {"\r\n", "write one line"},
                                     {"horse\n\n", "more than one line"},
                                     {"horse\nbattery\n", "more than one line"},
                                     {"horse\rbattery", "more than one line"},
                                     {"horse\r", "more than one line"},
                                     {"horse\0battery\n"s, "NUL"},
                                     {"\xEF\xBB\xBFhorse\n", "byte order mark"},
                                     {too_long, "at most 1024 bytes"},
                                     {too_long + "xx", "larger than"}}) {
    const std::string file = folder.with("passphrase", content);
    const auto text = passphrase_from_file(file);
    ASSERT_FALSE(text) << testing::PrintToString(content);
    EXPECT_TRUE(text.error().starts_with(file + ": ") && text.error().contains(why)) << text.error();
  }
}

/// A child on a terminal of its own that asks for a passphrase; this side is its keyboard and screen.
class Terminal {
 public:
  template <class Child>
  explicit Terminal(Child child) {
    pid_ = ::forkpty(&screen_, nullptr, nullptr, nullptr);
    if (pid_ == 0) ::_exit(child());
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    if (pid_ > 0 && !ended_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(screen_);
  }

  /// Waits until the screen has shown `text`, since the last time.
  bool shows(std::string_view text) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(90);
    while (std::chrono::steady_clock::now() < deadline) {
      if (const auto at = shown_.find(text); at != std::string::npos) {
        shown_.erase(0, at + text.size());
        return true;
      }
      pollfd ready{screen_, POLLIN, 0};
      if (::poll(&ready, 1, 100) <= 0) continue;
      std::array<char, 256> more{};
      const ssize_t got = ::read(screen_, more.data(), more.size());
      if (got <= 0) return false;
      shown_.append(more.data(), static_cast<std::size_t>(got));
      all_.append(more.data(), static_cast<std::size_t>(got));
    }
    return false;
  }

  void type(std::string_view text) {
    EXPECT_EQ(::write(screen_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  [[nodiscard]] bool echoes() const {
    termios settings{};
    return ::tcgetattr(screen_, &settings) == 0 && (settings.c_lflag & ECHO) != 0;
  }

  /// Everything that the screen has shown.
  [[nodiscard]] const std::string& screen() const noexcept { return all_; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ended_ = true;
    return status;
  }

 private:
  pid_t pid_ = -1;
  int screen_ = -1;
  bool ended_ = false;
  std::string shown_;
  std::string all_;
};

/// A child's end waits for a line: until then its terminal can be looked at.
void wait_for_line() {
  for (char c = 0; c != '\n' && ::read(STDIN_FILENO, &c, 1) == 1;) {
  }
}

/// Exit codes of a child.
constexpr int kRight = 0;
constexpr int kOther = 1;
constexpr int kRefused = 2;

int ask_for_horse() {
  const auto text = passphrase_from_terminal("passphrase: ");
  if (!text) return kRefused;
  return text->reveal_text() == "horse" ? kRight : kOther;
}

int code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }

TEST(PassphrasePrompt, takes_a_line_that_the_screen_never_shows) {
  Terminal terminal([] {
    // Standard input is not what is asked: a program may read its data there.
    ::close(STDIN_FILENO);
    const int result = ask_for_horse();
    ::usleep(50'000);
    return result;
  });
  ASSERT_TRUE(terminal.shows("passphrase: "));
  EXPECT_FALSE(terminal.echoes());
  terminal.type("horse\n");
  ASSERT_TRUE(terminal.shows("\n"));
  EXPECT_EQ(code(terminal.wait()), kRight);
  EXPECT_FALSE(terminal.screen().contains("horse"));
}

TEST(PassphrasePrompt, gives_echo_back) {
  Terminal terminal([] {
    const int result = ask_for_horse();
    ::write(STDOUT_FILENO, "done", 4) < 0 ? ::_exit(9) : static_cast<void>(0);
    wait_for_line();
    return result;
  });
  ASSERT_TRUE(terminal.shows("passphrase: "));
  terminal.type("horse\n");
  ASSERT_TRUE(terminal.shows("done"));
  EXPECT_TRUE(terminal.echoes());
  terminal.type("\n");
  EXPECT_EQ(code(terminal.wait()), kRight);
}

TEST(PassphrasePrompt, gives_echo_back_when_a_signal_ends_the_process) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    Terminal terminal([] {
      // A process that outlives the asking one keeps the terminal, so that its settings can be looked at.
      const pid_t asking = ::fork();
      if (asking == 0) ::_exit(ask_for_horse());
      ::signal(SIGINT, SIG_IGN);
      ::signal(SIGQUIT, SIG_IGN);
      ::signal(SIGHUP, SIG_IGN);
      const std::string line = "pid " + std::to_string(asking) + " .";
      static_cast<void>(::write(STDOUT_FILENO, line.data(), line.size()) < 0);
      int status = 0;
      ::waitpid(asking, &status, 0);
      static_cast<void>(::write(STDOUT_FILENO, "ended.", 6) < 0);
      wait_for_line();
      return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    });
    // The two lines come in either order.
    while (!(terminal.screen().contains(" .") && terminal.screen().contains("passphrase: "))) {
      ASSERT_TRUE(terminal.shows(" "));
    }
    const auto at = terminal.screen().find("pid ");
    const pid_t asking = std::stoi(terminal.screen().substr(at + 4));
    EXPECT_FALSE(terminal.echoes());
    ASSERT_EQ(::kill(asking, number), 0);
    ASSERT_TRUE(terminal.shows("ended."));
    EXPECT_TRUE(terminal.echoes()) << "signal " << number;
    terminal.type("\n");
    EXPECT_EQ(code(terminal.wait()), number) << "the signal must take its usual effect";
  }
}

TEST(PassphrasePrompt, gives_echo_back_while_stopped_and_asks_again) {
  Terminal terminal(ask_for_horse);
  ASSERT_TRUE(terminal.shows("passphrase: "));
  // The session's leader belongs to an orphaned group, which SIGTSTP does not stop; it is raised and has no effect.
  ASSERT_EQ(::kill(terminal.pid(), SIGTSTP), 0);
  ASSERT_TRUE(terminal.shows("passphrase: ")) << "asked again";
  terminal.type("horse\n");
  EXPECT_EQ(code(terminal.wait()), kRight);
}

TEST(PassphrasePrompt, refuses_nothing_too_much_and_end_of_input) {
  const std::string long_line(kMaxPassphraseSize + 1, 'x');
  for (const std::string_view typed : {std::string_view("\n"), std::string_view("\x04"), std::string_view(long_line)}) {
    Terminal terminal(ask_for_horse);
    ASSERT_TRUE(terminal.shows("passphrase: "));
    terminal.type(typed);
    if (typed.size() > 1) terminal.type("\n");
    EXPECT_EQ(code(terminal.wait()), kRefused) << typed.size();
  }
}

TEST(PassphrasePrompt, without_a_terminal_names_the_other_way) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();  // no controlling terminal any more
    const auto text = passphrase_from_terminal("passphrase: ");
    ::_exit(!text && text.error().contains("--passphrase-file") ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(code(status), 0);
}

TEST(NewPassphrase, must_be_typed_the_same_twice) {
  for (const auto& [again, expected] : {std::pair{"horse\n", kRight}, std::pair{"house\n", kRefused}}) {
    Terminal terminal([] {
      const auto text = new_passphrase_from_terminal("new: ");
      return text ? (text->reveal_text() == "horse" ? kRight : kOther) : kRefused;
    });
    ASSERT_TRUE(terminal.shows("new: "));
    terminal.type("horse\n");
    ASSERT_TRUE(terminal.shows("once more: "));
    terminal.type(again);
    EXPECT_EQ(code(terminal.wait()), expected);
  }
}

}  // namespace
}  // namespace qsp::identity::test
