#include "e91/station/classical.hpp"

#include <bit>

#include "base/big_endian.hpp"
#include "wire/cursor.hpp"

namespace qsp::e91::station {
namespace {

enum class Kind : std::uint8_t { Block = 1, Plan = 2, Invitation = 3, Acceptance = 4 };

class Encoder {
 public:
  void operator()(const BlockMessage& message) {
    out.reserve(1 + message.bytes.size());
    kind(Kind::Block);
    out.insert(out.end(), message.bytes.begin(), message.bytes.end());
  }
  void operator()(const StationPlan& plan) {
    kind(Kind::Plan);
    out.push_back(static_cast<std::uint8_t>(plan.post.mode));
    for (const double number : {plan.post.epsilon_secrecy, plan.post.epsilon_correctness, plan.post.error_tolerance,
                                plan.post.bell_floor, plan.post.sigmas, plan.p_z}) {
      u64(std::bit_cast<std::uint64_t>(number));
    }
    for (const std::uint64_t slots : plan.post.dead_slots) u64(slots);
    u64(plan.slots);
  }
  void operator()(const Invitation& invitation) { about(Kind::Invitation, invitation.block, invitation.wanted); }
  void operator()(const Acceptance& acceptance) { about(Kind::Acceptance, acceptance.block, acceptance.kept); }

  std::vector<std::uint8_t> out;

 private:
  void kind(Kind kind) { out.push_back(static_cast<std::uint8_t>(kind)); }
  void u64(std::uint64_t value) { append_big_endian(out, value, 8); }
  void about(Kind which, std::uint64_t block, Owners owners) {
    kind(which);
    u64(block);
    out.push_back(owners);
  }
};

StationPlan read_plan(wire::Reader& reader) {
  StationPlan plan;
  const std::uint8_t mode = reader.u8();
  if (mode > static_cast<std::uint8_t>(Mode::Classic)) reader.fail();
  plan.post.mode = mode == 0 ? Mode::Biased : Mode::Classic;
  for (double* const number : {&plan.post.epsilon_secrecy, &plan.post.epsilon_correctness, &plan.post.error_tolerance,
                               &plan.post.bell_floor, &plan.post.sigmas, &plan.p_z}) {
    *number = std::bit_cast<double>(reader.u64());
  }
  for (std::uint64_t& slots : plan.post.dead_slots) slots = reader.u64();
  plan.slots = reader.u64();
  if (plan.slots == 0 || plan.slots > post::kMaxSlots) reader.fail();
  return plan;
}

/// A block's number and owners, at least one of them.
template <class About>
About read_about(wire::Reader& reader) {
  About about;
  about.block = reader.u64();
  const Owners owners = reader.u8();
  if (owners == 0 || owners > kBothOwners) reader.fail();
  if constexpr (requires { about.wanted; }) {
    about.wanted = owners;
  } else {
    about.kept = owners;
  }
  return about;
}

}  // namespace

std::vector<std::uint8_t> encode(const ClassicalMessage& message) {
  Encoder encoder;
  std::visit(encoder, message);
  return std::move(encoder.out);
}

Result<ClassicalMessage> parse_classical(Bytes bytes) {
  wire::Reader reader(bytes);
  ClassicalMessage message;
  switch (static_cast<Kind>(reader.u8())) {
    case Kind::Block: {
      const Bytes rest = reader.rest();
      message = BlockMessage{{rest.begin(), rest.end()}};
      break;
    }
    case Kind::Plan:
      message = read_plan(reader);
      break;
    case Kind::Invitation:
      message = read_about<Invitation>(reader);
      break;
    case Kind::Acceptance:
      message = read_about<Acceptance>(reader);
      break;
    default:
      reader.fail();
  }
  if (!reader.finished()) {
    return fail(ErrorKind::InvalidMessage, Reason::ProtocolError, "not a message of a station");
  }
  return message;
}

}  // namespace qsp::e91::station
