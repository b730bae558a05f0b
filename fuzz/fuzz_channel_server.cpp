// A QSP 1.0 server, in any state, against any script of a peer who has the keys (channel_peer.hpp).

#include "channel_peer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  qsp::fuzz::play_channel_peer(qsp::Role::Server, {data, size});
  return 0;
}
