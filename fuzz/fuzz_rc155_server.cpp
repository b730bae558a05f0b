// An rc155 server against any script of a peer (rc155_peer.hpp).

#include "rc155_peer.hpp"
#include "support/fake_provider.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto provider = qsp::test::make_fake_provider();
  qsp::fuzz::Rc155Peer peer(qsp::Role::Server, *provider);
  peer.play({data, size});
  return 0;
}
