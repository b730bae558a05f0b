#include "e91/post/transcript.hpp"

#include <bit>
#include <limits>
#include <string_view>

#include "base/big_endian.hpp"
#include "wire/cursor.hpp"

namespace qsp::e91::post {
namespace {

constexpr std::string_view kMagic = "QSP-E91-TRANSCRIPT-2\n";

/// NaN is in no range.
bool sensible(const PostConfig& config) noexcept {
  const auto within = [](double value, double least, double most) { return value >= least && value <= most; };
  const double least = std::numeric_limits<double>::min();
  return within(config.epsilon_secrecy, least, 1) && within(config.epsilon_correctness, least, 1) &&
         within(config.error_tolerance, 0, 0.5) && within(config.bell_floor, 0, 3) && within(config.sigmas, 0, 100) &&
         config.dead_slots[0] <= kMaxSlots && config.dead_slots[1] <= kMaxSlots;
}

}  // namespace

std::vector<std::uint8_t> transcript_header(const PostConfig& config) {
  const Bytes magic = as_bytes(kMagic);
  std::vector<std::uint8_t> out(magic.begin(), magic.end());
  append_big_endian(out, static_cast<std::uint64_t>(config.mode), 1);
  for (const double number :
       {config.epsilon_secrecy, config.epsilon_correctness, config.error_tolerance, config.bell_floor, config.sigmas}) {
    append_big_endian(out, std::bit_cast<std::uint64_t>(number), 8);
  }
  for (const std::uint64_t slots : config.dead_slots) append_big_endian(out, slots, 8);
  return out;
}

std::vector<std::uint8_t> transcript_entry(Side sender, Bytes message) {
  std::vector<std::uint8_t> out;
  out.reserve(5 + message.size());
  append_big_endian(out, static_cast<std::uint64_t>(sender), 1);
  append_big_endian(out, message.size(), 4);
  out.insert(out.end(), message.begin(), message.end());
  return out;
}

Result<Transcript> read_transcript(Bytes bytes) {
  const auto refuse = [](std::string_view where) {
    return fail(ErrorKind::InvalidMessage, Reason::ProtocolError, where);
  };
  wire::Reader reader(bytes);
  reader.expect(as_bytes(kMagic));
  if (!reader.ok()) return refuse("not a transcript of qsp e91");
  Transcript transcript;
  const std::uint8_t mode = reader.u8();
  transcript.config.mode = mode == 0 ? Mode::Biased : Mode::Classic;
  for (double* const number :
       {&transcript.config.epsilon_secrecy, &transcript.config.epsilon_correctness, &transcript.config.error_tolerance,
        &transcript.config.bell_floor, &transcript.config.sigmas}) {
    *number = std::bit_cast<double>(reader.u64());
  }
  for (std::uint64_t& slots : transcript.config.dead_slots) slots = reader.u64();
  if (mode > 1 || !reader.ok()) return refuse("a transcript whose header is cut or unknown");
  if (!sensible(transcript.config)) return refuse("a transcript whose parameters are out of their range");
  while (reader.ok() && reader.remaining() > 0) {
    const std::uint8_t sender = reader.u8();
    const Bytes message = reader.bytes(reader.u32());
    if (sender > 1 || message.empty()) reader.fail();
    if (!reader.ok()) break;
    transcript.entries.push_back({sender == 0 ? Side::Alice : Side::Bob, {message.begin(), message.end()}});
  }
  if (!reader.finished()) return refuse("a transcript whose last message is cut");
  return transcript;
}

}  // namespace qsp::e91::post
