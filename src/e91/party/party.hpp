#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "e91/post/block.hpp"
#include "e91/setting.hpp"
#include "qsp/crypto.hpp"

namespace qsp::e91::party {

/// A key for the users of a link, 32 bytes. Both stations have it under the same ID, a UUID (RFC 9562 version 8) that
/// says nothing of the key.
struct FinalKey {
  std::array<std::uint8_t, 16> id;
  QkdKey key;
};

/// What a station and its peer agree on before their first block.
struct Pairing {
  post::PostConfig config;
  double p_z = 0.9;
  std::array<std::uint8_t, 16> name{};  ///< public and new for every pairing: key IDs and pads of two never mix
};

/// Alice or Bob: chooses settings, takes clicks, runs the post-processing of one block after the other and cuts its key
/// up.
///
/// Of each final key the first AuthenticationPad::kBlockCost bytes go to the pad, as long as that has room. What is
/// left over when 32-byte keys have been cut is dropped: no block's key depends on another block's.
class Party {
 public:
  /// `provider` outlives the station. `listener` may be empty.
  Party(crypto::Provider& provider, Side side, const Pairing& pairing, post::AuthenticationPad&& pad,
        post::Listener listener);
  Party(const Party&) = delete;
  Party& operator=(const Party&) = delete;

  /// Fixes the settings of block `number` and returns what determines them, for the simulator of the link. Numbers
  /// ascend. Error: Provider.
  Result<Seed> prepare(std::uint64_t number);

  /// The block's detections are in: post-processing begins. Precondition: prepare() came first.
  void begin(std::uint64_t slots, Clicks&& clicks);

  /// The post-processing under way, or nullptr.
  [[nodiscard]] post::Block* block() noexcept { return block_.get(); }

  /// Ends a block that is done: its keys, none where it was given up.
  std::vector<FinalKey> finish();

  /// False once the two stations may no longer have the same pad: after a wrong tag, or with none left. Pair them
  /// again.
  [[nodiscard]] bool paired() const noexcept { return paired_; }
  [[nodiscard]] std::size_t pad_left() const noexcept { return pad_.left(); }
  [[nodiscard]] Side side() const noexcept { return side_; }
  [[nodiscard]] const Pairing& pairing() const noexcept { return pairing_; }

 private:
  crypto::Provider& provider_;
  Side side_;
  Pairing pairing_;
  post::AuthenticationPad pad_;
  post::Listener listener_;
  std::uint64_t number_ = 0;
  std::optional<Settings> settings_;
  std::unique_ptr<post::Block> block_;
  bool paired_ = true;
};

}  // namespace qsp::e91::party
