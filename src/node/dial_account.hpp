#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "node/dial_explain.hpp"

/// How a dial went, in figures.
namespace qsp::node {

/// `failure`: why it failed, if it did.
boost::json::object account_of(const DialReport& report, const Dialled& dialled,
                               const std::optional<std::string>& failure);

/// Of an echo that was checked, for people. Precondition: there was a session.
std::string echo_account_text(const DialReport& report);

}  // namespace qsp::node
