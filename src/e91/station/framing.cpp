#include "e91/station/framing.hpp"

#include <algorithm>
#include <utility>

#include "base/big_endian.hpp"

namespace qsp::e91::station {
namespace {

constexpr std::size_t kReserved = std::size_t{64} * 1024;

/// As many bytes off the front of `stream` as are missing, or as there are.
Bytes take(Bytes& stream, std::size_t missing) {
  const Bytes taken = stream.first(std::min(missing, stream.size()));
  stream = stream.subspan(taken.size());
  return taken;
}

}  // namespace

std::vector<std::uint8_t> frame_head(std::size_t size) {
  std::vector<std::uint8_t> head(kFrameHead);
  store_big_endian(size, head);
  return head;
}

Result<std::optional<SecretBytes>> MessageReader::next(Bytes& stream) {
  if (head_.size() < kFrameHead) {
    const Bytes taken = take(stream, kFrameHead - head_.size());
    head_.insert(head_.end(), taken.begin(), taken.end());
    if (head_.size() < kFrameHead) return std::nullopt;
    size_ = load_big_endian(head_);
    if (size_ == 0 || size_ > most_) {
      return fail(ErrorKind::InvalidMessage, Reason::ProtocolError, "a message of a length that none has");
    }
    body_.reserve(std::min(size_, kReserved));
  }
  body_.append(take(stream, size_ - body_.size()));
  if (body_.size() < size_) return std::nullopt;
  head_.clear();
  return std::exchange(body_, {});
}

}  // namespace qsp::e91::station
