#pragma once

#include <boost/asio/signal_set.hpp>
#include <functional>

namespace qsp::cli {

/// Calls `stop` at the first signal of the set; at the second `at_once`, where there is one, and then the process ends.
void stop_on_signals(boost::asio::signal_set& signals, std::function<void()> stop, std::function<void()> at_once = {});

}  // namespace qsp::cli
