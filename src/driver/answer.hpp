#pragma once

#include <utility>

#include "qsp/tcp.hpp"

namespace qsp::driver {

/// Takes an answer on any thread, and gives it to `then` on the program's.
template <class T>
tcp::Then<T> by_way_of(tcp::Post post, tcp::Then<T> then) {
  return [post = std::move(post), then = std::move(then)](Result<T, Failure> answer) mutable {
    post([then = std::move(then), answer = std::move(answer)]() mutable { then(std::move(answer)); });
  };
}

}  // namespace qsp::driver
