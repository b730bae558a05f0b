#include "cli/output_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/replacement.hpp"
#include "text/escape.hpp"

namespace qsp::cli {
namespace {

/// A file that is not regular keeps nothing that could be lost, and may well be read and written at once (a terminal).
bool is_regular(const std::string& file) {
  struct stat info{};
  return ::stat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

std::string of_option(const std::string& named) { return named.substr(named.find('=') + 1); }

}  // namespace

std::vector<InputFile> files_of(const node::LocalEnd& end) {
  std::vector<InputFile> inputs;
  for (const std::string& file : end.pinned_key_files()) inputs.push_back({"a pinned public key", file});
  return inputs;
}

std::vector<InputFile> files_of(const SessionOptions& options) {
  std::vector<InputFile> inputs;
  for (const std::string& key : options.keys) {
    inputs.push_back({"this end's private key", key});
    inputs.push_back({"this end's public key", key + ".pub"});
  }
  inputs.push_back({"the passphrase file", options.passphrase_file});
  inputs.push_back({"the peers file", options.peers});
  for (const std::string& pad : options.pads) inputs.push_back({"a pad", of_option(pad)});
  inputs.push_back({"the certificate for the KME", options.kme.certificate});
  inputs.push_back({"the key for the KME", options.kme.key});
  inputs.push_back({"the authorities of the KME", options.kme.authorities});
  inputs.push_back({"the revocation list of the KME", options.kme.revoked});
  return inputs;
}

std::optional<std::string> refuse_output(const std::string& output, const std::vector<InputFile>& inputs) {
  const auto id = files::file_id(output);
  if (!id || !is_regular(output)) return std::nullopt;
  const auto refused = [&output](const std::string& what) {
    return fmt::format("--output {}: that is {}, and would be overwritten; choose another file",
                       text::terminal_escape(output), what);
  };
  for (const InputFile& input : inputs) {
    if (!input.file.empty() && files::file_id(input.file) == id) return refused(input.what);
  }
  if (files::file_id(STDIN_FILENO) == id) return refused("the input");
  return std::nullopt;
}

}  // namespace qsp::cli
