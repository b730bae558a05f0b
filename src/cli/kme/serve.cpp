#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <functional>

#include "cli/app.hpp"
#include "cli/json.hpp"
#include "cli/kme/kme.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "crypto/routed/provider.hpp"
#include "kme/config/config.hpp"
#include "kme/kme.hpp"
#include "net/descriptor_limit.hpp"
#include "net/loop.hpp"
#include "text/escape.hpp"

namespace qsp::cli {
namespace {

constexpr std::chrono::seconds kGrace{2};
constexpr std::chrono::milliseconds kLook{10};

void warn_of_simulation(const kme::Config& config) {
  for (const kme::PeerLinkConfig& link : config.links) {
    if (link.producer == kme::ProducerKind::Random) {
      print_warning(fmt::format("link {}: keys are simulated: drawn here and sent over, with no quantum security",
                                text::terminal_escape(link.name)));
    }
  }
}

/// SIGHUP reloads, SIGINT and SIGTERM end; a second one ends at once.
class Signals {
 public:
  Signals(net::Loop& loop, kme::Kme& kme) : loop_(loop), kme_(kme), set_(loop.io(), SIGINT, SIGTERM, SIGHUP) { wait(); }

 private:
  void wait() {
    set_.async_wait([this](const net::error_code& cancelled, int signal) {
      if (cancelled) return;
      if (signal == SIGHUP) {
        if (const auto done = kme_.reload(); done) {
          spdlog::info("certificates and revocation lists are read anew");
        } else {
          spdlog::error("the old certificates stay: {}", done.error());
        }
        return wait();
      }
      if (stopping_) return loop_.io().stop();
      stopping_ = true;
      spdlog::info("stopping");
      kme_.stop(kGrace);
      end_when_idle(net::Loop::now() + kGrace);
      wait();
    });
  }

  /// Ends the loop with the last connection, which the grace closes where its answer does not.
  void end_when_idle(Instant latest) {
    if (kme_.connections() == 0 || net::Loop::now() >= latest) return loop_.io().stop();
    timer_.expires_after(kLook);
    timer_.async_wait([this, latest](const net::error_code&) { end_when_idle(latest); });
  }

  net::Loop& loop_;
  kme::Kme& kme_;
  boost::asio::signal_set set_;
  net::Timer timer_{loop_.executor()};
  bool stopping_ = false;
};

}  // namespace

int run_kme_serve(const KmeServeOptions& options, bool json) {
  auto config = kme::read_config(options.config);
  if (!config) return failed(config.error());
  const auto provider = crypto::make_provider();
  if (!provider) return failed(provider.error());
  warn_of_simulation(*config);
  if (config->dangerous_unverified_database) {
    print_warning("dangerous_unverified_database: keys may travel to the database in clear, or to an impostor");
  }
  if (options.allow_fault_injection) print_warning("faults may be injected: for rehearsals only");

  net::raise_descriptor_limit();
  net::Loop loop;
  const std::string id = config->kme_id;
  const std::string address = config->address;
  auto kme = kme::Kme::open(loop, *std::move(config), (*provider)->rng(), options.allow_fault_injection);
  if (!kme) return failed(kme.error());
  Signals signals(loop, **kme);
  if (json) {
    print_json(
        {{"event", "listening"}, {"kme_id", id}, {"port", (*kme)->port()}, {"admin_port", (*kme)->admin_port()}});
    if (!output_works()) return kFailed;
  } else {
    spdlog::info("KME {} listens on {}:{}, admin port {}", text::terminal_escape(id), address, (*kme)->port(),
                 (*kme)->admin_port());
  }
  loop.run();
  return kOk;
}

}  // namespace qsp::cli
