#include "net/listen.hpp"

#include <fmt/format.h>

#include <boost/asio/error.hpp>
#include <cerrno>

namespace qsp::net {

std::string explain_listen(const std::string& target, const boost::system::error_code& why) {
  if (why == boost::asio::error::address_in_use) {
    return fmt::format("cannot listen on {}: the port is in use (stop the other program, or choose another port)",
                       target);
  }
  if (why == boost::asio::error::access_denied) {
    return fmt::format("cannot listen on {}: permission denied (choose a port above 1023)", target);
  }
  if (why.value() == EADDRNOTAVAIL) {
    return fmt::format("cannot listen on {}: this machine has no such address (see: ip address)", target);
  }
  return fmt::format("cannot listen on {}: {}", target, why.message());
}

}  // namespace qsp::net
