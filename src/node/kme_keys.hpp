#pragma once

#include <expected>
#include <memory>
#include <string>

#include "keysource/etsi014/source.hpp"
#include "node/end_config.hpp"
#include "qsp/key_source.hpp"

namespace qsp::node {

/// The keys of a KME, fetched on a thread of its own: no session waits for the calls of another, and none keeps a
/// process from its end. May be used by threads.
class KmeKeys {
 public:
  /// Reads the files and asks nobody yet. The error names the file and the remedy. `costs` is called on the
  /// thread of its own, and while this object is destroyed.
  static std::expected<std::unique_ptr<KmeKeys>, std::string> open(const KmeAccess& access, keysource::Costs costs,
                                                                   NameSetting name = field_name);
  virtual ~KmeKeys() = default;

  /// Answers come on the thread of its own. Lives as long as this object.
  virtual keysource::KeySource& source() noexcept = 0;
  /// No answer comes any more. May be called twice.
  virtual void stop() = 0;
};

}  // namespace qsp::node
