#include "keysource/pad.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include "keysource/pad_fixture.hpp"
#include "keysource/pad_source.hpp"

namespace qsp::keysource::test {
namespace {

namespace fs = std::filesystem;
using Pads = PadTest;

void overwrite(const std::string& file, std::size_t offset, std::string_view bytes) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekp(static_cast<std::streamoff>(offset));
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// The text of a result's error.
template <class T>
std::string problem(const files::OrText<T>& result) {
  return result ? "(none)" : result.error();
}

TEST_F(Pads, give_both_ends_the_same_keys_in_both_directions) {
  create(20);
  auto a = Pad::open(a_);
  auto b = Pad::open(b_);
  ASSERT_TRUE(a) << a.error();
  ASSERT_TRUE(b) << b.error();
  std::set<std::vector<std::uint8_t>> seen;
  for (int i = 0; i < 10; ++i) {
    const auto from_a = a->take_next();
    const auto from_b = b->take_next();
    ASSERT_TRUE(from_a && from_b);
    const auto at_b = b->take(id_of(*from_a));
    const auto at_a = a->take(id_of(*from_b));
    ASSERT_TRUE(at_b && at_a);
    EXPECT_EQ(bytes_of(from_a->key), bytes_of(*at_b));
    EXPECT_EQ(bytes_of(from_b->key), bytes_of(*at_a));
    EXPECT_TRUE(seen.insert(bytes_of(from_a->key)).second);
    EXPECT_TRUE(seen.insert(bytes_of(from_b->key)).second);
  }
}

TEST_F(Pads, that_are_exhausted_say_so_and_go_on_answering_the_other_end) {
  create(5);  // three for a, two for b
  auto a = Pad::open(a_);
  auto b = Pad::open(b_);
  ASSERT_TRUE(a && b);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(a->take_next()) << i;
  for (int i = 0; i < 2; ++i) {
    const auto key = a->take_next();
    ASSERT_FALSE(key);
    EXPECT_TRUE(key.error().contains("no key is left in half a")) << key.error();
  }
  const auto from_b = b->take_next();
  ASSERT_TRUE(from_b);
  EXPECT_TRUE(a->take(id_of(*from_b)));
}

// SPEC §5.7.
TEST_F(Pads, never_give_a_key_twice_by_its_id) {
  create(10);
  auto a = Pad::open(a_);
  std::optional<Uuid> id;
  {
    auto b = Pad::open(b_);
    ASSERT_TRUE(a && b);
    id = id_of(*a->take_next());
    EXPECT_TRUE(b->take(*id));
    EXPECT_TRUE(problem(b->take(*id)).contains("used already"));
  }
  auto b = Pad::open(b_);
  ASSERT_TRUE(b);
  EXPECT_TRUE(problem(b->take(*id)).contains("used already"));
}

TEST_F(Pads, do_not_know_ids_of_other_pads_or_past_their_end) {
  create(10);
  auto a = Pad::open(a_);
  ASSERT_TRUE(a);
  const Uuid pad_id = a->status().pad_id;
  Uuid foreign = key_id_of(pad_id, 7);
  foreign[0] ^= 1U;
  EXPECT_TRUE(problem(a->take(foreign)).contains("holds no key"));
  EXPECT_TRUE(problem(a->take(key_id_of(pad_id, 10))).contains("holds no key"));
  EXPECT_TRUE(problem(a->take(key_id_of(pad_id, (std::uint64_t{1} << 62U) - 1))).contains("holds no key"));
  EXPECT_TRUE(a->take(key_id_of(pad_id, 9)));
}

TEST_F(Pads, refuse_keys_when_both_ends_use_one_ends_copy) {
  create(10);
  auto a = Pad::open(a_);
  ASSERT_TRUE(a);
  const auto key = a->take_next();
  ASSERT_TRUE(key);
  EXPECT_TRUE(problem(a->take(id_of(*key))).contains("own half"));
  // Nor one that this end did not hand out yet.
  EXPECT_TRUE(problem(a->take(key_id_of(a->status().pad_id, 4))).contains("own half"));
  EXPECT_EQ(a->status().own.used, 1U);
}

TEST_F(Pads, remember_across_openings_what_is_used) {
  create(100);
  std::set<Uuid> seen;
  for (int opening = 0; opening < 5; ++opening) {
    auto a = Pad::open(a_);
    ASSERT_TRUE(a) << a.error();
    for (int i = 0; i < 10; ++i) {
      const auto key = a->take_next();
      ASSERT_TRUE(key);
      EXPECT_TRUE(seen.insert(id_of(*key)).second);
    }
  }
  const auto status = pad_status(a_);
  ASSERT_TRUE(status) << status.error();
  EXPECT_EQ(status->own.used, 50U);
  EXPECT_EQ(status->own.left, 0U);
  EXPECT_EQ(status->peer.left, 50U);
}

// SPEC §5.7.
TEST_F(Pads, overwrite_a_key_once_it_is_drawn) {
  create(10);
  auto a = Pad::open(a_);
  ASSERT_TRUE(a);
  const auto key = a->take_next();
  ASSERT_TRUE(key);
  const auto raw = bytes_of(key->key);
  EXPECT_FALSE(qsp::test::content_of(a_).contains(as_text(raw)));
  EXPECT_TRUE(qsp::test::content_of(b_).contains(as_text(raw)));
}

TEST_F(Pads, cannot_be_opened_twice_at_once) {
  create(10);
  {
    const auto first = Pad::open(a_);
    ASSERT_TRUE(first);
    EXPECT_TRUE(refusal(a_).contains("in use by another process")) << refusal(a_);
    EXPECT_TRUE(Pad::open(b_));
  }
  EXPECT_TRUE(Pad::open(a_));
}

TEST_F(Pads, and_a_copy_of_one_end_cannot_be_drawn_from_at_once) {
  create(10);
  const std::string copy = folder_ / "copy.pad";
  fs::copy_file(a_, copy);  // before its first use, so that only the lock can tell
  const auto first = Pad::open(a_);
  ASSERT_TRUE(first);
  EXPECT_TRUE(refusal(copy).contains("another copy of this end's pad")) << refusal(copy);
}

TEST_F(Pads, restored_from_a_backup_with_their_journal_are_refused) {
  create(10);
  {
    ASSERT_TRUE(Pad::open(a_));
  }
  const std::string copy = folder_ / "copy.pad";
  fs::copy_file(a_, copy);
  fs::copy_file(journal_of(a_), journal_of(copy));
  EXPECT_TRUE(refusal(copy).contains("a copy or a backup")) << refusal(copy);
  EXPECT_TRUE(Pad::open(a_));
}

TEST_F(Pads, without_their_journal_are_refused_once_used) {
  create(10);
  {
    ASSERT_TRUE(Pad::open(a_));
  }
  fs::remove(journal_of(a_));
  EXPECT_TRUE(refusal(a_).contains("nobody knows which keys are used")) << refusal(a_);
}

TEST_F(Pads, with_a_journal_rolled_back_refuse_instead_of_giving_a_key_again) {
  create(10);
  {
    ASSERT_TRUE(Pad::open(a_));
  }
  const std::string old_journal = qsp::test::content_of(journal_of(a_));
  {
    ASSERT_TRUE(Pad::open(a_)->take_next());
  }
  overwrite(journal_of(a_), 0, old_journal);
  auto a = Pad::open(a_);
  ASSERT_TRUE(a);
  for (int i = 0; i < 2; ++i) {
    const auto key = a->take_next();
    ASSERT_FALSE(key);
    EXPECT_TRUE(key.error().contains("older than the pad")) << key.error();
  }
}

TEST_F(Pads, overwritten_by_their_original_go_on_behind_what_is_used) {
  create(10);
  const std::string original = qsp::test::content_of(a_);
  const Uuid first = id_of(*Pad::open(a_)->take_next());
  overwrite(a_, 0, original);
  auto a = Pad::open(a_);
  ASSERT_TRUE(a) << a.error();
  EXPECT_NE(id_of(*a->take_next()), first);
}

TEST_F(Pads, go_on_after_a_crash_between_journal_and_binding) {
  create(10);
  {
    ASSERT_TRUE(Pad::open(a_));
  }
  overwrite(a_, kPadStateOffset, std::string_view("\0", 1));
  EXPECT_TRUE(Pad::open(a_));
  fs::remove(journal_of(a_));
  EXPECT_FALSE(Pad::open(a_)) << "the second opening must have bound it";
}

TEST_F(Pads, are_not_disturbed_by_an_unfinished_journal) {
  create(10);
  const std::string unfinished = folder_.with("a.pad.used.new", "half a journ");
  EXPECT_TRUE(Pad::open(a_));
  EXPECT_FALSE(fs::exists(unfinished));
}

TEST_F(Pads, truncated_or_grown_are_refused) {
  create(10);
  const auto size = fs::file_size(a_);
  const std::string whole = qsp::test::content_of(a_);
  for (const auto wrong : {std::uintmax_t{0}, std::uintmax_t{1}, std::uintmax_t{kPadRecordsOffset}, size - kRecordSize,
                           size - 1, size + 1}) {
    overwrite(a_, 0, whole);
    fs::resize_file(a_, wrong);
    EXPECT_FALSE(Pad::open(a_)) << wrong;
    EXPECT_FALSE(pad_status(a_)) << wrong;
  }
  overwrite(a_, 0, whole);
  fs::resize_file(a_, size);
  EXPECT_TRUE(Pad::open(a_));
}

TEST_F(Pads, with_a_truncated_or_damaged_journal_are_refused) {
  create(10);
  {
    ASSERT_TRUE(Pad::open(a_));
  }
  const std::string good = qsp::test::content_of(journal_of(a_));
  for (std::size_t i = 0; i < kJournalHeaderSize; ++i) {
    std::string altered = good;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    overwrite(journal_of(a_), 0, altered);
    EXPECT_FALSE(Pad::open(a_)) << i;
  }
  overwrite(journal_of(a_), 0, good);
  EXPECT_TRUE(Pad::open(a_));
  fs::resize_file(journal_of(a_), good.size() - 1);
  EXPECT_FALSE(Pad::open(a_));
}

TEST_F(Pads, with_another_pads_journal_are_refused) {
  create(10);
  {
    ASSERT_TRUE(Pad::open(a_) && Pad::open(b_));
  }
  fs::copy_file(journal_of(b_), journal_of(a_), fs::copy_options::overwrite_existing);
  EXPECT_TRUE(refusal(a_).contains("belongs to another pad")) << refusal(a_);
}

TEST_F(Pads, skip_a_damaged_key_for_good) {
  create(10);
  overwrite(a_, record_offset(0) + 5, "damage");
  auto a = Pad::open(a_);
  ASSERT_TRUE(a);
  EXPECT_TRUE(problem(a->take_next()).contains("key 0 is damaged"));
  const auto next = a->take_next();
  ASSERT_TRUE(next) << next.error();
  EXPECT_EQ(id_of(*next), key_id_of(a->status().pad_id, 1));
}

TEST_F(Pads, with_a_record_moved_to_another_place_do_not_give_it) {
  create(10);
  const std::string all = qsp::test::content_of(a_);
  overwrite(a_, record_offset(0), std::string_view(all).substr(record_offset(1), kRecordSize));
  auto a = Pad::open(a_);
  ASSERT_TRUE(a);
  EXPECT_FALSE(a->take_next());
}

TEST_F(Pads, that_others_could_read_or_that_have_two_names_are_refused) {
  create(10);
  ASSERT_EQ(::chmod(a_.c_str(), 0640), 0);
  EXPECT_TRUE(refusal(a_).contains("chmod 600")) << refusal(a_);
  ASSERT_EQ(::chmod(a_.c_str(), 0600), 0);
  const std::string link = folder_ / "link";
  fs::create_symlink(a_, link);
  EXPECT_TRUE(refusal(link).contains("symbolic link")) << refusal(link);
  fs::create_hard_link(a_, folder_ / "hard");
  EXPECT_TRUE(refusal(a_).contains("hard links")) << refusal(a_);
}

TEST_F(Pads, are_private_never_overwritten_and_within_bounds_when_created) {
  create(10);
  struct stat info{};
  for (const std::string& file : {a_, b_}) {
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0600U);
  }
  const std::string fresh = folder_ / "fresh.pad";
  EXPECT_FALSE(create_pads({.link = "x", .keys = 10}, fresh, b_, rng_));
  EXPECT_FALSE(fs::exists(fresh)) << "half a pair must not stay";
  EXPECT_TRUE(fs::exists(b_)) << "nor may a file go that was there before";
  for (const std::uint64_t keys : {std::uint64_t{0}, std::uint64_t{1}, kMaxPadKeys + 1}) {
    EXPECT_FALSE(create_pads({.link = "x", .keys = keys}, fresh, folder_ / "other.pad", rng_)) << keys;
  }
  EXPECT_FALSE(create_pads({.link = "", .keys = 10}, fresh, folder_ / "other.pad", rng_));
  EXPECT_FALSE(create_pads({.link = "x", .keys = 10}, fresh, fresh, rng_));
  EXPECT_FALSE(fs::exists(fresh));
}

TEST_F(Pads, tell_their_status_while_they_are_drawn_from) {
  create(11);
  EXPECT_EQ(pad_status(a_)->own.left, 6U);
  auto a = Pad::open(a_);
  ASSERT_TRUE(a && a->take_next());
  const auto status = pad_status(a_);
  ASSERT_TRUE(status) << status.error();
  EXPECT_EQ(status->link, "berlin-paris");
  EXPECT_EQ(status->half, Half::A);
  EXPECT_FALSE(status->simulated);
  EXPECT_EQ(status->own.used, 1U);
  EXPECT_EQ(status->own.left, 5U);
  EXPECT_EQ(status->peer.left, 5U);
  EXPECT_EQ(pad_status(b_)->half, Half::B);
}

Answer fetch_now(KeySource& source, std::string sae_id, std::optional<std::string> key_id) {
  std::optional<Answer> answer;
  source.fetch({std::move(sae_id), std::move(key_id), Instant{}},
               [&](Answer given) { answer.emplace(std::move(given)); });
  EXPECT_TRUE(answer) << "a pad answers at once";
  return std::move(*answer);
}

TEST_F(Pads, serve_as_key_sources_of_two_ends) {
  create(4);
  PadSource alice;
  PadSource bob;
  ASSERT_TRUE(alice.add("bob-sae", *Pad::open(a_)));
  ASSERT_TRUE(bob.add("alice-sae", *Pad::open(b_)));
  const Answer sent = fetch_now(alice, "bob-sae", std::nullopt);
  ASSERT_TRUE(sent) << sent.error().text;
  std::string upper = sent->key_id;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  const Answer received = fetch_now(bob, "alice-sae", upper);
  ASSERT_TRUE(received) << received.error().text;
  EXPECT_EQ(bytes_of(sent->key), bytes_of(received->key));
  EXPECT_EQ(received->key_id, upper) << "the ID as it was asked for";
  EXPECT_EQ(alice.status("bob-sae")->keys_left, 1U);
  EXPECT_FALSE(alice.status("carol-sae"));
}

TEST_F(Pads, fail_as_key_sources_with_unavailable_whatever_is_wrong) {
  create(2);
  PadSource alice;
  ASSERT_TRUE(alice.add("bob-sae", *Pad::open(a_)));
  EXPECT_TRUE(fetch_now(alice, "bob-sae", std::nullopt));
  for (const auto& [sae_id, key_id] : {std::pair<std::string, std::optional<std::string>>{"carol-sae", std::nullopt},
                                       {"bob-sae", std::nullopt},
                                       {"bob-sae", "no uuid"},
                                       {"bob-sae", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}}) {
    const Answer answer = fetch_now(alice, sae_id, key_id);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().why, QkdFailure::Unavailable);
    EXPECT_FALSE(answer.error().text.empty());
  }
}

}  // namespace
}  // namespace qsp::keysource::test
