#include <chrono>
#include <mutex>
#include <utility>

#include "keysource/budget.hpp"
#include "keysource/pad.hpp"
#include "keysource/pad_source.hpp"
#include "qsp/qkd.hpp"

namespace qsp::keysource {
namespace {

std::unexpected<Failure> failed(ErrorKind kind, std::string text) {
  return std::unexpected(Failure{{kind, Reason::InternalError, "a pad"}, std::move(text)});
}

/// Pads, and what SPEC §5.7 lets a process take from them.
class BudgetedPads final : public KeySource {
 public:
  [[nodiscard]] PadSource& pads() noexcept { return pads_; }

  Ticket fetch(Request request, Done done) override {
    if (may_fetch(request.sae_id)) return pads_.fetch(std::move(request), std::move(done));
    done(std::unexpected(Failed{QkdFailure::Budget, "the budget of fetches for this peer is spent"}));
    return 0;
  }
  void cancel(Ticket ticket) override { pads_.cancel(ticket); }
  [[nodiscard]] std::optional<SourceStatus> status(std::string_view sae_id) const override {
    return pads_.status(sae_id);
  }

 private:
  bool may_fetch(std::string_view sae_id) {
    const std::lock_guard lock(mutex_);
    return budget_.take(sae_id, std::chrono::steady_clock::now().time_since_epoch());
  }

  PadSource pads_;
  std::mutex mutex_;
  QkdBudget budget_;
};

}  // namespace

Result<std::unique_ptr<KeySource>, Failure> open_pads(const std::vector<PadFile>& pads) {
  auto source = std::make_unique<BudgetedPads>();
  for (const PadFile& each : pads) {
    auto pad = Pad::open(each.file);
    if (!pad) return failed(ErrorKind::Environment, std::move(pad.error()));
    if (!source->pads().add(each.sae_id, *std::move(pad))) {
      return failed(ErrorKind::ApiMisuse, each.file + ": the peer has a pad already");
    }
  }
  return source;
}

Result<void, Failure> make_pads(const NewPad& pad, const std::string& file_a, const std::string& file_b,
                                crypto::Rng& rng) {
  const PadSpec spec{.link = pad.link, .keys = pad.keys, .simulated = pad.simulated};
  auto made = create_pads(spec, file_a, file_b, rng);
  if (!made) return failed(ErrorKind::Environment, std::move(made.error()));
  return {};
}

}  // namespace qsp::keysource
