#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/session_options.hpp"
#include "node/local_end.hpp"

namespace qsp::cli {

/// A file that a run reads, and what it is to it ("a private key").
struct InputFile {
  std::string what;
  std::string file;
};

/// The files that the options of a session name.
std::vector<InputFile> files_of(const SessionOptions& options);
/// The files that its peers file names.
std::vector<InputFile> files_of(const node::LocalEnd& end);

/// Whether writing to `output` would replace one of `inputs`, by whatever name, or what standard input comes from: one
/// line that says which.
std::optional<std::string> refuse_output(const std::string& output, const std::vector<InputFile>& inputs);

}  // namespace qsp::cli
