#include "files/file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <vector>

#include "files/temp_folder.hpp"
#include "files/trusted.hpp"

namespace qsp::files {
namespace {

using test::TempFolder;

mode_t mode_of(const std::string& file) {
  struct stat info{};
  return ::stat(file.c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
}

TEST(PrivateFile, is_read_whole) {
  const TempFolder folder;
  const auto text = read_private_file(folder.with("key", "short"), 5);
  ASSERT_TRUE(text) << text.error();
  EXPECT_EQ(text->reveal_text(), "short");
  const std::string big(100'000, 'x');
  const auto long_text = read_private_file(folder.with("long", big), big.size());
  ASSERT_TRUE(long_text) << long_text.error();
  EXPECT_EQ(long_text->reveal_text(), big);
}

TEST(PrivateFile, that_any_other_user_can_touch_is_refused_with_the_remedy) {
  const TempFolder folder;
  const std::string file = folder.with("key", "secret");
  for (const mode_t bit : {040U, 020U, 010U, 04U, 02U, 01U}) {
    ASSERT_EQ(::chmod(file.c_str(), 0600U | bit), 0);
    const auto text = read_private_file(file, 100);
    ASSERT_FALSE(text) << "mode bit " << bit;
    EXPECT_TRUE(text.error().contains("chmod 600 " + file)) << text.error();
  }
  ASSERT_EQ(::chmod(file.c_str(), 0400), 0);
  EXPECT_TRUE(read_private_file(file, 100));
}

TEST(PrivateFile, of_another_user_is_refused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const TempFolder folder;
  const std::string file = folder.with("key", "secret");
  ASSERT_EQ(::chown(file.c_str(), 12345, 12345), 0);
  const auto text = read_private_file(file, 100);
  ASSERT_FALSE(text);
  EXPECT_TRUE(text.error().contains("another user")) << text.error();
}

TEST(PrivateFile, is_judged_by_what_a_symbolic_link_leads_to) {
  const TempFolder folder;
  const std::string file = folder.with("key", "secret");
  const std::string link = folder / "link";
  std::filesystem::create_symlink(file, link);
  EXPECT_TRUE(read_private_file(link, 100));
  ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
  EXPECT_FALSE(read_private_file(link, 100));
}

TEST(TrustedFile, may_be_read_by_all_and_changed_by_its_owner_alone) {
  const TempFolder folder;
  const std::string file = folder.with("peers.toml", "content");
  ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
  const auto content = read_trusted_file(file, 100);
  ASSERT_TRUE(content) << content.error();
  EXPECT_EQ(content->text.reveal_text(), "content");
  for (const mode_t bit : {020U, 02U}) {
    ASSERT_EQ(::chmod(file.c_str(), 0644U | bit), 0);
    const auto refused = read_trusted_file(file, 100);
    ASSERT_FALSE(refused) << "mode bit " << bit;
    EXPECT_TRUE(refused.error().contains("chmod go-w " + file)) << refused.error();
  }
}

TEST(TrustedFile, of_another_user_is_refused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const TempFolder folder;
  const std::string file = folder.with("peers.toml", "content");
  ASSERT_EQ(::chown(file.c_str(), 12345, 12345), 0);
  const auto refused = read_trusted_file(file, 100);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().contains("another user") && refused.error().contains("chown")) << refused.error();
}

TEST(TrustedFile, in_a_folder_where_anyone_may_replace_it_is_refused) {
  const TempFolder folder;
  const std::string file = folder.with("peers.toml", "content");
  const std::string inside = std::filesystem::path(file).parent_path().string();
  ASSERT_EQ(::chmod(inside.c_str(), 0777), 0);
  const auto refused = read_trusted_file(file, 100);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().contains("chmod o-w " + inside)) << refused.error();
  for (const mode_t mode : {01777U, 0775U, 0755U}) {
    ASSERT_EQ(::chmod(inside.c_str(), mode), 0);
    EXPECT_TRUE(read_trusted_file(file, 100)) << mode;
  }
}

TEST(File, larger_than_its_bound_is_refused) {
  const TempFolder folder;
  const auto content = read_file(folder.with("big", "123456"), 5);
  ASSERT_FALSE(content);
  EXPECT_TRUE(content.error().contains("larger than 5 bytes")) << content.error();
}

TEST(File, that_is_no_regular_file_is_refused_without_waiting) {
  const TempFolder folder;
  const std::string fifo = folder / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& name : {fifo, folder / "", std::string("/dev/zero")}) {
    const auto content = read_file(name, 100);
    ASSERT_FALSE(content) << name;
    EXPECT_TRUE(content.error().contains("not a regular file")) << content.error();
  }
}

TEST(File, that_is_not_there_is_named) {
  const auto content = read_file("/nowhere/key", 100);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error(), "/nowhere/key: cannot open: No such file or directory");
}

TEST(NewFile, has_its_content_and_mode) {
  const TempFolder folder;
  ASSERT_TRUE(write_new_file(folder / "key", as_bytes("secret"), 0600));
  EXPECT_EQ(test::content_of(folder / "key"), "secret");
  EXPECT_EQ(mode_of(folder / "key"), 0600U);
}

TEST(NewFile, never_replaces_another_nor_writes_through_a_link) {
  const TempFolder folder;
  const std::string old = folder.with("old", "precious");
  const std::string link = folder / "link";
  const std::string dangling = folder / "dangling";
  std::filesystem::create_symlink(old, link);
  std::filesystem::create_symlink(folder / "nowhere", dangling);
  for (const std::string& name : {old, link, dangling}) {
    const auto written = write_new_file(name, as_bytes("new"), 0600);
    ASSERT_FALSE(written) << name;
    EXPECT_TRUE(written.error().contains("never overwritten")) << written.error();
  }
  EXPECT_EQ(test::content_of(old), "precious");
  EXPECT_FALSE(std::filesystem::exists(folder / "nowhere"));
}

/// What `action` returned in a process whose files cannot grow beyond `bytes`: a full disk, as far as it can see.
template <class Action>
bool succeeds_with_full_disk(rlim_t bytes, Action action) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::_exit(action() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(NewFile, is_not_left_behind_on_a_full_disk) {
  const TempFolder folder;
  const std::vector<std::uint8_t> content(10'000);
  const auto write = [&] { return write_new_file(folder / "key", content, 0600).has_value(); };
  EXPECT_FALSE(succeeds_with_full_disk(9'999, write));
  EXPECT_EQ(folder.names(), "");
  EXPECT_TRUE(succeeds_with_full_disk(10'000, write));
  EXPECT_EQ(folder.names(), "key");
}

}  // namespace
}  // namespace qsp::files
