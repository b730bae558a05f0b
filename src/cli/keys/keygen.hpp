#pragma once

#include <string>

namespace qsp::cli {

class Command;
struct Context;

struct KeygenOptions {
  std::string algorithm = "ML-DSA-65";  ///< a name of the suite table
  std::string out;                      ///< the private key; its public half goes to OUT.pub
  std::string passphrase_file;          ///< encrypt with the passphrase in this file
  bool encrypt = false;                 ///< encrypt with a passphrase asked on the terminal
};

/// Makes a key pair and prints its fingerprint. Returns the exit code.
int run_keygen(const KeygenOptions& options, bool json);

void add_keygen(Command& app, Context& context);

}  // namespace qsp::cli
