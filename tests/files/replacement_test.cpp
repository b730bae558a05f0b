#include "files/replacement.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "files/temp_folder.hpp"

namespace qsp::files {
namespace {

using test::content_of;
using test::TempFolder;

constexpr unsigned kMode = 0640;

Bytes bytes_of(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

bool put(const Replacement& file, std::string_view text) {
  return ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

mode_t mode_of(const std::string& file) {
  struct stat info{};
  return ::stat(file.c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
}

TEST(Replacement, leaves_the_old_file_as_it_was_until_the_new_one_is_whole) {
  const TempFolder folder;
  const std::string file = folder.with("out", "old");
  {
    auto made = Replacement::begin(file, kMode);
    ASSERT_TRUE(made) << made.error();
    ASSERT_TRUE(put(*made, "half"));
    EXPECT_EQ(content_of(file), "old");
  }
  EXPECT_EQ(content_of(file), "old");
  EXPECT_EQ(folder.names(), "out") << "something of the failed one is left";

  auto made = Replacement::begin(file, kMode);
  ASSERT_TRUE(made) << made.error();
  ASSERT_TRUE(put(*made, "new"));
  const auto done = made->commit();
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(content_of(file), "new");
  EXPECT_EQ(folder.names(), "out");
}

TEST(Replacement, a_new_file_gets_the_mode_asked_for_and_one_that_is_replaced_passes_its_own_on) {
  const TempFolder folder;
  const mode_t mask = ::umask(0);
  ASSERT_TRUE(replace_file(folder / "new", bytes_of("x"), kMode));
  ::umask(mask);
  EXPECT_EQ(mode_of(folder / "new"), kMode);
  const std::string file = folder.with("old", "old");
  ASSERT_EQ(::chmod(file.c_str(), 0604), 0);
  ASSERT_TRUE(replace_file(file, bytes_of("new"), kMode));
  EXPECT_EQ(mode_of(file), 0604U);
}

TEST(Replacement, a_link_stays_and_the_file_that_it_leads_to_is_replaced) {
  const TempFolder folder;
  const std::string file = folder.with("file", "old");
  std::filesystem::create_symlink("file", folder / "link");
  std::filesystem::create_symlink("not there yet", folder / "dangling");
  ASSERT_TRUE(replace_file(folder / "link", bytes_of("new"), kMode));
  ASSERT_TRUE(replace_file(folder / "dangling", bytes_of("made"), kMode));
  EXPECT_EQ(content_of(file), "new");
  EXPECT_EQ(content_of(folder / "not there yet"), "made");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "dangling"));
  std::filesystem::create_symlink("ring", folder / "ring");
  EXPECT_FALSE(replace_file(folder / "ring", bytes_of("x"), kMode));
}

TEST(Replacement, what_is_not_a_regular_file_is_written_in_place) {
  const TempFolder folder;
  ASSERT_TRUE(replace_file("/dev/null", bytes_of("x"), kMode));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  const std::string fifo = folder / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::string read;
  std::jthread reader([&] { read = content_of(fifo); });
  ASSERT_TRUE(replace_file(fifo, bytes_of("through a pipe"), kMode));
  reader.join();
  EXPECT_EQ(read, "through a pipe");
  EXPECT_TRUE(std::filesystem::is_fifo(fifo));
}

TEST(Replacement, a_file_that_must_be_new_is_whole_or_not_there_and_takes_the_place_of_nothing) {
  const TempFolder folder;
  const std::string file = folder / "new";
  {
    auto begun = Replacement::begin_new(file, kMode);
    ASSERT_TRUE(begun) << begun.error();
    ASSERT_TRUE(begun->write(bytes_of("first")));
    EXPECT_FALSE(std::filesystem::exists(file));
  }
  EXPECT_EQ(folder.names(), "");
  auto begun = Replacement::begin_new(file, 0600);
  ASSERT_TRUE(begun) << begun.error();
  ASSERT_TRUE(begun->write(bytes_of("one")) && begun->write(bytes_of("two")) && begun->commit());
  EXPECT_EQ(content_of(file), "onetwo");
  EXPECT_EQ(mode_of(file), 0600U);
  EXPECT_NE(Replacement::begin_new(file, kMode).error().find("new: exists, and is never overwritten"),
            std::string::npos);
}

TEST(Replacement, a_file_that_must_be_new_leaves_one_that_came_meanwhile_and_follows_no_link) {
  const TempFolder folder;
  auto begun = Replacement::begin_new(folder / "new", kMode);
  ASSERT_TRUE(begun && begun->write(bytes_of("mine")));
  static_cast<void>(folder.with("new", "another's"));
  const auto done = begun->commit();
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().find("new: exists, and is never overwritten"), std::string::npos) << done.error();
  begun->discard();
  EXPECT_EQ(content_of(folder / "new"), "another's");
  std::filesystem::create_symlink("nowhere", folder / "link");
  EXPECT_FALSE(Replacement::begin_new(folder / "link", kMode));
  EXPECT_EQ(folder.names(), "link new");
}

TEST(Replacement, what_cannot_be_written_says_so_and_changes_nothing) {
  const TempFolder folder;
  EXPECT_FALSE(replace_file(folder / "no/such/folder", bytes_of("x"), kMode));
  ASSERT_TRUE(std::filesystem::create_directory(folder / "folder"));
  EXPECT_FALSE(replace_file(folder / "folder", bytes_of("x"), kMode));
  if (::geteuid() != 0) {
    const std::string file = folder.with("locked", "old");
    ASSERT_EQ(::chmod(file.c_str(), 0400), 0);
    EXPECT_FALSE(replace_file(file, bytes_of("x"), kMode));
    EXPECT_EQ(content_of(file), "old");
  }
  const auto full = replace_file("/dev/full", bytes_of("x"), kMode);
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().find("/dev/full: cannot be written"), std::string::npos) << full.error();
}

TEST(FileId, is_the_same_under_every_name_of_a_file) {
  const TempFolder folder;
  const std::string file = folder.with("file", "x");
  std::filesystem::create_hard_link(file, folder / "hard");
  std::filesystem::create_symlink(file, folder / "soft");
  EXPECT_EQ(file_id(file), file_id(folder / "hard"));
  EXPECT_EQ(file_id(file), file_id(folder / "soft"));
  EXPECT_NE(file_id(file), file_id(folder.with("other", "x")));
  EXPECT_EQ(file_id(folder / "none"), std::nullopt);
}

TEST(WouldReplace, names_the_input_that_writing_would_cost_whatever_its_name) {
  const TempFolder folder;
  const std::string key = folder.with("key", "secret");
  std::filesystem::create_symlink(key, folder / "link");
  const std::vector<InputFile> inputs{{"nothing", ""}, {"no file", folder / "none"}, {"the key", key}};
  EXPECT_EQ(would_replace(folder / "link", inputs), "the key");
  EXPECT_EQ(would_replace(folder.with("other", "x"), inputs), std::nullopt);
  EXPECT_EQ(would_replace(folder / "none", inputs), std::nullopt) << "what is not there cannot be lost";
  EXPECT_EQ(would_replace("/dev/null", {{"a device", "/dev/null"}}), std::nullopt) << "keeps nothing";
}

}  // namespace
}  // namespace qsp::files
