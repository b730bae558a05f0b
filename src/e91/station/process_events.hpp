#pragma once

#include <cstddef>
#include <string>

#include "e91/post/block.hpp"

namespace qsp::e91::station {

/// What a process of a simulated link tells beside its log: open() and the thread that runs it call.
class ProcessEvents {
 public:
  virtual ~ProcessEvents() = default;
  /// What its user must know of it: that the link is simulated.
  virtual void warning(const std::string& text) = 0;
  /// A block is over, and so many keys came of it.
  virtual void block(const post::BlockReport& /*report*/, std::size_t /*keys*/) {}
};

}  // namespace qsp::e91::station
