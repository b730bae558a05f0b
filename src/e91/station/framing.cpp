#include "e91/station/framing.hpp"

#include <algorithm>
#include <utility>

namespace qsp::e91::station {
namespace {

constexpr std::size_t kReserved = std::size_t{64} * 1024;

void take(Bytes& stream, auto& to, std::size_t size) {
  const Bytes taken = stream.first(std::min(size - to.size(), stream.size()));
  to.insert(to.end(), taken.begin(), taken.end());
  stream = stream.subspan(taken.size());
}

}  // namespace

std::vector<std::uint8_t> frame_head(std::size_t size) {
  std::vector<std::uint8_t> head(kFrameHead);
  for (std::size_t i = 0; i < kFrameHead; ++i) head[i] = static_cast<std::uint8_t>(size >> (8 * (kFrameHead - 1 - i)));
  return head;
}

Result<std::optional<WipedBytes>> MessageReader::next(Bytes& stream) {
  if (head_.size() < kFrameHead) {
    take(stream, head_, kFrameHead);
    if (head_.size() < kFrameHead) return std::nullopt;
    size_ = 0;
    for (const std::uint8_t byte : head_) size_ = size_ << 8 | byte;
    if (size_ == 0 || size_ > most_) {
      return fail(ErrorKind::InvalidMessage, Reason::ProtocolError, "a message of a length that none has");
    }
    body_.reserve(std::min(size_, kReserved));
  }
  take(stream, body_, size_);
  if (body_.size() < size_) return std::nullopt;
  head_.clear();
  return std::exchange(body_, {});
}

}  // namespace qsp::e91::station
