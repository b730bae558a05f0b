#include "https/input.hpp"

#include <cstring>

namespace qsp::https {

MutableBytes Input::room() {
  bytes_.resize(kCapacity);
  const MutableBytes bytes = bytes_.writable();
  if (begin_ != 0) {
    std::memmove(bytes.data(), bytes.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return bytes.subspan(end_);
}

void Input::clear() noexcept {
  bytes_ = SecretBytes();
  begin_ = end_ = 0;
}

}  // namespace qsp::https
