#include "node/session_view.hpp"

#include <utility>

namespace qsp::node {

SessionView view_of(const net::Connection& connection) {
  SessionView view{.id = connection.endpoint().session_id(),
                   .address = connection.peer(),
                   .epoch = connection.endpoint().epoch(),
                   .traffic = connection.traffic(),
                   .cut_off = connection.cut_off(),
                   .status = std::nullopt};
  if (ChannelStatus status = connection.endpoint().status(); status.secure) view.status = std::move(status);
  return view;
}

}  // namespace qsp::node
