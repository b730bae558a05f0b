#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "channel/relay.hpp"

/// What the tests that change every byte of a message share.
namespace qsp::test {

inline constexpr std::array kRoles{Role::Client, Role::Server};

/// A handshake or rekey message by its place: whose frame, and which of those from the start, or from the rekey on.
struct Place {
  std::string_view name;
  Role from;
  std::size_t index;
};
inline std::size_t size_of(World& world, const Place& place, bool rekey) {
  const auto pair = rekey ? world.established() : world.pair();
  if (rekey) static_cast<void>(pair->rekey(Role::Server));
  std::size_t size = 0;
  run_altering(world, *pair, place.from, place.index, [&](Frame& frame) { size = frame.size(); });
  return size;
}

// A message's fields stand at its ends. What is between is the inside of one share, ciphertext or signature, which is
// sampled; define QSP_EVERY_BYTE to try it all (minutes).
inline constexpr std::size_t kEdge = 112;
#ifdef QSP_EVERY_BYTE
inline constexpr std::size_t kStride = 1;
#else
inline constexpr std::size_t kStride = 29;
#endif

inline std::vector<std::size_t> offsets(std::size_t size) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < size; i += i >= kEdge && i + kEdge + kStride < size ? kStride : 1) all.push_back(i);
  return all;
}

/// In a header every change of one bit, in a payload one bit or all of them.
inline std::vector<std::uint8_t> masks(std::size_t offset) {
  if (offset < wire::kFrameHeaderSize) return {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff};
  constexpr std::array<std::uint8_t, 3> kMasks{0x01, 0x80, 0xff};
  return {kMasks[offset % 3]};
}

/// §2.5 by the place in the frame. `clear`: the payload is not sealed.
inline bool lawful(std::size_t offset, bool clear, bool first_of_server, Reason reason) {
  // Another type that is lawful here has another label in its aad.
  if (offset == 0) return reason == Reason::ProtocolError || reason == Reason::AeadDecryptFailed;
  if (offset == 1) return reason == Reason::ProtocolError;
  if (offset < 10) return reason == (first_of_server ? Reason::HandshakeFailed : Reason::ProtocolError);
  if (offset < 14) return reason == Reason::EpochMismatch;
  if (offset < 18) return reason == Reason::ProtocolError;
  if (offset >= wire::kFrameHeaderSize && !clear) return reason == Reason::AeadDecryptFailed;
  // A length that is too large makes the receiver wait, or swallow what comes next; one too small leaves bytes over.
  constexpr std::array kOthers{Reason::ProtocolError, Reason::AeadDecryptFailed, Reason::HandshakeFailed,
                               Reason::NoCommonSuite};
  if (std::ranges::find(kOthers, reason) != kOthers.end()) return true;
  return offset < wire::kFrameHeaderSize && (reason == Reason::Timeout || reason == Reason::RekeyFailed);
}

inline void expect_both_closed(Pair& pair) {
  for (const Role role : kRoles) {
    EXPECT_TRUE(pair.seen(role).closed) << (role == Role::Client ? "client" : "server");
    EXPECT_TRUE(pair.seen(role).data.empty());
  }
  EXPECT_EQ(pair.defect(), "");
}

}  // namespace qsp::test
