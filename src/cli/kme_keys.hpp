#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "keysource/etsi014/source.hpp"
#include "qsp/key_source.hpp"

namespace qsp::cli {

class Command;

/// The site's KME, after ETSI GS QKD 014.
struct KmeOptions {
  std::vector<std::string> urls;                       ///< of its servers, in the order of their use; none: no KME
  std::string certificate, key, authorities, revoked;  ///< PEM files; `revoked` may be empty
  std::string name;                                    ///< in the KME's certificate; empty: the URL's host
  bool tls12 = false;
  bool unclean_end = false;  ///< whole JSON counts where TLS ended without close_notify

  /// Whether they belong together; the error names the option.
  [[nodiscard]] std::expected<void, std::string> check() const;
};

void add_kme_options(Command& verb, KmeOptions& options);
/// --kme-crl, --kme-name and --kme-tls12, which every verb that talks to a KME has.
void add_kme_trust(Command& verb, std::string& revoked, std::string& name, bool& tls12);

/// The keys of a KME, fetched on a thread of its own: no session waits for the calls of another, and none keeps a
/// process from its end. May be used by threads.
class KmeKeys {
 public:
  /// Reads the files and asks nobody yet. The error names the file and the remedy. `costs` is called on the
  /// thread of its own, and while this object is destroyed.
  static std::expected<std::unique_ptr<KmeKeys>, std::string> open(const KmeOptions& options, keysource::Costs costs);
  virtual ~KmeKeys() = default;

  /// Answers come on the thread of its own. Lives as long as this object.
  virtual keysource::KeySource& source() noexcept = 0;
  /// No answer comes any more. May be called twice.
  virtual void stop() = 0;
};

}  // namespace qsp::cli
