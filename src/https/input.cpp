#include "https/input.hpp"

#include <cstdint>
#include <cstring>

namespace qsp::https {

MutableBytes Input::room() {
  bytes_.resize(kCapacity);
  if (begin_ != 0) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return {reinterpret_cast<std::uint8_t*>(bytes_.data()) + end_, kCapacity - end_};
}

void Input::clear() noexcept {
  WipedText().swap(bytes_);
  begin_ = end_ = 0;
}

}  // namespace qsp::https
