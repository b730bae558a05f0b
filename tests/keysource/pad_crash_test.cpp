#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <random>
#include <set>

#include "keysource/pad_fixture.hpp"

// Pads against what other processes and the operating system do to them.

namespace qsp::keysource::test {
namespace {

using PadsInTrouble = PadTest;
using Clock = std::chrono::steady_clock;

/// What a child reports for each key it was given, in one write, which a pipe keeps whole.
struct Report {
  Uuid key_id;
  std::array<std::uint8_t, kKeySize> key;
};

/// Draws keys and reports them until it is killed, the pad is exhausted, or `limit` keys are drawn.
[[noreturn]] void draw(const std::string& file, int out, std::uint64_t limit) {
  auto pad = Pad::open(file);
  for (std::uint64_t i = 0; pad && i < limit; ++i) {
    const auto taken = pad->take_next();
    if (!taken) break;
    Report report{id_of(*taken), {}};
    std::memcpy(report.key.data(), taken->key.reveal().data(), report.key.size());
    if (::write(out, &report, sizeof report) != sizeof report) break;
  }
  ::_exit(pad ? 0 : 1);
}

struct Drawer {
  pid_t pid;
  files::Descriptor reports;
};

Drawer start_drawing(const std::string& file, std::uint64_t limit) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) std::abort();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    draw(file, ends[1], limit);
  }
  ::close(ends[1]);
  return {pid, files::Descriptor(ends[0])};
}

/// Everything reported until the child has closed its end.
void collect(const Drawer& drawer, std::vector<Report>& all) {
  Report report{};
  while (::read(drawer.reports.get(), &report, sizeof report) == sizeof report) all.push_back(report);
}

int exit_status(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(PadsInTrouble, never_give_a_key_twice_though_killed_at_any_moment) {
  constexpr auto kTime = std::chrono::seconds(5);
  constexpr unsigned kSeed = 20260117;
  create(200'000);
  std::mt19937 random(kSeed);
  std::uniform_int_distribution<int> microseconds(0, 12'000);
  std::vector<Report> all;
  int kills = 0;
  for (const auto end = Clock::now() + kTime; Clock::now() < end || all.empty(); ++kills) {
    const Drawer drawer = start_drawing(a_, kMaxPadKeys);
    ::usleep(static_cast<useconds_t>(microseconds(random)));
    ::kill(drawer.pid, SIGKILL);
    collect(drawer, all);
    EXPECT_EQ(exit_status(drawer.pid), -1) << "killed, and not ended by itself";
  }
  std::set<Uuid> ids;
  std::set<std::array<std::uint8_t, kKeySize>> keys;
  for (const Report& report : all) {
    EXPECT_TRUE(ids.insert(report.key_id).second) << uuid_text(report.key_id);
    EXPECT_TRUE(keys.insert(report.key).second) << uuid_text(report.key_id);
  }
  // However loaded the machine is, both must have happened; a quiet one makes some 500 kills and thousands of keys.
  EXPECT_GT(kills, 0);
  EXPECT_FALSE(all.empty());
  // At most one key a kill is lost: marked, but not yet handed over.
  const auto status = pad_status(a_);
  ASSERT_TRUE(status) << status.error();
  EXPECT_GE(status->own.used, all.size());
  EXPECT_LE(status->own.used, all.size() + static_cast<std::size_t>(kills));
  RecordProperty("kills", kills);
  RecordProperty("keys", static_cast<int>(all.size()));
}

TEST_F(PadsInTrouble, are_given_to_one_of_two_processes_only) {
  create(2'000);
  const Drawer first = start_drawing(a_, kMaxPadKeys);
  std::vector<Report> all;
  Report report{};
  ASSERT_EQ(::read(first.reports.get(), &report, sizeof report), ssize_t{sizeof report});
  all.push_back(report);
  ::kill(first.pid, SIGSTOP);  // it holds the pad, whatever the scheduler does
  const Drawer second = start_drawing(a_, kMaxPadKeys);
  EXPECT_EQ(exit_status(second.pid), 1) << "the second must be refused";
  ::kill(first.pid, SIGCONT);
  collect(first, all);
  EXPECT_EQ(exit_status(first.pid), 0);
  std::set<Uuid> ids;
  for (const Report& each : all) ids.insert(each.key_id);
  EXPECT_EQ(ids.size(), 1'000U);
  EXPECT_EQ(all.size(), 1'000U);
}

/// The exit code of `action` in a process whose files cannot be written from `bytes` on: a full disk, as far as it can
/// see.
template <class Action>
int with_full_disk(rlim_t bytes, Action action) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::_exit(action());
  }
  return exit_status(child);
}

TEST_F(PadsInTrouble, leave_no_file_where_the_disk_is_too_small_for_them) {
  const auto create_here = [&] { return create_pads({.link = "x", .keys = 1'000}, a_, b_, rng_) ? 0 : 1; };
  EXPECT_EQ(with_full_disk(pad_size(1'000) - 1, create_here), 1);
  EXPECT_EQ(folder_.names(), "");
}

TEST_F(PadsInTrouble, stay_fresh_where_their_journal_does_not_fit) {
  create(10'000);
  EXPECT_EQ(with_full_disk(journal_size(10'000) - 1, [&] { return Pad::open(a_) ? 0 : 1; }), 1);
  EXPECT_EQ(folder_.names(), "a.pad b.pad");
  EXPECT_TRUE(Pad::open(a_)) << "nothing was drawn, so a later opening may make the journal";
}

TEST_F(PadsInTrouble, return_no_key_whose_mark_cannot_be_written_and_none_after_it) {
  create(100);
  {
    ASSERT_TRUE(Pad::open(a_));
  }
  const int code = with_full_disk(kJournalHeaderSize, [&] {
    auto pad = Pad::open(a_);
    if (!pad) return 2;
    if (pad->take_next()) return 3;
    const rlimit enough{RLIM_INFINITY, RLIM_INFINITY};
    if (::geteuid() == 0) ::setrlimit(RLIMIT_FSIZE, &enough);
    return pad->take_next() ? 4 : 0;
  });
  EXPECT_EQ(code, 0);
  auto pad = Pad::open(a_);
  ASSERT_TRUE(pad);
  EXPECT_TRUE(pad->take_next());
}

TEST_F(PadsInTrouble, return_no_key_that_cannot_be_overwritten) {
  create(10'000);
  {
    ASSERT_TRUE(Pad::open(a_));
  }
  const auto first = key_id_of(pad_status(a_)->pad_id, 0);
  // The journal (72 + 1,250 bytes) can be written, the pad from its 40th record on cannot: draw until there.
  const int code = with_full_disk(record_offset(40), [&] {
    auto pad = Pad::open(a_);
    if (!pad) return 2;
    for (int i = 0; i < 40; ++i) {
      if (!pad->take_next()) return 3;
    }
    return pad->take_next() ? 4 : 0;
  });
  EXPECT_EQ(code, 0);
  auto pad = Pad::open(a_);
  ASSERT_TRUE(pad);
  EXPECT_NE(id_of(*pad->take_next()), first);
  EXPECT_EQ(pad->status().own.used, 42U) << "the key that could not be overwritten stays marked";
}

}  // namespace
}  // namespace qsp::keysource::test
