#pragma once

#include <boost/system/error_code.hpp>
#include <string>

namespace qsp::net {

/// Why `target`, an address and a port, cannot be listened on, and the remedy: one line for a person.
std::string explain_listen(const std::string& target, const boost::system::error_code& why);

}  // namespace qsp::net
