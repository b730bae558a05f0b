#include "config/document.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "files/temp_folder.hpp"

namespace qsp::config {
namespace {

constexpr FileKind kKind{.most = 100};

class Documents : public testing::Test {
 protected:
  static std::string error_of(const std::string& file, const FileKind& kind = kKind) {
    const auto document = Document::read(file, kind);
    return document ? "(read)" : document.error();
  }

  qsp::test::TempFolder folder_;
};

TEST_F(Documents, are_read_from_a_file) {
  const std::string file = folder_.with("a.toml", "name = \"x\"\n");
  const auto document = Document::read(file, kKind);
  ASSERT_TRUE(document) << document.error();
  EXPECT_EQ(document->file(), file);
  ASSERT_EQ(document->members().size(), 1U);
  std::string name;
  Table root = document->root("a thing");
  root.text("name", name);
  EXPECT_TRUE(root.finish());
  EXPECT_EQ(name, "x");
}

TEST_F(Documents, that_others_may_change_are_refused_where_they_say_whom_to_trust) {
  const std::string file = folder_.with("a.toml", "name = \"x\"\n");
  ::chmod(file.c_str(), 0664);
  EXPECT_TRUE(error_of(file).contains("chmod go-w")) << error_of(file);
  EXPECT_EQ(error_of(file, {.most = 100, .trusted = false}), "(read)");
  ::chmod(file.c_str(), 0644);
  EXPECT_EQ(error_of(file), "(read)");
}

TEST_F(Documents, know_whether_others_may_read_them) {
  const std::string file = folder_.with("a.toml", "");
  ::chmod(file.c_str(), 0644);
  EXPECT_FALSE(Document::read(file, kKind)->is_private());
  ::chmod(file.c_str(), 0600);
  EXPECT_TRUE(Document::read(file, kKind)->is_private());
  EXPECT_FALSE(Document::parse(file, "", kKind)->is_private());
}

TEST_F(Documents, are_bounded) {
  EXPECT_EQ(error_of(folder_.with("fits.toml", "#" + std::string(99, 'x'))), "(read)");
  const std::string big = folder_.with("big.toml", "#" + std::string(100, 'x'));
  EXPECT_TRUE(error_of(big).starts_with(big + ": larger than 100 bytes")) << error_of(big);
  const auto parsed = Document::parse("t", "#" + std::string(100, 'x'), kKind);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error(), "t: larger than 100 bytes");
}

TEST_F(Documents, that_are_not_there_or_no_toml_are_refused) {
  EXPECT_TRUE(error_of(folder_ / "none.toml").contains("none.toml: cannot open"));
  const std::string file = folder_.with("a.toml", "x\n");
  EXPECT_TRUE(error_of(file).starts_with(file + ":1:")) << error_of(file);
}

TEST_F(Documents, name_files_relative_to_their_folder) {
  EXPECT_EQ(beside("/etc/qsp/a.toml", "key.pem"), "/etc/qsp/key.pem");
  EXPECT_EQ(beside("/etc/qsp/a.toml", "../key.pem"), "/etc/qsp/../key.pem");
  EXPECT_EQ(beside("/etc/qsp/a.toml", "/key.pem"), "/key.pem");
  EXPECT_EQ(beside("a.toml", "key.pem"), "key.pem");
  EXPECT_EQ(beside("x/a.toml", "key.pem"), "x/key.pem");
}

}  // namespace
}  // namespace qsp::config
