#include "e91/hashing/tag.hpp"

#include <cstring>
#include <utility>

#include "base/try.hpp"

namespace qsp::e91::hashing {

namespace {

constexpr std::size_t kBlock = 16;
constexpr std::uint64_t kEnd = ~std::uint64_t{0};

std::unexpected<Error> too_long() noexcept {
  return fail(ErrorKind::PeerMisbehaved, Reason::Limit, "transcript of a tag");
}

}  // namespace

TagStream::TagStream(const TagKey& key, Side sender, std::uint64_t block, const Carryless& arithmetic) noexcept
    : arithmetic_(&arithmetic) {
  std::memcpy(&point_, key.reveal().data(), sizeof point_);
  absorb(block, std::uint64_t{std::to_underlying(sender)} + 1);
  if (key.size() != kBlock) forget();
}

TagStream::TagStream(TagStream&& other) noexcept
    : arithmetic_(other.arithmetic_),
      point_(other.point_),
      sum_(other.sum_),
      messages_(other.messages_),
      blocks_(other.blocks_) {
  other.forget();
}

Result<void> TagStream::update(Bytes message) noexcept {
  const std::uint64_t whole = message.size() / kBlock;
  const std::uint64_t added = 1 + whole + (message.size() % kBlock != 0 ? 1 : 0);
  if (blocks_ > kMaxTagBlocks || added > kMaxTagBlocks - blocks_) {
    blocks_ = kMaxTagBlocks + 1;
    return too_long();
  }
  blocks_ += added;
  absorb(++messages_, message.size());
  sum_ = arithmetic_->evaluate128(sum_, point_, message.first(whole * kBlock));
  if (const Bytes rest = message.subspan(whole * kBlock); !rest.empty()) {
    std::array<std::uint8_t, kBlock> filled{};
    std::memcpy(filled.data(), rest.data(), rest.size());
    sum_ = arithmetic_->evaluate128(sum_, point_, filled);
  }
  return {};
}

Result<Tag> TagStream::finish(TagPad&& pad) && noexcept {
  const TagPad spent = std::move(pad);
  if (spent.size() != kBlock) return fail(ErrorKind::ApiMisuse, Reason::InternalError, "size of a tag's pad");
  if (blocks_ > kMaxTagBlocks) return too_long();
  absorb(messages_, kEnd);
  Tag tag;
  std::memcpy(tag.data(), &sum_, tag.size());
  for (std::size_t i = 0; i < tag.size(); ++i) tag[i] ^= spent.reveal()[i];
  forget();
  return tag;
}

Result<void> TagStream::verify(TagPad&& pad, Bytes tag) && noexcept {
  QSP_TRY(auto expected, std::move(*this).finish(std::move(pad)));
  const bool equal = constant_time_equal(expected, tag);
  wipe(expected);
  if (!equal) return fail(ErrorKind::DecryptFailed, Reason::AeadDecryptFailed, "tag of a block");
  return {};
}

void TagStream::absorb(std::uint64_t low, std::uint64_t high) noexcept {
  const std::array<std::uint64_t, 2> block{low, high};
  sum_ = arithmetic_->evaluate128(sum_, point_, {reinterpret_cast<const std::uint8_t*>(block.data()), kBlock});
}

void TagStream::forget() noexcept {
  wipe({reinterpret_cast<std::uint8_t*>(&point_), sizeof point_});
  wipe({reinterpret_cast<std::uint8_t*>(&sum_), sizeof sum_});
  blocks_ = kMaxTagBlocks + 1;
}

}  // namespace qsp::e91::hashing
