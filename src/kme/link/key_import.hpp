#pragma once

#include <cstddef>
#include <string>

#include "files/file.hpp"
#include "https/https.hpp"

namespace qsp::kme::link {

/// Keys that a feeder brings to one side of a link from a file.
struct KeyImport {
  std::string url;   ///< of the KME
  std::string link;  ///< its name
  std::string file;  ///< JSON as of Get key, 32 bytes each; a private file
  https::TlsFiles tls;
  std::string server_name;  ///< in the KME's certificate; empty: the URL's host
  bool simulated = false;   ///< the keys come from a simulated link
};

struct Imported {
  std::size_t added = 0;
  std::size_t left = 0;  ///< had no room in the pool
};

/// Errors: text that names the file, or what the KME answers.
files::OrText<Imported> import_keys(const KeyImport& keys);

}  // namespace qsp::kme::link
