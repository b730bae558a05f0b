#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace qsp::node {

enum class Level : std::uint8_t { Debug, Info, Warning, Error };

/// Where a node's log goes: to the code that made the node. What others wrote is escaped in its lines, and no line
/// holds a secret. Copies are cheap and lead to the same place.
class Log {
 public:
  /// Takes one line, from any thread.
  using Sink = std::function<void(Level, const std::string& line)>;

  /// Nobody listens.
  Log() = default;
  explicit Log(Sink sink) : sink_(std::move(sink)) {}

  template <class... Arguments>
  void debug(fmt::format_string<Arguments...> text, Arguments&&... arguments) const {
    if (sink_) sink_(Level::Debug, fmt::vformat(text, fmt::make_format_args(arguments...)));
  }
  template <class... Arguments>
  void info(fmt::format_string<Arguments...> text, Arguments&&... arguments) const {
    if (sink_) sink_(Level::Info, fmt::vformat(text, fmt::make_format_args(arguments...)));
  }
  template <class... Arguments>
  void warn(fmt::format_string<Arguments...> text, Arguments&&... arguments) const {
    if (sink_) sink_(Level::Warning, fmt::vformat(text, fmt::make_format_args(arguments...)));
  }
  template <class... Arguments>
  void error(fmt::format_string<Arguments...> text, Arguments&&... arguments) const {
    if (sink_) sink_(Level::Error, fmt::vformat(text, fmt::make_format_args(arguments...)));
  }

 private:
  Sink sink_;
};

}  // namespace qsp::node
