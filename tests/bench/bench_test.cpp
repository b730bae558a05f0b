// Every measurement in small: it must do its work and yield figures that can be figures. How fast anything is, no test
// says.

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "bench/bulk.hpp"
#include "bench/ends.hpp"
#include "bench/handshake.hpp"
#include "bench/libraries.hpp"
#include "bench/loopback.hpp"
#include "bench/rekey.hpp"
#include "bench/rounds.hpp"
#include "bench/seal.hpp"
#include "bench/sessions.hpp"

namespace qsp::bench {
namespace {

testing::AssertionResult is_time(double seconds) {
  if (std::isfinite(seconds) && seconds > 0) return testing::AssertionSuccess();
  return testing::AssertionFailure() << seconds << " is no time";
}

TEST(Rounds, give_every_contender_exactly_its_loops) {
  for (const std::uint64_t loops : {1U, 44U, 45U, 46U, 1000U}) {
    std::array<std::uint64_t, 2> done{};
    const std::array<Contender, 2> contenders{[&](std::uint64_t times) -> Outcome<void> {
                                                done[0] += times;
                                                return {};
                                              },
                                              [&](std::uint64_t times) -> Outcome<void> {
                                                done[1] += times;
                                                return {};
                                              }};
    const auto paces = take_turns(contenders, loops);
    ASSERT_TRUE(paces) << loops;
    EXPECT_EQ(paces->size(), 2U);
    EXPECT_EQ(done[0], loops);
    EXPECT_EQ(done[1], loops);
  }
}

TEST(Rounds, take_turns) {
  std::string order;
  const std::array<Contender, 2> contenders{[&](std::uint64_t times) -> Outcome<void> {
                                              order += std::string(times, 'a');
                                              return {};
                                            },
                                            [&](std::uint64_t times) -> Outcome<void> {
                                              order += std::string(times, 'b');
                                              return {};
                                            }};
  ASSERT_TRUE(take_turns(contenders, 4));
  EXPECT_EQ(order, "abbaabba") << "in each round, and another one first each time";
}

TEST(Rounds, end_with_the_first_failure) {
  int calls = 0;
  const Contender failing = [&](std::uint64_t) -> Outcome<void> {
    if (++calls == 3) return std::unexpected("broken");
    return {};
  };
  const auto paces = take_turns(std::array{failing}, 5);
  ASSERT_FALSE(paces);
  EXPECT_EQ(paces.error(), "broken");
  EXPECT_EQ(calls, 3);
}

TEST(HandshakeBench, measures_all_its_contenders) {
  const auto result = bench_handshake(2);
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->loops, 2U);
  for (const double seconds :
       {result->qsp.seconds, result->tls.seconds, result->primitives.seconds, result->symmetric}) {
    EXPECT_TRUE(is_time(seconds));
  }
  EXPECT_LT(result->symmetric, result->primitives.seconds) << "the primitives include the symmetric ones";
  EXPECT_GT(result->bytes, 2 * 3309U) << "two signatures at least";
}

TEST(SealBench, measures_the_smallest_and_the_largest_frame) {
  for (const std::size_t size : {std::size_t{1}, Endpoint::kMaxPlaintext}) {
    const auto result = bench_seal(size, 20);
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->size, size);
    EXPECT_EQ(result->loops, 20U);
    for (const double seconds : {result->qsp, result->tls, result->bare, result->evp}) EXPECT_TRUE(is_time(seconds));
  }
}

TEST(SealBench, reports_a_frame_that_no_channel_takes) {
  const auto result = bench_seal(Endpoint::kMaxPlaintext + 1, 1);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().find("frame size"), std::string::npos) << result.error();
}

TEST(RekeyBench, ends_each_form_in_the_epoch_that_its_loops_add_up_to) {
  const auto results = bench_rekey(100);
  ASSERT_TRUE(results) << results.error();
  ASSERT_EQ(results->size(), 3U);
  constexpr std::array<std::string_view, 3> kForms{"light", "kem", "kem+qkd"};
  for (std::size_t i = 0; i < 3; ++i) {
    const RekeyResult& result = (*results)[i];
    EXPECT_EQ(result.form, kForms[i]);
    EXPECT_EQ(result.loops, 100U);
    EXPECT_EQ(result.final_epoch, 1 + 100U);
    EXPECT_TRUE(is_time(result.qsp));
    EXPECT_TRUE(is_time(result.primitives));
  }
}

