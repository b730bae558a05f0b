#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "keysource/pad.hpp"
#include "qsp/key_source.hpp"

namespace qsp::keysource {

/// A key source over pads, one for each peer. Answers inside fetch, after the disk has taken the mark (some
/// milliseconds on a disk that tells the truth). May be shared by threads.
class PadSource : public KeySource {
 public:
  /// Serves the peer with this SAE ID from `pad`. False, and nothing changes, where the peer has one already.
  bool add(std::string sae_id, Pad&& pad);

  Ticket fetch(Request request, Done done) override;
  void cancel(Ticket) override {}  // every fetch is answered before it returns
  [[nodiscard]] std::optional<SourceStatus> status(std::string_view sae_id) const override;

 private:
  Answer draw(const Request& request);

  mutable std::mutex mutex_;
  std::map<std::string, Pad, std::less<>> pads_;
};

}  // namespace qsp::keysource
