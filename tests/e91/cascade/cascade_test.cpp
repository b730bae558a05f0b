#include "e91/cascade/cascade.hpp"

#include <gtest/gtest.h>

#include "e91/cascade/figures.hpp"
#include "e91/seeded.hpp"
#include "ends.hpp"

namespace qsp::e91::cascade::test {
namespace {

void expect_corrected(const Bits& reference, const Outcome& outcome) {
  EXPECT_EQ(outcome.state, Cascade::State::Done);
  EXPECT_EQ(distance(outcome.key, reference), 0U);
  EXPECT_EQ(outcome.disclosed_by_alice, outcome.answer_bits);
  EXPECT_EQ(outcome.disclosed_to_bob, outcome.answer_bits);
}

TEST(Cascade, corrects_all_errors_at_any_length_and_rate) {
  auto random = stream_of(1);
  std::uint8_t seed = 0;
  for (const std::size_t size : std::vector<std::size_t>{64, 65, 127, 1000, 4095, 4096, 4097, 10007, 65536, 100003}) {
    for (const double rate : {0.0, 0.001, 0.01, 0.03, 0.05, 0.11}) {
      SCOPED_TRACE(testing::Message() << size << " bits at " << rate);
      const Bits reference = random_bits(random, size);
      const Bits key = with_errors(random, reference, rate);
      expect_corrected(reference, reconcile(reference, key, rate, ++seed));
    }
  }
}

TEST(Cascade, discloses_little_where_there_are_no_errors) {
  auto random = stream_of(2);
  const Bits reference = random_bits(random, 100000);
  const Outcome outcome = reconcile(reference, reference, 0);
  expect_corrected(reference, outcome);
  EXPECT_EQ(outcome.turned, 0U);
  EXPECT_LE(outcome.answer_bits, 100U);
}

TEST(Cascade, corrects_a_burst) {
  auto random = stream_of(3);
  const Bits reference = random_bits(random, 50001);
  Bits key = reference.copy();
  for (std::size_t i = 20000; i < 21500; ++i) key.flip(i);
  expect_corrected(reference, reconcile(reference, key, 0.03));
}

TEST(Cascade, corrects_the_last_bits_of_a_key) {
  auto random = stream_of(4);
  for (const std::size_t size : std::vector<std::size_t>{1025, 4100, 8191}) {
    const Bits reference = random_bits(random, size);
    Bits key = reference.copy();
    key.flip(size - 1);
    expect_corrected(reference, reconcile(reference, key, 0.03));
    key.flip(size - 2);
    expect_corrected(reference, reconcile(reference, key, 0.03));
  }
}

TEST(Cascade, survives_a_wrong_estimate) {
  auto random = stream_of(5);
  const Bits reference = random_bits(random, 60000);
  const Bits key = with_errors(random, reference, 0.03);
  for (const double estimate : {0.015, 0.06, 0.0, 0.5, 1.0, -1.0, std::nan("")}) {
    SCOPED_TRACE(estimate);
    expect_corrected(reference, reconcile(reference, key, estimate));
  }
}

TEST(Cascade, corrects_a_key_that_has_nothing_in_common) {
  auto random = stream_of(6);
  const Bits reference = random_bits(random, 5000);
  const Outcome outcome = reconcile(reference, random_bits(random, 5000), 0.03);
  if (outcome.state == Cascade::State::Done) {
    EXPECT_EQ(distance(outcome.key, reference), 0U);
  }
}

TEST(Cascade, repeats_itself_from_one_seed) {
  auto random = stream_of(7);
  const Bits reference = random_bits(random, 20000);
  const Bits key = with_errors(random, reference, 0.03);
  const Outcome first = reconcile(reference, key, 0.03, 1);
  const Outcome again = reconcile(reference, key, 0.03, 1);
  const Outcome other = reconcile(reference, key, 0.03, 2);
  EXPECT_EQ(first.answer_bits, again.answer_bits);
  EXPECT_EQ(first.question_bytes, again.question_bytes);
  EXPECT_EQ(first.rounds, again.rounds);
  EXPECT_NE(first.question_bytes, other.question_bytes);
}

/// Questions depend on where the keys differ, not on the keys: the same errors on another key are asked the same.
TEST(Cascade, questions_tell_nothing_of_the_key) {
  auto random = stream_of(8);
  const Bits reference = random_bits(random, 20000);
  const Bits mask = random_bits(random, 20000);
  const Bits key = with_errors(random, reference, 0.03);
  const auto changed = [&](const Bits& from) {
    Bits bits = from.copy();
    for (std::size_t i = 0; i < bits.size(); ++i) {
      if (mask[i]) bits.flip(i);
    }
    return bits;
  };
  const auto questions = [](const Bits& alices, const Bits& bobs) {
    auto alice = ParityOracle::create(provider(), alices.copy(), seed_of(1), 40000).value();
    auto bob = Cascade::create(provider(), bobs.copy(), 0.03, seed_of(1), {.answers = 40000}).value();
    std::vector<std::vector<std::uint8_t>> asked;
    while (bob.state() == Cascade::State::Asking) {
      asked.push_back(encode(bob.queries()));
      if (!bob.feed(alice.answer(bob.queries()).value())) break;
    }
    return asked;
  };
  EXPECT_EQ(questions(reference, key), questions(changed(reference), changed(key)));
}

TEST(Cascade, stops_at_its_limits) {
  auto random = stream_of(10);
  const Bits reference = random_bits(random, 20000);
  const Bits key = with_errors(random, reference, 0.03);
  const auto run = [&](CascadeLimits limits) {
    auto alice = ParityOracle::create(provider(), reference.copy(), seed_of(1), 40000).value();
    auto bob = Cascade::create(provider(), key.copy(), 0.03, seed_of(1), limits).value();
    for (;;) {
      auto fed = bob.feed(alice.answer(bob.queries()).value());
      EXPECT_LE(alice.disclosed(), limits.answers);
      EXPECT_LE(bob.rounds(), limits.rounds);
      if (!fed) {
        EXPECT_EQ(bob.state(), Cascade::State::Failed);
        return fed.error().reason;
      }
      if (bob.state() == Cascade::State::Done) return Reason::Normal;
    }
  };
  EXPECT_EQ(run({.answers = 2000}), Reason::Limit);
  EXPECT_EQ(run({.answers = 40000, .rounds = 5}), Reason::Limit);
  EXPECT_EQ(run({.answers = 40000}), Reason::Normal);
  EXPECT_FALSE(Cascade::create(provider(), key.copy(), 0.03, seed_of(1), {.answers = 10}));
}

TEST(Cascade, refuses_keys_of_other_lengths) {
  for (const std::size_t size : {std::size_t{0}, kMinCascadeKey - 1, kMaxCascadeKey + 1}) {
    EXPECT_FALSE(Cascade::create(provider(), Bits(size), 0.03, seed_of(1), {.answers = 1000000}));
    EXPECT_FALSE(ParityOracle::create(provider(), Bits(size), seed_of(1), 1000000));
  }
}

TEST(Cascade, is_efficient_in_few_rounds) {
  // Keys and errors follow from a seed: how far the figures scatter is no matter here.
  const auto seeded = make_seeded_provider(provider(), seed_of(11)).value();
  for (const double rate : {0.01, 0.03, 0.05}) {
    const auto figures = measure_cascade(*seeded, std::size_t{1} << 20, rate, 1);
    ASSERT_TRUE(figures);
    EXPECT_EQ(figures->failed_blocks, 0U);
    EXPECT_GT(figures->efficiency, 1.0);
    EXPECT_LT(figures->efficiency, 1.08);
    EXPECT_LT(figures->rounds, 90);
    EXPECT_LT(figures->question_bits, 1.0);
  }
}

}  // namespace
}  // namespace qsp::e91::cascade::test
