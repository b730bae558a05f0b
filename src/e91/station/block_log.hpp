#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <optional>

#include "e91/post/block.hpp"

namespace qsp::e91::station {

/// A line in the log for each block; of blocks that are given up for the same reason again only the first.
class BlockLog {
 public:
  void tell(const post::BlockReport& report, std::size_t keys);

 private:
  std::optional<post::Abort> last_;
};

/// A block that is over, as an event. So many keys came of it.
boost::json::object block_event(const post::BlockReport& report, std::size_t keys);

}  // namespace qsp::e91::station
