#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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

/// What `qsp kme inject` changes; what is not given stays.
struct KmeInjectOptions {
  std::string config;
  std::optional<std::int64_t> latency_ms, clock_offset_ms;
  std::vector<std::string> on, off;  ///< names of faults
  bool clear = false;
};

struct KmeImportOptions {
  std::string url, link, file, certificate, key, authorities, revoked, server_name;
  bool allow_tls_1_2 = false;
  bool simulated = false;
};

/// Two KMEs, and an SAE at each.
struct KmeCheckOptions {
  std::string url, sae_id, certificate, key, authorities, revoked, server_name;
  std::string slave_sae_id, slave_url, slave_certificate, slave_key, slave_server_name;
  bool allow_tls_1_2 = false;
};

struct KmeLoadOptions {
  KmeCheckOptions sides;
  std::uint64_t pairs = 10'000;
  std::size_t concurrency = 16;
  std::uint32_t keys_per_call = 1;
};

// Each returns the exit code.
int run_kme_load(const KmeLoadOptions& options, bool json);
int run_kme_check(const KmeCheckOptions& options, bool json);
int run_kme_serve(const KmeServeOptions& options, bool json);
int run_kme_lab(const KmeLabOptions& options, bool json);
int run_kme_status(const KmeStatusOptions& options, bool json);
int run_kme_inject(const KmeInjectOptions& options, bool json);
int run_kme_import(const KmeImportOptions& options, bool json);

void add_kme(Command& app, Context& context);

}  // namespace qsp::cli
