#pragma once

#include <cstdint>
#include <string>

#include "e91/station/feed_process.hpp"
#include "e91/station/link_process.hpp"
#include "e91/station/station_process.hpp"

namespace qsp::cli {

class Command;
struct Context;

struct E91LabOptions {
  std::string folder;
  std::uint16_t port = 8443;  ///< of the first KME; the five ports behind it are taken too
};

// Each returns the exit code.
int run_e91_link(const e91::station::LinkProcessConfig& config, bool json);
int run_e91_station(const e91::station::StationProcessConfig& config, bool json);
int run_e91_feed(const e91::station::FeedProcessConfig& config, bool json);
int run_e91_lab(const E91LabOptions& options, bool json);

/// Adds to `qsp e91` what runs as a process of its own, and the laboratory.
void add_e91_processes(Command& e91, Context& context);

}  // namespace qsp::cli
