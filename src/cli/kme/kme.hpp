#pragma once

#include <cstdint>
#include <string>

#include "kme/admin_client.hpp"
#include "kme/check/load.hpp"
#include "kme/link/key_import.hpp"

namespace qsp::cli {

class Command;
struct Context;

struct KmeServeOptions {
  std::string config;
  bool allow_fault_injection = false;
};

struct KmeLabOptions {
  std::string folder;
  std::uint16_t port = 8443;  ///< of the first KME; the three ports behind it are taken too
};

struct KmeStatusOptions {
  std::string config;
  double wait_s = 0;  ///< for a KME that answers and whose links have keys to give; 0: no wait
};

struct KmeInjectOptions {
  std::string config;
  kme::FaultWishes wishes;
};

/// Two KMEs, and an SAE at each.
struct KmeSides {
  kme::check::CheckedSide master, slave;
};

// Each returns the exit code.
int run_kme_load(const kme::check::LoadOptions& options, bool json);
int run_kme_check(const KmeSides& sides, bool json);
int run_kme_serve(const KmeServeOptions& options, bool json);
int run_kme_lab(const KmeLabOptions& options, bool json);
int run_kme_status(const KmeStatusOptions& options, bool json);
int run_kme_inject(const KmeInjectOptions& options, bool json);
int run_kme_import(const kme::link::KeyImport& keys, bool json);

void add_kme(Command& app, Context& context);

}  // namespace qsp::cli
