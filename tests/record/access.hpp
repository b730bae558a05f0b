#pragma once

#include <cstdint>

#include "record/record.hpp"

namespace qsp::record {

/// What no test could reach frame by frame: a count near 2^32, usage near a key's limits. Both ends of a direction are
/// moved alike.
struct TestAccess {
  static void set_count(Sender& sender, std::uint64_t n) { sender.next_ = n; }
  static void set_count(Receiver& receiver, std::uint64_t n) { receiver.next_ = n; }
  static void set_usage(Sender& sender, const Usage& usage) { sender.usage_ = usage; }
  static void set_usage(Receiver& receiver, const Usage& usage) { receiver.usage_ = usage; }
};

}  // namespace qsp::record
