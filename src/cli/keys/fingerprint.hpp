#pragma once

#include <string>
#include <vector>

namespace qsp::cli {

class Command;
struct Context;

struct FingerprintOptions {
  std::vector<std::string> files;  ///< private keys, public keys and peers files
  std::string passphrase_file;     ///< of encrypted private keys; empty: asked on the terminal
  std::string expected;            ///< fail unless every key has this fingerprint; empty: any
};

/// Prints the fingerprint of every key in the files. Returns the exit code.
int run_fingerprint(const FingerprintOptions& options, bool json);

void add_fingerprint(Command& app, Context& context);

}  // namespace qsp::cli
