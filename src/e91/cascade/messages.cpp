#include "e91/cascade/messages.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "e91/cascade/parity.hpp"
#include "e91/varint.hpp"

namespace qsp::e91::cascade {

namespace {

constexpr unsigned kLevelBits = 6;
constexpr std::uint64_t kMaxNumber = (std::uint64_t{1} << 28) - 1;
/// Bits that a look at the stream is sure to have, wherever in a byte it starts.
constexpr std::size_t kWindow = 57;

/// The order of groups in a batch, and what tells them apart.
unsigned rank(const QueryGroup& group) noexcept {
  return unsigned{group.pass} << 8 | static_cast<unsigned>(group.ask) << kLevelBits | group.level;
}

/// The Rice parameter for `count` nodes up to `last`: about the logarithm of ln 2 mean gaps.
unsigned rice_bits(std::uint32_t count, std::uint32_t last) noexcept {
  const std::uint64_t scaled = (std::uint64_t{last} + 1) * 11 / 16 / count;
  return static_cast<unsigned>(std::bit_width(std::max<std::uint64_t>(scaled, 1))) - 1;
}

class BatchWriter {
 public:
  void u8(unsigned value) { bytes_.push_back(static_cast<std::uint8_t>(value)); }
  void number(std::uint32_t value) { put_varint(bytes_, value); }
  void bits(std::uint64_t value, unsigned count) {
    held_ |= value << held_bits_;
    for (held_bits_ += count; held_bits_ >= 8; held_bits_ -= 8, held_ >>= 8) u8(held_ & 0xFF);
  }
  void rice(std::uint32_t gap, unsigned parameter) {
    std::uint32_t ones = gap >> parameter;
    for (; ones >= 32; ones -= 32) bits(low_bits(32), 32);
    bits(low_bits(ones), ones + 1);
    bits(gap & low_bits(parameter), parameter);
  }
  void end_bits() {
    if (held_bits_ != 0) bits(0, 8 - held_bits_);
  }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
  std::uint64_t held_ = 0;
  unsigned held_bits_ = 0;
};

/// Like wire::Reader: fails for good at the first thing that is wrong, and the caller asks once.
class BatchReader {
 public:
  explicit BatchReader(Bytes input) noexcept : input_(input) {}

  unsigned u8() noexcept {
    if (input_.empty()) return fail();
    const unsigned value = input_.front();
    input_ = input_.subspan(1);
    return value;
  }
  std::uint32_t number() noexcept {
    const auto value = take_varint(input_);
    return value && *value <= kMaxNumber ? static_cast<std::uint32_t>(*value) : fail();
  }
  std::uint32_t rice(unsigned parameter) noexcept {
    std::uint64_t gap = 0;
    for (;;) {
      const std::size_t seen = std::min(kWindow, left());
      const auto ones = static_cast<std::size_t>(std::countr_one(look()));
      if (ones < seen) {
        gap = (gap + ones) << parameter;
        bit_ += ones + 1;
        break;
      }
      gap += seen;
      bit_ += seen;
      if (left() == 0 || gap > kMaxCascadeKey) return fail();
    }
    if (left() < parameter || gap > kMaxCascadeKey) return fail();
    gap |= look() & low_bits(parameter);
    bit_ += parameter;
    return static_cast<std::uint32_t>(gap);
  }
  void end_bits() noexcept {
    if (bit_ % 8 != 0 && input_[bit_ / 8] >> (bit_ % 8) != 0) fail();
    if (ok_) input_ = input_.subspan((bit_ + 7) / 8);
    bit_ = 0;
  }
  [[nodiscard]] std::size_t left() const noexcept { return input_.size() * 8 - bit_; }
  [[nodiscard]] bool empty() const noexcept { return input_.empty(); }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  std::uint32_t fail() noexcept {
    ok_ = false;
    input_ = {};
    bit_ = 0;
    return 0;
  }

 private:
  [[nodiscard]] std::uint64_t look() const noexcept {
    std::uint64_t window = 0;
    const std::size_t byte = bit_ / 8;
    if (byte < input_.size()) std::memcpy(&window, input_.data() + byte, std::min(input_.size() - byte, sizeof window));
    return window >> (bit_ % 8);
  }

