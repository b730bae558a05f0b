#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/file.hpp"
#include "https/https.hpp"

/// Whether a KME, anybody's, keeps to ETSI GS QKD 014 V1.1.1. The probe uses up some thirty keys.
namespace qsp::kme::check {

/// A KME as one SAE sees it.
struct CheckedSide {
  std::string url;
  https::TlsFiles tls;
  std::string server_name;
  std::string sae_id;
};

struct CheckOptions {
  CheckedSide master;
  std::string slave_sae_id;
  std::optional<CheckedSide> slave;  ///< without it dec_keys cannot be tested
};

enum class Verdict : std::uint8_t { Pass, Fail, NotTestable };

struct CheckLine {
  std::string_view clause;  ///< of the standard
  std::string_view rule;
  Verdict verdict;
  std::string seen;  ///< what the KME did; holds no key
};

/// Runs every test and reports each as soon as it is done. The error is one line: no test could be made, because a KME
/// cannot be reached.
files::OrText<void> probe(const CheckOptions& options, const std::function<void(const CheckLine&)>& report);

}  // namespace qsp::kme::check
