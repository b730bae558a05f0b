#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/system/error_code.hpp>
#include <string>
#include <vector>

#include "net/address.hpp"
#include "net/loop.hpp"
#include "qsp/error.hpp"

namespace qsp::net {

using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;

/// Every address of a name, all on one port. Addresses that this machine lacks are left out if others work. The error
/// is one line for a person.
Result<std::vector<Acceptor>, std::string> listen_all(const Executor& executor, const Address& address);

/// Why `target`, an address and a port, cannot be listened on, and the remedy: one line for a person.
std::string explain_listen(const std::string& target, const boost::system::error_code& why);

}  // namespace qsp::net
