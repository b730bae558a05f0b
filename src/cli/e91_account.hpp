#pragma once

#include <cstddef>

#include "e91/post/block.hpp"

namespace qsp::cli {

/// Tells of each block: a line of JSON on stdout, and for people a line in the log; of blocks that are given up for the
/// same reason again only the first.
class E91Account {
 public:
  explicit E91Account(bool json) noexcept : json_(json) {}
  void tell(const e91::post::BlockReport& report, std::size_t keys);

 private:
  bool json_;
  std::optional<e91::post::Abort> last_;
};

}  // namespace qsp::cli
