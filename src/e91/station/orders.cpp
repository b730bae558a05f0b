#include "e91/station/orders.hpp"

#include <algorithm>
#include <bit>

#include "base/big_endian.hpp"
#include "e91/varint.hpp"
#include "wire/cursor.hpp"

namespace qsp::e91::station {
namespace {

using wire::Reader;

enum class Type : std::uint8_t { Order = 1, Detections = 2, Declined = 3 };

/// With room for a whole order: no copy of its seed is left behind by a vector that grew.
std::vector<std::uint8_t> begin(Type type, const BlockName& block) {
  std::vector<std::uint8_t> out;
  out.reserve(kMaxOrder);
  out.push_back(static_cast<std::uint8_t>(type));
  out.insert(out.end(), block.pairing.begin(), block.pairing.end());
  append_big_endian(out, block.number, 8);
  return out;
}

BlockName read_block(Reader& reader) {
  BlockName block;
  const Bytes pairing = reader.bytes(block.pairing.size());
  if (reader.ok()) std::ranges::copy(pairing, block.pairing.begin());
  block.number = reader.u64();
  return block;
}

std::unexpected<Error> malformed(std::string_view where) noexcept {
  return fail(ErrorKind::InvalidMessage, Reason::ProtocolError, where);
}

Detections read_detections(Reader& reader, const BlockName& block) {
  Detections detections{.block = block, .slots = reader.u64(), .clicks = {}};
  const std::size_t count = reader.u32();
  // A click takes a byte at least, so a count that the bytes cannot hold reserves nothing.
  if (count > post::kMaxClicks || count > reader.remaining() || detections.slots > post::kMaxSlots) reader.fail();
  if (!reader.ok()) return detections;
  detections.clicks.reserve(count);
  Bytes coded = reader.rest();
  std::uint64_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto click = take_varint(coded);
    if (!click || next >= detections.slots || *click >> 1 >= detections.slots - next) {
      reader.fail();
      return detections;
    }
    next += *click >> 1;
    detections.clicks.emplace_back(next++, (*click & 1) != 0);
  }
  if (!coded.empty()) reader.fail();
  return detections;
}

}  // namespace

std::vector<std::uint8_t> encode(const Order& order) {
  std::vector<std::uint8_t> out = begin(Type::Order, order.block);
  out.push_back(static_cast<std::uint8_t>(order.mode));
  append_big_endian(out, std::bit_cast<std::uint64_t>(order.p_z), 8);
  append_big_endian(out, order.slots, 8);
  const Bytes seed = order.seed.reveal();
  out.insert(out.end(), seed.begin(), seed.end());
  return out;
}

std::vector<std::uint8_t> encode(const Detections& detections) {
  std::vector<std::uint8_t> out = begin(Type::Detections, detections.block);
  out.reserve(out.size() + 12 + detections.clicks.size() * 2);
  append_big_endian(out, detections.slots, 8);
  append_big_endian(out, detections.clicks.size(), 4);
  std::uint64_t next = 0;
  for (const Click& click : detections.clicks) {
    put_varint(out, (click.slot() - next) << 1 | (click.bit() ? 1 : 0));
    next = click.slot() + 1;
  }
  return out;
}

std::vector<std::uint8_t> encode(const Declined& declined) {
  std::vector<std::uint8_t> out = begin(Type::Declined, declined.block);
  const std::string_view why = std::string_view(declined.why).substr(0, kMaxDeclinedText);
  out.insert(out.end(), why.begin(), why.end());
  return out;
}

Result<Order> parse_order(Bytes bytes) {
  Reader reader(bytes);
  if (reader.u8() != static_cast<std::uint8_t>(Type::Order)) return malformed("not an order");
  Order order;
  order.block = read_block(reader);
  const std::uint8_t mode = reader.u8();
  order.mode = static_cast<Mode>(mode);
  order.p_z = std::bit_cast<double>(reader.u64());
  order.slots = reader.u64();
  const Bytes seed = reader.bytes(order.seed.writable().size());
  const bool lawful = mode <= static_cast<std::uint8_t>(Mode::Classic) && order.p_z > 0 && order.p_z < 1 &&
                      order.slots > 0 && order.slots <= post::kMaxSlots;
  if (!reader.finished() || !lawful) return malformed("a broken order");
  order.seed = Seed::copy_of(seed);
  return order;
}

Result<std::variant<Detections, Declined>> parse_answer(Bytes bytes) {
  Reader reader(bytes);
  const std::uint8_t type = reader.u8();
  const BlockName block = read_block(reader);
  if (type == static_cast<std::uint8_t>(Type::Detections)) {
    Detections detections = read_detections(reader, block);
    if (!reader.finished()) return malformed("broken detections");
    return detections;
  }
  if (type != static_cast<std::uint8_t>(Type::Declined) || !reader.ok() || reader.remaining() > kMaxDeclinedText) {
    return malformed("not an answer of a link");
  }
  const Bytes why = reader.rest();
  return Declined{.block = block, .why = std::string(why.begin(), why.end())};
}

}  // namespace qsp::e91::station
