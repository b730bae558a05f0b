#include "e91/cascade/figures.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>

#include "base/try.hpp"
#include "e91/cascade/cascade.hpp"
#include "e91/cascade/oracle.hpp"

namespace qsp::e91::cascade {

namespace {

/// Processor time of the process, seconds: what else the machine does must not count.
double now() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

Seed draw_seed(RandomStream& random) {
  Seed seed;
  for (std::uint8_t& byte : seed.writable()) byte = static_cast<std::uint8_t>(random.next());
  return seed;
}

Bits draw_key(RandomStream& random, std::size_t size) {
  Bits key(size);
  random.fill(key.writable_words());
  key.truncate(size);
  return key;
}

/// Turns each bit with probability `rate`, by jumping from error to error.
void add_errors(RandomStream& random, double rate, Bits& key) {
  if (rate <= 0) return;
  const double scale = 1 / std::log1p(-rate);
  for (double place = -1;;) {
    place += 1 + std::floor(std::log1p(-random.uniform()) * scale);
    if (place >= static_cast<double>(key.size())) return;
    key.flip(static_cast<std::size_t>(place));
  }
}

double entropy(double p) { return p <= 0 || p >= 1 ? 0 : -p * std::log2(p) - (1 - p) * std::log2(1 - p); }

struct Run {
  std::size_t disclosed = 0;
  std::size_t rounds = 0;
  std::size_t question_bytes = 0;
  bool done = false;
  Bits key;
};

Result<Run> reconcile(crypto::Provider& provider, Bits&& reference, Bits&& key, double qber, Seed&& seed) {
  const std::size_t size = reference.size();
  Seed same = Seed::copy_of(seed.reveal());
  QSP_TRY(auto alice, ParityOracle::create(provider, std::move(reference), std::move(seed), size));
  QSP_TRY(auto bob, Cascade::create(provider, std::move(key), qber, std::move(same), {.answers = size}));
  Run run;
  QueryBatch received;
  while (bob.state() == Cascade::State::Asking) {
    const std::vector<std::uint8_t> questions = encode(bob.queries());
    run.question_bytes += questions.size();
    QSP_TRY(decode(questions, size, alice.budget(), received));
    QSP_TRY(auto answered, alice.answer(received));
    QSP_TRY(auto answers, decode_answers(encode(answered), bob.queries().answer_bits()));
    if (auto fed = bob.feed(answers); !fed && fed.error().reason != Reason::Limit) return std::unexpected(fed.error());
  }
  run.disclosed = alice.disclosed();
  run.rounds = bob.rounds();
  run.done = bob.state() == Cascade::State::Done;
  run.key = std::move(bob).take_key();
  return run;
}

}  // namespace

Result<CascadeFigures> measure_cascade(crypto::Provider& provider, std::size_t key_size, double qber,
                                       std::size_t blocks) {
  QSP_TRY(auto random, RandomStream::create(provider, provider.rng()));
  CascadeFigures figures{};
  figures.blocks = blocks;
  double least = 0;
  double disclosed = 0;
  double spent = 0;
  const auto size = static_cast<double>(key_size);
  for (std::size_t i = 0; i < blocks; ++i) {
    Bits reference = draw_key(random, key_size);
    Bits key = reference.copy();
    add_errors(random, qber, key);
    const Bits original = reference.copy();
    least += size * entropy(static_cast<double>(distance(reference, key)) / size);
    const double start = now();
    auto run = reconcile(provider, std::move(reference), std::move(key), qber, draw_seed(random));
    spent += now() - start;
    if (!run) return std::unexpected(run.error());
    disclosed += static_cast<double>(run->disclosed);
    figures.rounds += static_cast<double>(run->rounds);
    figures.most_rounds = std::max(figures.most_rounds, run->rounds);
    figures.question_bits += static_cast<double>(run->question_bytes) * 8;
    figures.failed_blocks += run->done ? 0 : 1;
    figures.wrong_blocks += run->done && distance(run->key, original) != 0 ? 1 : 0;
  }
  const auto count = static_cast<double>(blocks);
  figures.efficiency = least > 0 ? disclosed / least : 0;
  figures.rounds /= count;
  figures.question_bits /= size * count;
  figures.mbit_per_second = size * count / spent / 1e6;
  return figures;
}

}  // namespace qsp::e91::cascade
