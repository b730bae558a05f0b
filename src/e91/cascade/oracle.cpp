#include "e91/cascade/oracle.hpp"

#include <array>
#include <utility>

#include "base/try.hpp"
#include "e91/cascade/answers.hpp"
#include "e91/cascade/parity.hpp"

namespace qsp::e91::cascade {

namespace {

std::unexpected<Error> refuse(std::string_view where) noexcept {
  return fail(ErrorKind::PeerMisbehaved, Reason::ProtocolError, where);
}

}  // namespace

bool ParityOracle::Pass::prefix(std::size_t end) const noexcept {
  const std::size_t word = end / 64;
  if (word == key.words().size()) return before[word];
  return before[word] != odd(key.words()[word] & low_bits(end % 64));
}

Result<ParityOracle> ParityOracle::create(crypto::Provider& provider, Bits&& key, Seed&& seed,
                                          std::size_t max_disclosed) {
  if (key.size() < kMinCascadeKey || key.size() > kMaxCascadeKey) {
    return fail(ErrorKind::ApiMisuse, Reason::InternalError, "cascade: a key of this length");
  }
  QSP_TRY(auto stream, RandomStream::create(provider, std::move(seed)));
  return ParityOracle(std::move(stream), std::move(key), max_disclosed);
}

Result<void> ParityOracle::check(const QueryBatch& batch) const {
  if (batch.answer_bits() > budget()) {
    return fail(ErrorKind::PeerMisbehaved, Reason::Limit, "cascade: more questions than may be answered");
  }
  std::array<std::size_t, kMaxPasses> places{};
  std::size_t opened = passes_.size();
  for (std::size_t i = 0; i < opened; ++i) places.at(i) = passes_[i].key.size();
  std::size_t next = 0;
  for (const QueryGroup& group : batch.groups) {
    if (group.ask == Ask::Open) {
      if (opened == kMaxPasses) return fail(ErrorKind::PeerMisbehaved, Reason::Limit, "cascade: a pass too many");
      if (group.pass != opened) return refuse("cascade: a pass out of turn");
      places.at(opened) = places_of(group.layout, key_.size());
      if (group.level < kMinBlockLevel || group.level > kMaxLevel ||
          group.count != nodes_of(places.at(opened), group.level)) {
        return refuse("cascade: blocks that a pass does not have");
      }
      ++opened;
      continue;
    }
    const bool halves = group.ask == Ask::Halves;
    const unsigned lowest = halves ? 1 : kMinSyndromeLevel;
    const unsigned highest = halves ? kMaxLevel : kMaxSyndromeLevel;
    if (group.pass >= opened || group.level < lowest || group.level > highest ||
        group.count > batch.nodes.size() - next) {
      return refuse("cascade: a question about no pass or level");
    }
    const std::size_t needed = halves ? std::size_t{1} << (group.level - 1) : 1;
    for (const std::size_t end = next + group.count; next < end; ++next) {
      if ((std::size_t{batch.nodes[next]} << group.level) + needed > places.at(group.pass)) {
        return refuse("cascade: a question about no node");
      }
    }
  }
  return {};
}

Result<void> ParityOracle::open(Layout layout) {
  const Order order(layout, key_.size(), stream_);
  if (!stream_.healthy())
    return fail(ErrorKind::Provider, Reason::InternalError, "cascade: the shuffles' random stream");
  Pass pass{order.apply(key_), {}};
  pass.before = Bits(pass.key.words().size() + 1);
  bool parity = false;
  for (std::size_t word = 0; word < pass.key.words().size(); ++word) {
    parity = parity != odd(pass.key.words()[word]);
    pass.before.set(word + 1, parity);
  }
  passes_.push_back(std::move(pass));
  return {};
}

Result<Bits> ParityOracle::answer(const QueryBatch& batch) {
  QSP_TRY(check(batch));
  Bits answers(batch.answer_bits());
  AnswerWriter out(answers);
  const std::uint32_t* node = batch.nodes.data();
  for (const QueryGroup& group : batch.groups) {
    if (group.ask == Ask::Open) {
      QSP_TRY(open(group.layout));
      const Pass& pass = passes_.back();
      bool before = false;
      for (std::uint32_t i = 1; i <= group.count; ++i) {
        const bool after = pass.prefix(std::min(std::size_t{i} << group.level, pass.key.size()));
        out.put(before != after ? 1 : 0, 1);
        before = after;
      }
      continue;
    }
    const Pass& pass = passes_[group.pass];
    for (std::uint32_t i = 0; i < group.count; ++i, ++node) {
      const std::size_t begin = std::size_t{*node} << group.level;
      if (group.ask == Ask::Halves) {
        const std::size_t middle = begin + (std::size_t{1} << (group.level - 1));
        out.put(pass.prefix(begin) != pass.prefix(middle) ? 1 : 0, 1);
      } else {
        out.put(syndrome(pass.key.words(), begin, group.level), group.level);
      }
    }
  }
  disclosed_ += answers.size();
  return answers;
}

}  // namespace qsp::e91::cascade
