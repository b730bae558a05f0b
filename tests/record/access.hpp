#pragma once

#include <cstdint>

#include "record/stream/stream.hpp"

namespace qsp::record {

/// What no test could reach frame by frame: a count near 2^32, usage near a key's limits. Both ends of a direction are
/// moved alike.
struct TestAccess {
  static void set_count(stream::Sender& sender, std::uint64_t n) { sender.next_ = n; }
  static void set_count(stream::Receiver& receiver, std::uint64_t n) { receiver.next_ = n; }
  static void set_usage(Key& key, const Usage& usage) { key.usage_ = usage; }
  static void set_usage(stream::Sender& sender, const Usage& usage) { set_usage(sender.key_, usage); }
  static void set_usage(stream::Receiver& receiver, const Usage& usage) { set_usage(receiver.current_, usage); }
};

}  // namespace qsp::record
