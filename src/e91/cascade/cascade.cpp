#include "e91/cascade/cascade.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/try.hpp"
#include "e91/cascade/parity.hpp"

namespace qsp::e91::cascade {

namespace {

/// The lowest level whose nodes are as long as a leaf. A leaf cut short by the end of its pass starts a node of it too.
unsigned level_of(std::size_t leaf_size) noexcept { return static_cast<unsigned>(std::bit_width(leaf_size - 1)); }

/// Odd leaves of later passes wait while more than this part as many are asked about in earlier ones: the searches
/// would too often find the same error.
constexpr std::size_t kCrowding = 2;

/// How many levels larger than planned the leaves may be that are finished by a syndrome. With few of the errors left,
/// rounds cost more than the bits that a misled syndrome does.
unsigned haste(std::size_t odd_leaves, std::size_t expected_errors) noexcept {
  if (odd_leaves < expected_errors / 150) return 2;
  return odd_leaves < expected_errors / 30 ? 1 : 0;
}

}  // namespace

std::size_t Cascade::Pass::leaf_start(std::size_t place) const noexcept {
  std::size_t word = place / 64;
  std::uint64_t seen = starts.words()[word] & low_bits(place % 64 + 1);
  while (seen == 0) seen = starts.words()[--word];  // place 0 is a start
  return word * 64 + 63 - static_cast<std::size_t>(std::countl_zero(seen));
}

std::size_t Cascade::Pass::leaf_end(std::size_t start) const noexcept {
  std::size_t word = start / 64;
  std::uint64_t seen = starts.words()[word] & ~low_bits(start % 64 + 1);
  while (seen == 0) {
    if (++word == starts.words().size()) return order.size();
    seen = starts.words()[word];
  }
  return word * 64 + static_cast<std::size_t>(std::countr_zero(seen));
}

void Cascade::Pass::set_odd(std::size_t start, bool value) noexcept {
  odd_leaves = odd_leaves + (value ? 1 : 0) - (odd[start] ? 1 : 0);
  odd.set(start, value);
}

/// A bit alone in its leaf has been compared itself.
bool Cascade::Pass::is_known_right(std::uint32_t index) const noexcept {
  const auto place = order.place(index);
  return place && starts[*place] && !odd[*place] && leaf_end(*place) == *place + 1;
}

Cascade::Cascade(RandomStream&& stream, Bits&& key, Plan&& plan, CascadeLimits limits) noexcept
    : stream_(std::move(stream)), key_(std::move(key)), plan_(std::move(plan)), limits_(limits) {}

Result<Cascade> Cascade::create(crypto::Provider& provider, Bits&& key, double qber, Seed&& seed,
                                CascadeLimits limits) {
  if (key.size() < kMinCascadeKey || key.size() > kMaxCascadeKey) {
    return fail(ErrorKind::ApiMisuse, Reason::InternalError, "cascade: a key of this length");
  }
  QSP_TRY(auto stream, RandomStream::create(provider, std::move(seed)));
  Plan plan = make_plan(key.size(), qber);
  Cascade cascade(std::move(stream), std::move(key), std::move(plan), limits);
  cascade.passes_.reserve(cascade.plan_.passes.size());
  QSP_TRY(cascade.prepare());
  return cascade;
}

Result<void> Cascade::give_up(ErrorKind kind, Reason reason, std::string_view where) noexcept {
  state_ = State::Failed;
  batch_.clear();
  return fail(kind, reason, where);
}

void Cascade::ask(std::size_t pass_number, unsigned hurry) {
  const Pass& pass = passes_[pass_number];
  // Once a later pass lays open what is left, a leaf seldom holds three errors.
  const unsigned later = pass_number + 1 < passes_.size() ? 1 : 0;
  const unsigned largest = std::min(pass.syndrome_level + later + hurry, kMaxSyndromeLevel);
  for (std::size_t word = 0; word < pass.odd.words().size(); ++word) {
    for (std::uint64_t left = pass.odd.words()[word]; left != 0; left &= left - 1) {
      const std::size_t start = word * 64 + static_cast<std::size_t>(std::countr_zero(left));
      const unsigned level = level_of(pass.leaf_end(start) - start);
      const bool by_syndrome = level >= kMinSyndromeLevel && level <= largest && !pass.tried[start];
      (by_syndrome ? syndromes_[level] : halves_[level]).push_back(static_cast<std::uint32_t>(start >> level));
    }
  }
  const auto add = [&](Ask ask, auto& nodes_by_level) {
    for (std::size_t level = 0; level < nodes_by_level.size(); ++level) {
      std::vector<std::uint32_t>& nodes = nodes_by_level[level];
      if (nodes.empty()) continue;
      batch_.groups.push_back({.ask = ask,
                               .pass = static_cast<std::uint8_t>(pass_number),
                               .level = static_cast<std::uint8_t>(level),
                               .count = static_cast<std::uint32_t>(nodes.size())});
      batch_.nodes.insert(batch_.nodes.end(), nodes.begin(), nodes.end());
      nodes.clear();
    }
  };
  add(Ask::Halves, halves_);
  add(Ask::Syndromes, syndromes_);
}

Result<void> Cascade::prepare() {
  batch_.clear();
  std::size_t odd_leaves = 0;
  for (const Pass& pass : passes_) odd_leaves += pass.odd_leaves;
  const unsigned hurry = haste(odd_leaves, plan_.expected_errors);
  std::size_t asked = 0;
  for (std::size_t i = 0; i < passes_.size(); ++i) {
    const std::size_t here = passes_[i].odd_leaves;
    if (here == 0 || asked * kCrowding > here) continue;
    asked += here;
    ask(i, hurry);
  }
  std::size_t next = passes_.size();
  while (next < plan_.passes.size() && odd_leaves <= plan_.passes[next].open_at) {
    const PlannedPass& planned = plan_.passes[next];
    batch_.groups.push_back({.ask = Ask::Open,
                             .pass = static_cast<std::uint8_t>(next),
                             .level = planned.block_level,
                             .layout = planned.layout,
                             .count = nodes_of(places_of(planned.layout, key_.size()), planned.block_level)});
    ++next;
    if (planned.layout != Layout::Subset) break;
  }
  if (batch_.groups.empty()) {
    state_ = State::Done;
  } else if (rounds_ == limits_.rounds || batch_.answer_bits() > limits_.answers - disclosed_) {
    return give_up(ErrorKind::PeerMisbehaved, Reason::Limit, "cascade: more questions than this key is worth");
  }
  return {};
}

Result<void> Cascade::feed(const Bits& answers) {
  if (state_ != State::Asking) return fail(ErrorKind::ApiMisuse, Reason::InternalError, "cascade: nothing was asked");
  if (answers.size() != batch_.answer_bits()) {
    return give_up(ErrorKind::InvalidMessage, Reason::ProtocolError, "cascade: not one answer to each question");
  }
  disclosed_ += answers.size();
  ++rounds_;
  AnswerReader in(answers);
  const std::uint32_t* node = batch_.nodes.data();
  bool consistent = true;
  for (const QueryGroup& group : batch_.groups) {
    if (group.ask == Ask::Open) {
      QSP_TRY(open(group, in));
      continue;
    }
    Pass& pass = passes_[group.pass];
    for (std::uint32_t i = 0; i < group.count; ++i, ++node) {
      if (group.ask == Ask::Halves) {
        consistent = halve(pass, group, *node, in.take(1) != 0) && consistent;
      } else {
        locate(pass, group, *node, in.take(group.level));
      }
    }
  }
  if (!consistent) {
    return give_up(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "cascade: answers that contradict each other");
  }
  return prepare();
}

Result<void> Cascade::open(const QueryGroup& group, AnswerReader& in) {
  Order order(group.layout, key_.size(), stream_);
  if (!stream_.healthy()) return give_up(ErrorKind::Provider, Reason::InternalError, "cascade: the random stream");
  const std::size_t size = order.size();
  Bits key = order.apply(key_);
  passes_.push_back({.order = std::move(order),
                     .syndrome_level = plan_.passes[group.pass].syndrome_level,
                     .key = std::move(key),
                     .starts = Bits(size),
                     .odd = Bits(size),
                     .tried = Bits(size)});
  Pass& pass = passes_.back();
  for (std::uint32_t i = 0; i < group.count; ++i) {
    const std::size_t begin = std::size_t{i} << group.level;
    const std::size_t end = std::min(begin + (std::size_t{1} << group.level), size);
    pass.starts.set(begin, true);
    pass.set_odd(begin, range_parity(pass.key.words(), begin, end) != (in.take(1) != 0));
  }
  const std::size_t last = std::size_t{group.count - 1} << group.level;
  if (!settle(pass, last)) {
    return give_up(ErrorKind::PeerMisbehaved, Reason::ProtocolError, "cascade: answers that contradict each other");
  }
  return {};
}

bool Cascade::halve(Pass& pass, const QueryGroup& group, std::uint32_t node, bool answer) {
  const std::size_t start = std::size_t{node} << group.level;
  const std::size_t middle = start + (std::size_t{1} << (group.level - 1));
  const bool whole_odd = pass.odd[start];
  const bool lower_odd = range_parity(pass.key.words(), start, middle) != answer;
  pass.starts.set(middle, true);
  pass.set_odd(start, lower_odd);
  pass.set_odd(middle, whole_odd != lower_odd);
  const bool lower_settled = settle(pass, start);
  return settle(pass, middle) && lower_settled;
}

void Cascade::locate(Pass& pass, const QueryGroup& group, std::uint32_t node, unsigned answer) {
  // NOLINTNEXTLINE(clang-analyzer-core.BitwiseShift): a level is under 32, see messages.hpp
  const std::size_t start = std::size_t{node} << group.level;
  pass.tried.set(start, true);
  if (!pass.odd[start]) return;  // an earlier answer of this round corrected it
  const std::size_t place = start + (syndrome(pass.key.words(), start, group.level) ^ answer);
  if (place >= pass.order.size()) return;
  const auto index = pass.order.index(static_cast<std::uint32_t>(place));
  if (index && !is_known_right(*index)) turn(*index);
}

/// Turns a bit that is alone in an odd leaf. False if another answer had it right.
bool Cascade::settle(Pass& pass, std::size_t start) {
  if (!pass.odd[start] || pass.leaf_end(start) != start + 1) return true;
  const auto index = pass.order.index(static_cast<std::uint32_t>(start));
  if (!index || is_known_right(*index)) return false;
  turn(*index);
  return true;
}

bool Cascade::is_known_right(std::uint32_t index) const noexcept {
  return std::ranges::any_of(passes_, [&](const Pass& pass) { return pass.is_known_right(index); });
}

void Cascade::turn(std::uint32_t index) {
  ++turned_;
  key_.flip(index);
  for (Pass& pass : passes_) {
    const auto place = pass.order.place(index);
    if (!place) continue;
    pass.key.flip(*place);
    const std::size_t leaf = pass.leaf_start(*place);
    pass.set_odd(leaf, !pass.odd[leaf]);
  }
}

}  // namespace qsp::e91::cascade
