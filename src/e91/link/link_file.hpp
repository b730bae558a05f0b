#pragma once

#include <optional>
#include <string>

#include "e91/link/config.hpp"
#include "files/file.hpp"

namespace qsp::e91::link {

/// What a publication tells of a run, to hold a simulation against. A figure that it does not tell is absent.
struct Published {
  std::optional<double> distance_km;  ///< between the stations, on whatever way the light took
  std::optional<double> qber;
  std::optional<double> visibility;
  std::optional<double> s;
  std::optional<double> raw_rate_per_s;     ///< coincidences
  std::optional<double> sifted_rate_per_s;  ///< coincidences that became key
  std::optional<double> key_rate_per_s;     ///< secret bits
};

struct LinkFile {
  std::string title;
  std::string reference;
  Published published;
  LinkConfig config;
};

inline constexpr std::size_t kMaxLinkFileSize = std::size_t{1} << 16;

/// Reads the description of a link (docs/qkd.md), a TOML file with the tables [source] (title, reference and published
/// figures), [pairs], [settings], [alice] and [bob]; what is not told is as in LinkConfig, and validate() passes what
/// is. Errors: those of config::Document and config::Table.
files::OrText<LinkFile> load_link_file(const std::string& file);

}  // namespace qsp::e91::link
