#include "e91/post/messages.hpp"

#include <algorithm>
#include <optional>

#include "base/big_endian.hpp"
#include "wire/cursor.hpp"

namespace qsp::e91::post {
namespace {

using wire::Reader;

/// What a message is on the wire. The order is that of Message's alternatives.
enum class Type : std::uint8_t {
  Clicks = 1,
  Matches,
  Tests,
  Reconcile,
  Queries,
  Parities,
  Corrected,
  Verify,
  Verified,
  Privacy,
  Tag,
  Abort,
  Ready,
  Accepted,
};
static_assert(std::variant_size_v<Message> == static_cast<std::size_t>(Type::Accepted));

Type type_of(const Message& message) noexcept { return static_cast<Type>(message.index() + 1); }

/// A growing buffer.
class Output {
 public:
  void integer(std::uint64_t value, std::size_t size) { append_big_endian(bytes_, value, size); }
  void bytes(Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void bits(const Bits& bits) { bytes(bits.to_bytes()); }
  void reserve(std::size_t size) { bytes_.reserve(size); }
  std::vector<std::uint8_t> take() && { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

/// A bit string, whose last byte must have zeros where the string has ended.
Bits read_bits(Reader& reader, std::size_t size) {
  const Bytes bytes = reader.bytes((size + 7) / 8);
  if (!reader.ok()) return {};
  if (size % 8 != 0 && (bytes.back() >> (size % 8)) != 0) reader.fail();
  return Bits::from_bytes(bytes, size);
}

SettingList read_settings(Reader& reader, std::size_t count) {
  auto settings = SettingList::parse(reader.bytes(SettingList::bytes_of(count)), count);
  if (!settings) reader.fail();
  return std::move(settings).value_or(SettingList());
}

ClicksMessage read_clicks(Reader& reader) {
  ClicksMessage message{.slots = reader.u64(), .slot = {}, .setting = {}};
  const std::size_t count = reader.u32();
  const Bytes gaps = reader.bytes(reader.u32());
  if (count > kMaxClicks || message.slots > kMaxSlots) reader.fail();
  if (!reader.ok()) return message;
  auto slot = SlotList::parse(gaps, count, message.slots);
  if (!slot) {
    reader.fail();
    return message;
  }
  message.slot = std::move(*slot);
  message.setting = read_settings(reader, count);
  return message;
}

template <std::size_t Size>
std::array<std::uint8_t, Size> read_array(Reader& reader) noexcept {
  std::array<std::uint8_t, Size> array{};
  const Bytes bytes = reader.bytes(Size);
  if (reader.ok()) std::ranges::copy(bytes, array.begin());
  return array;
}

std::optional<Message> read_body(Type type, Reader& reader, const Expect& expect) {
  switch (type) {
    case Type::Clicks:
      return read_clicks(reader);
    case Type::Matches: {
      MatchesMessage message;
      message.shared = read_bits(reader, expect.clicks);
      message.setting = read_settings(reader, message.shared.count());
      return message;
    }
    case Type::Tests: {
      const std::size_t count = reader.u32();
      if (count > kMaxClicks) return std::nullopt;
      return TestsMessage{read_bits(reader, count)};
    }
    case Type::Reconcile: {
      ReconcileMessage message{.seed = read_array<32>(reader), .error_ppm = reader.u32()};
      if (message.error_ppm > 500'000) return std::nullopt;
      return message;
    }
    case Type::Queries: {
      const Bytes batch = reader.rest();
      return QueriesMessage{{batch.begin(), batch.end()}};
    }
    case Type::Parities: {
      const std::size_t count = reader.u32();
      if (count > kMaxKeyBits) return std::nullopt;
      return ParitiesMessage{read_bits(reader, count)};
    }
    case Type::Corrected:
      return CorrectedMessage{reader.u32()};
    case Type::Verify:
      return VerifyMessage{.point = reader.u64(), .hash = reader.u64()};
    case Type::Verified:
      return VerifiedMessage{};
    case Type::Privacy: {
      PrivacyMessage message{.length = reader.u32(), .seed = {}};
      const std::size_t bits = reader.u32();
      if (message.length > kMaxKeyBits || bits > 2 * kMaxKeyBits) return std::nullopt;
      message.seed = read_bits(reader, bits);
      return message;
    }
    case Type::Tag:
      return TagMessage{.position = reader.u64(), .tag = read_array<16>(reader)};
    case Type::Abort: {
      const std::uint8_t reason = reader.u8();
      if (reason < 1 || reason > static_cast<std::uint8_t>(Abort::TooManyRounds)) return std::nullopt;
      return AbortMessage{static_cast<Abort>(reason)};
    }
    case Type::Ready: {
      ReadyMessage message{.slots = reader.u64(), .nonce = read_array<16>(reader)};
      if (message.slots > kMaxSlots) return std::nullopt;
      return message;
    }
    case Type::Accepted:
      return AcceptedMessage{read_array<16>(reader)};
    default:
      return std::nullopt;
  }
}

struct Encoder {
  Output& out;

  void operator()(const ClicksMessage& m) const {
    out.integer(m.slots, 8);
    out.integer(m.slot.size(), 4);
    out.integer(m.slot.gaps().size(), 4);
    out.bytes(m.slot.gaps());
    out.bytes(m.setting.bytes());
  }
  void operator()(const MatchesMessage& m) const {
    out.bits(m.shared);
    out.bytes(m.setting.bytes());
  }
  void operator()(const TestsMessage& m) const {
    out.integer(m.outcomes.size(), 4);
    out.bits(m.outcomes);
  }
  void operator()(const ReconcileMessage& m) const {
    out.bytes(m.seed);
    out.integer(m.error_ppm, 4);
  }
  void operator()(const QueriesMessage& m) const { out.bytes(m.batch); }
  void operator()(const ParitiesMessage& m) const {
    out.integer(m.parities.size(), 4);
    out.bits(m.parities);
  }
  void operator()(const CorrectedMessage& m) const { out.integer(m.errors, 4); }
  void operator()(const VerifyMessage& m) const {
    out.integer(m.point, 8);
    out.integer(m.hash, 8);
  }
  void operator()(const VerifiedMessage& /*m*/) const {}
  void operator()(const PrivacyMessage& m) const {
    out.integer(m.length, 4);
    out.integer(m.seed.size(), 4);
    out.bits(m.seed);
  }
  void operator()(const TagMessage& m) const {
    out.integer(m.position, 8);
    out.bytes(m.tag);
  }
  void operator()(const AbortMessage& m) const { out.integer(static_cast<std::uint8_t>(m.reason), 1); }
  void operator()(const ReadyMessage& m) const {
    out.integer(m.slots, 8);
    out.bytes(m.nonce);
  }
  void operator()(const AcceptedMessage& m) const { out.bytes(m.word); }
};

}  // namespace

std::string_view describe(Abort reason) noexcept {
  switch (reason) {
    case Abort::Protocol:
      return "the peer sent what the protocol does not allow";
    case Abort::TooFewRounds:
      return "too few rounds for an estimate";
    case Abort::ErrorRate:
      return "the error rate is over its tolerance";
    case Abort::BellTest:
      return "|S| is under its floor";
    case Abort::Reconciliation:
      return "reconciliation gave up";
    case Abort::Verification:
      return "the keys still differ after reconciliation";
    case Abort::NoKey:
      return "no bit of key could be certified";
    case Abort::Authentication:
      return "a tag does not fit what was received";
    case Abort::PadExhausted:
      return "no key is left to authenticate with";
    case Abort::LinkDown:
      return "the link is down";
    case Abort::TooManyRounds:
      return "more key rounds than a block may have";
  }
  return "";
}

std::size_t disclosed_key_bits(const Message& message) noexcept {
  if (const auto* const parities = std::get_if<ParitiesMessage>(&message)) return parities->parities.size();
  return std::holds_alternative<VerifyMessage>(message) ? 64 : 0;
}

std::string_view name(const Message& message) noexcept {
  constexpr std::array<std::string_view, std::variant_size_v<Message>> kNames{
      "CLICKS", "MATCHES",  "TESTS",   "RECONCILE", "QUERIES", "PARITIES", "CORRECTED",
      "VERIFY", "VERIFIED", "PRIVACY", "TAG",       "ABORT",   "READY",    "ACCEPTED"};
  return kNames.at(message.index());
}

std::vector<std::uint8_t> encode(std::uint64_t block, const Message& message) {
  Output out;
  if (const auto* const clicks = std::get_if<ClicksMessage>(&message)) {
    out.reserve(64 + clicks->slot.gaps().size() + SettingList::bytes_of(clicks->setting.size()));
  }
  out.integer(static_cast<std::uint8_t>(type_of(message)), 1);
  out.integer(block, 8);
  std::visit(Encoder{out}, message);
  return std::move(out).take();
}

Result<Message> parse(Bytes bytes, const Expect& expect) {
  const auto refuse = [] {
    return fail(ErrorKind::InvalidMessage, Reason::ProtocolError,
                "a message of the classical channel that no rule allows");
  };
  if (bytes.size() > kMaxMessage) return refuse();
  Reader reader(bytes);
  const auto type = static_cast<Type>(reader.u8());
  if (reader.u64() != expect.block || !reader.ok()) return refuse();
  auto message = read_body(type, reader, expect);
  if (!message || !reader.finished()) return refuse();
  return std::move(*message);
}

}  // namespace qsp::e91::post