  Bytes input_;
  std::size_t bit_ = 0;
  bool ok_ = true;
};

/// The kind and level that a byte names, or nothing where no such question exists.
bool read_kind(unsigned byte, QueryGroup& group) noexcept {
  group.level = static_cast<std::uint8_t>(byte & low_bits(kLevelBits));
  group.ask = static_cast<Ask>(byte >> kLevelBits);
  switch (group.ask) {
    case Ask::Open:
      return group.level >= kMinBlockLevel && group.level <= kMaxLevel;
    case Ask::Halves:
      return group.level >= 1 && group.level <= kMaxLevel;
    case Ask::Syndromes:
      return group.level >= kMinSyndromeLevel && group.level <= kMaxSyndromeLevel;
    default:
      return false;
  }
}

void read_nodes(BatchReader& in, const QueryGroup& group, std::uint32_t last, std::vector<std::uint32_t>& nodes) {
  const unsigned parameter = rice_bits(group.count, last);
  std::uint64_t next = 0;
  for (std::uint32_t i = 0; i < group.count && in.ok(); ++i) {
    next += in.rice(parameter);
    if (next > last) {
      in.fail();
      return;
    }
    nodes.push_back(static_cast<std::uint32_t>(next++));
  }
  if (next != std::uint64_t{last} + 1) in.fail();
  in.end_bits();
}

}  // namespace

std::size_t QueryBatch::answer_bits() const noexcept {
  std::size_t bits = 0;
  for (const QueryGroup& group : groups) bits += group.answer_bits();
  return bits;
}

std::vector<std::uint8_t> encode(const QueryBatch& batch) {
  BatchWriter out;
  const std::uint32_t* node = batch.nodes.data();
  for (const QueryGroup& group : batch.groups) {
    out.u8(group.pass);
    out.u8(static_cast<unsigned>(group.ask) << kLevelBits | group.level);
    if (group.ask == Ask::Open) {
      out.u8(static_cast<unsigned>(group.layout));
      continue;
    }
    const std::uint32_t last = node[group.count - 1];
    out.number(group.count);
    out.number(last);
    const unsigned parameter = rice_bits(group.count, last);
    std::uint32_t next = 0;
    for (std::uint32_t i = 0; i < group.count; ++i, ++node) {
      out.rice(*node - next, parameter);
      next = *node + 1;
    }
    out.end_bits();
  }
  return out.take();
}

Result<void> decode(Bytes bytes, std::size_t key_size, std::size_t max_answer_bits, QueryBatch& batch) {
  constexpr auto kInvalid = [](std::string_view where) {
    return qsp::fail(ErrorKind::InvalidMessage, Reason::ProtocolError, where);
  };
  batch.clear();
  BatchReader in(bytes);
  std::size_t answer_bits = 0;
  while (in.ok() && !in.empty()) {
    QueryGroup group;
    group.pass = static_cast<std::uint8_t>(in.u8());
    if (group.pass >= kMaxPasses || !read_kind(in.u8(), group)) return kInvalid("cascade: a question of no kind");
    if (!batch.groups.empty() && rank(batch.groups.back()) >= rank(group)) return kInvalid("cascade: order of groups");
    std::uint32_t last = 0;
    if (group.ask == Ask::Open) {
      const unsigned layout = in.u8();
      if (layout > static_cast<unsigned>(Layout::Subset)) return kInvalid("cascade: a layout of no kind");
      group.layout = static_cast<Layout>(layout);
      group.count = nodes_of(places_of(group.layout, key_size), group.level);
    } else {
      group.count = in.number();
      last = in.number();
      if (group.count == 0 || group.count - 1 > last || last >= nodes_of(kMaxCascadeKey, group.level) ||
          group.count > in.left()) {
        return kInvalid("cascade: a number of nodes");
      }
    }
    answer_bits += group.answer_bits();
    if (answer_bits > max_answer_bits) {
      return qsp::fail(ErrorKind::PeerMisbehaved, Reason::Limit, "cascade: more questions than may be answered");
    }
    if (group.ask != Ask::Open) read_nodes(in, group, last, batch.nodes);
    batch.groups.push_back(group);
  }
  if (!in.ok() || batch.groups.empty()) return kInvalid("cascade: questions cut short or altered");
  return {};
}

Result<Bits> decode_answers(Bytes bytes, std::size_t expected) {
  const bool padded = expected % 8 == 0 || (bytes.size() == (expected + 7) / 8 && bytes.back() >> (expected % 8) == 0);
  if (bytes.size() != (expected + 7) / 8 || !padded) {
    return qsp::fail(ErrorKind::InvalidMessage, Reason::ProtocolError, "cascade: not one answer to each question");
  }
  return Bits::from_bytes(bytes, expected);
}

}  // namespace qsp::e91::cascade
