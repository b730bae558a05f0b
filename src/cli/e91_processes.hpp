#pragma once

#include <cstdint>
#include <string>

#include "e91/station/end.hpp"
#include "e91/station/kme_feed.hpp"
#include "qsp/error.hpp"

namespace qsp::cli {

class Command;
struct Context;

/// `qsp e91 link`.
struct E91SourceOptions {
  e91::station::StationIdentity identity;
  std::string listen = "127.0.0.1";
  std::string alice = "alice", bob = "bob";  ///< pinned names of the stations
  std::string link_file;
  std::string eve = "none", eve_file;
  bool real_time = false;
};

/// `qsp e91 alice` and `qsp e91 bob`.
struct E91StationOptions {
  e91::station::StationIdentity identity;
  std::string address;             ///< Alice's: she listens there, Bob dials it
  std::string peer;                ///< pinned name of the other station
  std::string link = "127.0.0.1";  ///< of `qsp e91 link`
  std::string link_peer = "link";  ///< its pinned name
  std::string link_file;
  std::uint64_t block_bits = 500'000;  ///< Alice's
  e91::station::KmeFeedOptions kme;
};

/// `qsp e91 feed`.
struct E91FeedOptions {
  std::string link_file;
  std::string eve = "none", eve_file;
  std::uint64_t block_bits = 500'000;
  e91::station::KmeFeedOptions kme_a, kme_b;
};

struct E91LabOptions {
  std::string folder;
  std::uint16_t port = 8443;  ///< of the first KME; the five ports behind it are taken too
};

// Each returns the exit code.
int run_e91_link(const E91SourceOptions& options, bool json);
int run_e91_station(const E91StationOptions& options, e91::Side side, bool json);
int run_e91_feed(const E91FeedOptions& options, bool json);
int run_e91_lab(const E91LabOptions& options, bool json);

/// Adds to `qsp e91` what runs as a process of its own, and the laboratory.
void add_e91_processes(Command& e91, Context& context);

}  // namespace qsp::cli
