#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "crypto/seeded_rng.hpp"
#include "files/temp_folder.hpp"
#include "keysource/pad.hpp"
#include "qsp/crypto.hpp"

namespace qsp::keysource::test {

inline std::vector<std::uint8_t> bytes_of(const QkdKey& key) { return {key.reveal().begin(), key.reveal().end()}; }

inline Uuid id_of(const DeliveredKey& key) { return parse_uuid(key.key_id).value(); }

/// Both ends' copies of one pad in a folder of their own.
class PadTest : public ::testing::Test {
 protected:
  void create(std::uint64_t keys) {
    const auto made = create_pads({.link = "berlin-paris", .keys = keys}, a_, b_, rng_);
    ASSERT_TRUE(made) << made.error();
  }

  /// The text of the error of a pad that must not open.
  static std::string refusal(const std::string& file) {
    const auto pad = Pad::open(file);
    return pad ? "(opened)" : pad.error();
  }

  /// Bytes that never repeat within a test, so that a key names itself. Another process has others: a pad of the same
  /// bytes would be a copy of this one, which may be open but once on a machine.
  crypto::SeededRng rng_{SplitMix64(mix64(static_cast<std::uint64_t>(::getpid())))};
  qsp::test::TempFolder folder_;
  std::string a_ = folder_ / "a.pad";
  std::string b_ = folder_ / "b.pad";
};

}  // namespace qsp::keysource::test
