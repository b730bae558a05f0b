// The bench and the fuzzer of SPEC_155 §10.3, over the fake provider and in small.

#include <gtest/gtest.h>

#include "bench/rc155_rekey.hpp"
#include "rc155/attack/fuzz.hpp"
#include "support/fake_provider.hpp"
#include "support/scripted.hpp"

namespace qsp::rc155::attack {
namespace {

using bench::bench_rc155_rekey;
using bench::RekeyBenchParameters;

TEST(RekeyBench, ends_in_the_epoch_that_its_loops_add_up_to) {
  const auto provider = test::make_fake_provider();
  const auto result = bench_rc155_rekey(*provider, {});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->loops, 2000U);
  EXPECT_EQ(result->warmup, 50U);
  EXPECT_EQ(result->final_epoch, 2051U) << "SPEC_155 §10.3";
  EXPECT_GT(result->elapsed_sec, 0);
  EXPECT_NEAR(result->ops_per_sec * result->elapsed_sec, 2000, 1e-3);
  EXPECT_NEAR(result->total_ns_per_rekey * 2000, result->elapsed_sec * 1e9, 1);
  EXPECT_GT(result->primitives_ns_per_rekey, 0);
}

TEST(RekeyBench, refuses_loops_that_no_session_can_run) {
  const auto provider = test::make_fake_provider();
  for (const RekeyBenchParameters bad : {RekeyBenchParameters{0, 50}, RekeyBenchParameters{0xffff'ffff, 0},
                                         RekeyBenchParameters{1, ~std::uint64_t{0}}}) {
    const auto result = bench_rc155_rekey(*provider, bad);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::ApiMisuse);
  }
}

TEST(RekeyBench, reports_a_provider_that_fails) {
  const auto inner = test::make_fake_provider();
  for (const std::uint64_t allowed : {0U, 1U, 5U, 20U, 100U}) {
    test::ScriptedProvider failing(*inner);
    failing.fail_after(allowed);
    EXPECT_FALSE(bench_rc155_rekey(failing, {.loops = 10, .warmup = 1})) << allowed;
  }
}

TEST(RekeyFuzz, finds_nothing_and_does_everything) {
  const auto provider = test::make_fake_provider();
  const auto result = fuzz_rekey(*provider, {.cases = 20, .steps = 1000}, {});
  EXPECT_TRUE(result.ok) << result.failure;
  EXPECT_EQ(result.cases, 20U);
  EXPECT_GT(result.mutations, 1000U);
  EXPECT_GT(result.rekeys, 1000U);
  EXPECT_GT(result.frames, 10'000U);
  EXPECT_GT(result.closed_cases, 1000U);
}

TEST(RekeyFuzz, a_run_is_its_parameters_alone) {
  const auto digest = [](std::uint64_t provider_seed, RekeyFuzzParameters parameters) {
    const auto provider = test::make_fake_provider(provider_seed);
    const auto result = fuzz_rekey(*provider, parameters, {});
    EXPECT_TRUE(result.ok) << result.failure;
    return result.digest;
  };
  const RekeyFuzzParameters parameters{.cases = 3, .steps = 200, .mutate_prob = 0.3, .seed = 5};
  EXPECT_EQ(digest(1, parameters), digest(2, parameters)) << "the provider's own randomness plays no part";
  for (const RekeyFuzzParameters other : {RekeyFuzzParameters{3, 200, 0.3, 6}, RekeyFuzzParameters{3, 200, 0.2, 5},
                                          RekeyFuzzParameters{3, 199, 0.3, 5}, RekeyFuzzParameters{2, 200, 0.3, 5}}) {
    EXPECT_NE(digest(1, parameters), digest(1, other));
  }
}

TEST(RekeyFuzz, mutates_nothing_or_every_step_if_asked) {
  const auto provider = test::make_fake_provider();
  const auto calm = fuzz_rekey(*provider, {.cases = 2, .steps = 500, .mutate_prob = 0}, {});
  EXPECT_TRUE(calm.ok) << calm.failure;
  EXPECT_EQ(calm.mutations, 0U);
  const auto wild = fuzz_rekey(*provider, {.cases = 2, .steps = 500, .mutate_prob = 1}, {});
  EXPECT_TRUE(wild.ok) << wild.failure;
  EXPECT_GT(wild.mutations, 500U);
}

TEST(RekeyFuzz, stops_where_progress_says_so) {
  const auto provider = test::make_fake_provider();
  const auto result = fuzz_rekey(*provider, {.cases = 100, .steps = 10}, [](std::uint64_t done) { return done < 7; });
  EXPECT_TRUE(result.ok);
  EXPECT_EQ(result.cases, 7U);
}

TEST(RekeyFuzz, reports_a_provider_that_fails_as_a_failure) {
  const auto inner = test::make_fake_provider();
  test::ScriptedProvider failing(*inner);
  failing.fail_after(500);
  const auto result = fuzz_rekey(failing, {.cases = 2, .steps = 100}, {});
  EXPECT_FALSE(result.ok);
  EXPECT_NE(result.failure.find("case 0, step "), std::string::npos) << result.failure;
}

}  // namespace
}  // namespace qsp::rc155::attack
