#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace qsp::node {

/// Why something cannot be made from its configuration.
struct Refused {
  enum class Why : std::uint8_t {
    Config,  ///< its settings do not fit together, or do not fit the files that they name
    Failed,  ///< a file, a key, an address or the system does not do what is asked of it
  };
  Why why;
  std::string text;  ///< one line for a person, which says what to do
};

inline std::unexpected<Refused> refuse_config(std::string text) {
  return std::unexpected(Refused{Refused::Why::Config, std::move(text)});
}
inline std::unexpected<Refused> refuse(std::string text) {
  return std::unexpected(Refused{Refused::Why::Failed, std::move(text)});
}

}  // namespace qsp::node