TEST(RekeyBench, refuses_more_epochs_than_a_session_has) { EXPECT_FALSE(bench_rekey(kMostRekeys + 1)); }

TEST(Ends, rekey_in_the_form_that_was_asked_for) {
  const auto keys = KeyPair::make();
  ASSERT_TRUE(keys);
  for (const Form form : {Form{false, false}, Form{true, false}, Form{true, true}, Form{false, true}}) {
    const auto ends = Ends::make(*keys, form);
    ASSERT_TRUE(ends);
    Wire wire;
    auto pair = Pair::establish(**ends, wire);
    ASSERT_TRUE(pair) << pair.error();
    ASSERT_TRUE(pair->rekey());
    for (const Channel* channel : {&pair->client(), &pair->server()}) {
      const EpochStatus epoch = channel->status().current;
      EXPECT_EQ(epoch.epoch, 2U);
      EXPECT_EQ(epoch.kem, form.kem);
      EXPECT_EQ(epoch.key_id.has_value(), form.qkd);
    }
  }
}

/// A row over two libraries, of which the table prefers the second.
testing::AssertionResult is_wrong(const std::optional<Pace>& first, const std::optional<Pace>& second) {
  const LibrariesResult result{
      .libraries = {{crypto::Library::OpenSsl, "one"}, {crypto::Library::AwsLc, "other"}},
      .rows = {{.name = "sign", .paces = {first, second}, .preferred = crypto::Library::AwsLc}}};
  const auto better = better_than_preferred(result, result.rows.front());
  if (!better) return testing::AssertionFailure() << "the table is right";
  return *better == 0 ? testing::AssertionSuccess() : testing::AssertionFailure() << "the preferred one is better";
}

TEST(LibrariesBench, finds_the_table_wrong_where_the_other_library_is_clearly_faster) {
  EXPECT_TRUE(is_wrong(Pace{1, 0}, Pace{2, 0}));
  EXPECT_TRUE(is_wrong(Pace{0.89, 0}, Pace{1, 0}));
  EXPECT_FALSE(is_wrong(Pace{0.91, 0}, Pace{1, 0})) << "by less than a tenth";
  EXPECT_FALSE(is_wrong(Pace{1, 0.3}, Pace{2, 0.3})) << "by less than chance may do";
  EXPECT_TRUE(is_wrong(Pace{1, 0.2}, Pace{2, 0.2}));
  EXPECT_FALSE(is_wrong(Pace{2, 0}, Pace{1, 0}));
  EXPECT_FALSE(is_wrong(Pace{1, 0}, std::nullopt)) << "the preferred library lacks it";
  EXPECT_FALSE(is_wrong(std::nullopt, Pace{1, 0}));
}

TEST(LibrariesBench, has_no_verdict_where_there_is_no_choice) {
  LibrariesResult result{
      .libraries = {{crypto::Library::OpenSsl, "one"}, {crypto::Library::AwsLc, "other"}},
      .rows = {{.name = "set key", .paces = {Pace{1, 0}, Pace{2, 0}}, .preferred = crypto::Library::AwsLc}}};
  EXPECT_EQ(better_than_preferred(result, result.rows.front()), 0U);
  result.rows.front().chosen = false;
  EXPECT_EQ(better_than_preferred(result, result.rows.front()), std::nullopt);
}

TEST(LibrariesBench, has_no_verdict_where_the_preferred_library_was_not_measured) {
  const LibrariesResult result{.libraries = {{crypto::Library::OpenSsl, "one"}},
                               .rows = {{.name = "sign", .paces = {Pace{1, 0}}, .preferred = crypto::Library::AwsLc}}};
  EXPECT_EQ(better_than_preferred(result, result.rows.front()), std::nullopt);
}

TEST(LoopbackBench, brings_every_byte) {
  const auto result = bench_loopback(3'000'001);
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->bytes, 3'000'001U);
  EXPECT_TRUE(is_time(result->qsp));
  EXPECT_TRUE(is_time(result->tls));
  EXPECT_EQ(result->openssl.has_value(), result->why_no_openssl.empty());
}

}  // namespace
}  // namespace qsp::bench
