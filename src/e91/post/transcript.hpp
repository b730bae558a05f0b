#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "e91/post/messages.hpp"
#include "e91/setting.hpp"
#include "qsp/bytes.hpp"

namespace qsp::e91::post {

/// What both stations must agree on before the first block, and an auditor must know.
struct PostConfig {
  Mode mode = Mode::Biased;
  double epsilon_secrecy = 1e-10;
  double epsilon_correctness = 1e-15;
  double error_tolerance = 0.11;  ///< of the test rounds' error rate and its upper bound
  double bell_floor = 2.206;      ///< |S| below it aborts; whatever it is, |S| has to be above 2
  double sigmas = 3;              ///< standard deviations of the bounds on the error rate and on |S| > 2
  /// By Side: slots from a click of either detector of that station during which no click of it counts; 0 and 1 for
  /// none. At least the dead time of its slower detector.
  std::array<std::uint64_t, 2> dead_slots{};

  bool operator==(const PostConfig&) const = default;
};

/// Sees each message of the classical channel once, as it lies on the wire, in the order in which its own end sent or
/// got it.
using Listener = std::function<void(Side sender, Bytes message)>;

/// What was said in public about some blocks: PostConfig and every message with its sender. Nothing in it is secret.
///
/// As a file: "QSP-E91-TRANSCRIPT-2\n", mode (u8), the five numbers of PostConfig as IEEE 754 bits (u64 each), the dead
/// times of Alice and Bob (u64 each), then for each message its sender (u8: 0 Alice, 1 Bob), its length (u32) and its
/// bytes; all integers big-endian.
struct Transcript {
  struct Entry {
    Side sender;
    std::vector<std::uint8_t> message;
  };
  PostConfig config;
  std::vector<Entry> entries;
};

/// The file's first bytes, and one message's.
std::vector<std::uint8_t> transcript_header(const PostConfig& config);
std::vector<std::uint8_t> transcript_entry(Side sender, Bytes message);

/// Error: InvalidMessage for bytes that are not a transcript.
Result<Transcript> read_transcript(Bytes bytes);

}  // namespace qsp::e91::post
