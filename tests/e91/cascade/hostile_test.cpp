#include <gtest/gtest.h>

#include <functional>

#include "e91/cascade/cascade.hpp"
#include "ends.hpp"

namespace qsp::e91::cascade::test {
namespace {

using Liar = std::function<Bits(const Bits& truth)>;

/// Whatever Alice answers, Bob ends within his limits.
void expect_end(std::size_t size, double rate, const Liar& liar) {
  auto random = stream_of(1);
  const Bits reference = random_bits(random, size);
  const CascadeLimits limits{.answers = 2 * size, .rounds = 1000};
  auto alice = ParityOracle::create(provider(), reference.copy(), seed_of(1), limits.answers).value();
  auto bob = Cascade::create(provider(), with_errors(random, reference, rate), rate, seed_of(1), limits).value();
  while (bob.state() == Cascade::State::Asking) {
    const auto truth = alice.answer(bob.queries());
    ASSERT_TRUE(truth) << "Bob asks only what exists";
    const auto fed = bob.feed(liar(*truth));
    ASSERT_LE(bob.rounds(), limits.rounds);
    ASSERT_LE(bob.disclosed(), limits.answers);
    if (!fed) {
      ASSERT_EQ(fed.error().kind, ErrorKind::PeerMisbehaved);
    }
  }
  EXPECT_FALSE(bob.feed(Bits(1)));
  // Lies that went unnoticed made a wrong key, which the verification will catch.
  EXPECT_EQ(std::move(bob).take_key().size(), size);
}

TEST(HostileAlice, never_keeps_bob_from_ending) {
  auto random = stream_of(2);
  const Liar at_random = [&](const Bits& truth) { return random_bits(random, truth.size()); };
  const Liar flipped = [](const Bits& truth) {
    Bits bits = truth.copy();
    for (std::size_t i = 0; i < bits.size(); ++i) bits.flip(i);
    return bits;
  };
  const Liar zeros = [](const Bits& truth) { return Bits(truth.size()); };
  const Liar ones = [&](const Bits& truth) { return flipped(Bits(truth.size())); };
  const Liar sometimes = [&](const Bits& truth) { return with_errors(random, truth, 0.02); };
  std::size_t turn = 0;
  const Liar later = [&](const Bits& truth) { return ++turn > 12 ? flipped(truth) : truth.copy(); };
  for (const std::size_t size : std::vector<std::size_t>{64, 1000, 5001, 40000}) {
    for (const double rate : {0.001, 0.03, 0.11}) {
      for (const Liar& liar : {at_random, flipped, zeros, ones, sometimes, later}) {
        SCOPED_TRACE(testing::Message() << size << " bits at " << rate);
        turn = 0;
        expect_end(size, rate, liar);
      }
    }
  }
}

TEST(HostileAlice, cannot_answer_more_or_less_than_was_asked) {
  for (const int more : {-1, 1}) {
    auto bob = Cascade::create(provider(), Bits(1000), 0.03, seed_of(1), {.answers = 2000}).value();
    const std::size_t asked = bob.queries().answer_bits();
    const auto fed = bob.feed(Bits(more < 0 ? asked - 1 : asked + 1));
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().kind, ErrorKind::InvalidMessage);
    EXPECT_EQ(bob.state(), Cascade::State::Failed);
  }
}

class Oracle : public testing::Test {
 protected:
  static constexpr std::size_t kSize = 10000;
  ParityOracle oracle_ = ParityOracle::create(provider(), Bits(kSize), seed_of(1), 12000).value();

  static QueryBatch open(std::uint8_t pass, std::uint8_t level = 5) {
    return {.groups = {{.ask = Ask::Open, .pass = pass, .level = level, .count = nodes_of(kSize, level)}}, .nodes = {}};
  }
  static QueryBatch ask(Ask kind, std::uint8_t pass, std::uint8_t level, std::uint32_t node) {
    return {.groups = {{.ask = kind, .pass = pass, .level = level, .count = 1}}, .nodes = {node}};
  }
  void expect_refused(const QueryBatch& batch, Reason reason = Reason::ProtocolError) {
    const std::size_t before = oracle_.disclosed();
    const auto answers = oracle_.answer(batch);
    ASSERT_FALSE(answers);
    EXPECT_EQ(answers.error().kind, ErrorKind::PeerMisbehaved);
    EXPECT_EQ(answers.error().reason, reason);
    EXPECT_EQ(oracle_.disclosed(), before);
  }
};

TEST_F(Oracle, refuses_what_does_not_exist) {
  expect_refused(ask(Ask::Halves, 0, 5, 0));  // no pass is open yet
  expect_refused(open(1));
  expect_refused(open(0, 0));  // blocks of one bit would be the key
  expect_refused(open(0, kMaxLevel + 1));
  ASSERT_TRUE(oracle_.answer(open(0)));
  expect_refused(open(0));
  expect_refused(ask(Ask::Halves, 0, 0, 0));
  expect_refused(ask(Ask::Halves, 0, 63, 1));
  expect_refused(ask(Ask::Halves, 0, 1, kSize / 2));
  expect_refused(ask(Ask::Halves, 0, 5, UINT32_MAX));
  expect_refused(ask(Ask::Syndromes, 0, 7, 0));
  expect_refused(ask(Ask::Syndromes, 0, 1, 0));
  expect_refused(ask(Ask::Syndromes, 0, 3, kSize / 8));
  QueryBatch short_of_nodes = ask(Ask::Halves, 0, 5, 0);
  short_of_nodes.groups[0].count = 2;
  expect_refused(short_of_nodes);
  EXPECT_TRUE(oracle_.answer(ask(Ask::Halves, 0, 1, kSize / 2 - 1)));
  EXPECT_TRUE(oracle_.answer(ask(Ask::Syndromes, 0, 4, kSize / 16 - 1)));
}

TEST_F(Oracle, discloses_no_more_than_its_budget) {
  oracle_ = ParityOracle::create(provider(), Bits(kSize), seed_of(1), 3000).value();
  ASSERT_TRUE(oracle_.answer(open(0, 2)));
  EXPECT_EQ(oracle_.disclosed(), 2500U);
  EXPECT_EQ(oracle_.budget(), 500U);
  expect_refused(open(1, 4), Reason::Limit);
  QueryBatch many{.groups = {{.ask = Ask::Syndromes, .pass = 0, .level = 2, .count = 251}}, .nodes = {}};
  for (std::uint32_t i = 0; i < 251; ++i) many.nodes.push_back(i);
  expect_refused(many, Reason::Limit);
}

TEST_F(Oracle, lays_out_no_more_than_its_passes) {
  for (std::uint8_t pass = 0; pass < kMaxPasses; ++pass) ASSERT_TRUE(oracle_.answer(open(pass, 14)));
  expect_refused(open(kMaxPasses, 14), Reason::Limit);
}

}  // namespace
}  // namespace qsp::e91::cascade::test
