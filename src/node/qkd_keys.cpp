#include "node/qkd_keys.hpp"

#include <fmt/format.h>

#include "base/try.hpp"
#include "net/loop.hpp"
#include "text/escape.hpp"

namespace qsp::node {
namespace {

using text::terminal_escape;

std::string may_be_burned(std::size_t keys) {
  return fmt::format("{} {} may be burned", keys, keys == 1 ? "key" : "keys");
}

}  // namespace

std::expected<std::unique_ptr<QkdKeys>, std::string> QkdKeys::open(const std::vector<PadFile>& pads,
                                                                   const KmeAccess& kme, Log log, NameSetting name) {
  auto keys = std::make_unique<QkdKeys>(std::move(log));
  keys->any_source_ = !pads.empty() || !kme.urls.empty();
  for (const PadFile& one : pads) {
    QSP_TRY(auto pad, keysource::Pad::open(one.file));
    if (!keys->pads_.add(one.sae_id, std::move(pad))) {
      return std::unexpected(fmt::format("{} {}={}: there is a pad for this SAE ID already", name(Setting::Pads),
                                         terminal_escape(one.sae_id), terminal_escape(one.file)));
    }
  }
  if (!kme.urls.empty()) {
    auto opened = KmeKeys::open(
        kme,
        {.may_ask_again = [all = keys.get()](const keysource::FurtherCall& call) { return all->may_ask_again(call); },
         .abandoned = [all = keys.get()](const keysource::AbandonedCall& call) { all->tell_abandoned(call); }},
        name);
    if (!opened) return std::unexpected(opened.error());
    keys->kme_ = std::move(*opened);
  }
  return keys;
}

bool QkdKeys::has_source_for(std::string_view sae_id) const {
  return kme_ != nullptr || pads_.status(sae_id).has_value();
}

void QkdKeys::stop() {
  if (kme_) kme_->stop();
}

keysource::Ticket QkdKeys::fetch(keysource::Request request, keysource::Done done) {
  // Pads answer at once, so that only the KME's tickets mean anything.
  if (!kme_ || pads_.status(request.sae_id)) return pads_.fetch(std::move(request), std::move(done));
  return kme_->source().fetch(std::move(request), std::move(done));
}

void QkdKeys::cancel(keysource::Ticket ticket) {
  if (kme_) kme_->source().cancel(ticket);
}

std::optional<keysource::SourceStatus> QkdKeys::status(std::string_view sae_id) const {
  auto status = pads_.status(sae_id);
  return status || !kme_ ? status : kme_->source().status(sae_id);
}

std::optional<keysource::Supply> QkdKeys::supply(std::string_view sae_id) {
  if (!kme_ || pads_.status(sae_id)) return std::nullopt;
  return kme_->source().supply(sae_id);
}

bool QkdKeys::must_tell_simulated(const std::string& sae_id) {
  const auto known = status(sae_id);
  if (!known || !known->simulated) return false;
  const std::lock_guard lock(mutex_);
  return told_simulated_.insert(sae_id).second;
}

bool QkdKeys::may_ask_again(const keysource::FurtherCall& call) {
  {
    const std::lock_guard lock(mutex_);
    if (!budget_.take_further(call.sae_id, net::Loop::now())) return false;
  }
  log_.warn("no QKD key for SAE {} yet: {}; asking again, call {} of enc_keys, from the budget{}",
            terminal_escape(call.sae_id), terminal_escape(call.why), call.number,
            call.burned == 0 ? std::string() : "; " + may_be_burned(call.burned));
  return true;
}

void QkdKeys::tell_abandoned(const keysource::AbandonedCall& call) const {
  log_.warn("nobody waits any more for the QKD key for SAE {} that enc_keys asks for; {}", terminal_escape(call.sae_id),
            may_be_burned(call.burned));
}

std::optional<Instant> QkdKeys::spend(const std::string& sae_id, Instant now) {
  const std::lock_guard lock(mutex_);
  if (budget_.take(sae_id, now)) return std::nullopt;
  return budget_.next(sae_id, now);
}

}  // namespace qsp::node
