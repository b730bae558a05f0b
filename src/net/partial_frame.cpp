#include "net/partial_frame.hpp"

#include <algorithm>

namespace qsp::net {

void PartialFrame::grow(std::size_t capacity) {
  auto bytes = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
  std::copy_n(bytes_.get(), size_, bytes.get());
  bytes_ = std::move(bytes);
  capacity_ = static_cast<std::uint32_t>(capacity);
}

void PartialFrame::take_from(MutableBytes& source) noexcept {
  const std::size_t count = std::min(source.size(), room().size());
  std::copy_n(source.begin(), count, room().begin());
  added(count);
  source = source.subspan(count);
}

void PartialFrame::release() noexcept {
  bytes_.reset();
  size_ = capacity_ = 0;
}

}  // namespace qsp::net
