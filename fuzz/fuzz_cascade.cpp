// Cascade against a hostile peer. First byte: whether the rest are questions to Alice's oracle, answers to read, or
// answers to Bob's questions; second and third: the length of the key.

#include <algorithm>
#include <utility>

#include "check.hpp"
#include "e91/cascade/cascade.hpp"
#include "e91/cascade/oracle.hpp"
#include "support/fake_provider.hpp"

namespace {

using namespace qsp;
using namespace qsp::e91;
using namespace qsp::e91::cascade;
using fuzz::check;

constexpr std::size_t kMostRounds = 200;

Seed seed() {
  Seed made;
  std::ranges::fill(made.writable(), std::uint8_t{7});
  return made;
}

/// Batches, each behind its length in 16 bits.
void questions(crypto::Provider& provider, std::size_t size, Bytes input) {
  auto oracle = ParityOracle::create(provider, Bits(size), seed(), size);
  if (!oracle) return;
  QueryBatch batch;
  for (std::size_t round = 0; round < kMostRounds && input.size() >= 2; ++round) {
    const std::size_t length = std::min(input[0] + std::size_t{256} * input[1], input.size() - 2);
    const Bytes message = input.subspan(2, length);
    input = input.subspan(2 + length);
    if (!decode(message, size, oracle->budget(), batch)) continue;
    check(std::ranges::equal(encode(batch), message), "two ways to write it");
    const std::size_t before = oracle->disclosed();
    const auto answers = oracle->answer(batch);
    check(oracle->disclosed() == before + (answers ? answers->size() : 0), "uncounted answers");
    check(!answers || answers->size() == batch.answer_bits(), "not one answer to each question");
    check(!answers || answers->count() == 0, "a parity of no bits");
  }
  check(oracle->disclosed() <= size, "beyond the budget");
}

/// Answers to all that Bob asks, the input repeated as often as needed.
void answers(crypto::Provider& provider, std::size_t size, Bytes input) {
  if (input.empty()) return;
  auto bob = Cascade::create(provider, Bits(size), 0.05, seed(), {.answers = size, .rounds = kMostRounds});
  if (!bob) return;
  std::size_t next = 0;
  QueryBatch read;
  while (bob->state() == Cascade::State::Asking) {
    const std::size_t bits = bob->queries().answer_bits();
    check(decode(encode(bob->queries()), size, bits, read).has_value() && read == bob->queries(), "not readable");
    Bits given(bits);
    for (std::size_t i = 0; i < bits; ++i, ++next)
      given.set(i, ((input[next / 8 % input.size()] >> (next % 8)) & 1) != 0);
    const bool fed = bob->feed(given).has_value();
    check(fed == (bob->state() != Cascade::State::Failed), "an error that is no failure");
  }
  check(bob->disclosed() <= size && bob->rounds() <= kMostRounds, "beyond the limits");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const auto provider = test::make_fake_provider();
  const std::size_t bits = kMinCascadeKey + (data[1] + std::size_t{256} * data[2]) % 8192;
  const Bytes rest(data + 3, size - 3);
  if (data[0] % 3 == 0) {
    questions(*provider, bits, rest);
  } else if (data[0] % 3 == 1) {
    const auto read = decode_answers(rest, bits);
    check(!read || std::ranges::equal(encode(*read), rest), "two ways to write it");
  } else {
    answers(*provider, bits, rest);
  }
  return 0;
}
