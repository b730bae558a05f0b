#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "e91/post/audit.hpp"
#include "e91/post/require.hpp"
#include "files/file.hpp"

/// A run worked out again from its transcript, and what that came to, for people and in JSON.
namespace qsp::e91::study {

struct Audit {
  post::PostConfig config;
  std::vector<post::AuditedBlock> blocks;
  std::vector<std::string> unmet;  ///< what was required and is not so

  /// Blocks that are not as they must be, and blocks that brought a key.
  [[nodiscard]] std::ptrdiff_t mismatches() const;
  [[nodiscard]] std::ptrdiff_t keys() const;
  /// There are blocks, each is as it must be, and so is what was required.
  [[nodiscard]] bool holds() const;
};

/// Errors: the file cannot be read, or is no transcript; text that names it.
files::OrText<Audit> audit_file(const std::string& file, const std::vector<post::Requirement>& required);

boost::json::object json_of(const Audit& audit);
std::string text_of(const Audit& audit);

}  // namespace qsp::e91::study
