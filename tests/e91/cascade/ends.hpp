#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "e91/cascade/cascade.hpp"
#include "e91/cascade/oracle.hpp"
#include "e91/seed_of.hpp"
#include "qsp/openssl.hpp"

namespace qsp::e91::cascade::test {

inline crypto::Provider& provider() {
  static const std::unique_ptr<crypto::Provider> made = crypto::make_openssl_provider().value();
  return *made;
}

inline RandomStream stream_of(std::uint8_t byte) { return RandomStream::create(provider(), seed_of(byte)).value(); }

inline Bits random_bits(RandomStream& random, std::size_t size) {
  Bits bits(size);
  random.fill(bits.writable_words());
  bits.truncate(size);
  return bits;
}

inline Bits with_errors(RandomStream& random, const Bits& from, double rate) {
  Bits bits = from.copy();
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (random.uniform() < rate) bits.flip(i);
  }
  return bits;
}

struct Outcome {
  Bits key;
  Cascade::State state;
  std::size_t rounds;
  std::size_t turned;
  std::size_t answer_bits;  ///< counted here, from the messages
  std::size_t question_bytes;
  std::size_t disclosed_by_alice;
  std::size_t disclosed_to_bob;
};

/// Both ends, with every message through its bytes.
inline Outcome reconcile(const Bits& reference, const Bits& key, double qber, std::uint8_t seed = 9) {
  const std::size_t size = key.size();
  auto alice = ParityOracle::create(provider(), reference.copy(), seed_of(seed), 2 * size).value();
  auto bob = Cascade::create(provider(), key.copy(), qber, seed_of(seed), {.answers = 2 * size}).value();
  Outcome outcome{};
  QueryBatch received;
  while (bob.state() == Cascade::State::Asking) {
    const std::vector<std::uint8_t> questions = encode(bob.queries());
    outcome.question_bytes += questions.size();
    if (!decode(questions, size, alice.budget(), received) || received != bob.queries()) break;
    const auto answers = alice.answer(received);
    if (!answers) break;
    outcome.answer_bits += answers->size();
    const auto read = decode_answers(encode(*answers), bob.queries().answer_bits());
    if (!read || !bob.feed(*read)) break;
  }
  outcome.state = bob.state();
  outcome.rounds = bob.rounds();
  outcome.turned = bob.turned();
  outcome.disclosed_by_alice = alice.disclosed();
  outcome.disclosed_to_bob = bob.disclosed();
  outcome.key = std::move(bob).take_key();
  return outcome;
}

}  // namespace qsp::e91::cascade::test
