#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "files/file.hpp"

/// What an operator asks of a KME on the same machine, through its admin port.
namespace qsp::kme {

/// What GET /status of the KME of that configuration answers. Waits so long at most until it answers and lacks nothing;
/// 0: asks once. Errors: text; the configuration names no admin port, or there is no answer.
files::OrText<boost::json::object> admin_status(const std::string& config_file, std::chrono::nanoseconds wait);

/// What a KME still lacks before it can give keys, for people; nothing where it can.
std::optional<std::string> lacks(const boost::json::object& status);

/// Lines for people.
std::string describe_status(const boost::json::object& status);
/// An answer without them is none of a KME's.
bool has_links(const boost::json::object& status);

/// Faults to put into a KME. What is not given stays.
struct FaultWishes {
  std::optional<std::int64_t> latency_ms, clock_offset_ms;
  std::vector<std::string> on, off;  ///< names: "unavailable", "lose-answers", "wrong-bytes", "disk-full"
  bool clear = false;                ///< take all away first
};

/// What POST /faults answers: the faults that are there now. Errors: text; the KME may not allow them.
files::OrText<boost::json::object> inject_faults(const std::string& config_file, const FaultWishes& wishes);

}  // namespace qsp::kme
