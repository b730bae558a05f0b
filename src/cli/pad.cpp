#include "cli/pad.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <memory>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "files/unfinished.hpp"
#include "keysource/pad.hpp"
#include "qsp/openssl.hpp"

namespace qsp::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// A line on the terminal that tells how far a long piece of work is, from its third second on.
class Progress {
 public:
  explicit Progress(std::uint64_t total) : total_(total), shown_(Clock::now() + std::chrono::seconds(2)) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() {
    if (visible_) print_err("\r\033[K");
  }

  void operator()(std::uint64_t done) {
    if (!terminal_ || Clock::now() < shown_) return;
    shown_ = Clock::now() + std::chrono::milliseconds(200);
    visible_ = true;
    print_err("\r{} of {} keys written ({} %)", grouped(done), grouped(total_), done * 100 / total_);
  }

 private:
  std::uint64_t total_;
  Clock::time_point shown_;
  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool visible_ = false;
};

boost::json::object json_of(const keysource::HalfStatus& half) { return {{"used", half.used}, {"left", half.left}}; }

}  // namespace

int run_pad_create(const PadCreateOptions& options) {
  const auto provider = crypto::make_openssl_provider();
  if (!provider) return failed(provider.error());
  const keysource::PadSpec spec{.link = options.link, .keys = options.keys};
  {
    files::Unfinished unfinished;
    Progress progress(options.keys);
    const auto made = keysource::create_pads(spec, options.file_a, options.file_b, (*provider)->rng(),
                                             [&progress](std::uint64_t done) { progress(done); });
    if (!made) return failed(made.error());
    unfinished.keep();
  }
  if (options.json) {
    print_json({{"link", options.link}, {"keys", options.keys}, {"a", options.file_a}, {"b", options.file_b}});
  } else {
    print_out("{} keys for link {}: {} for this end, {} for the other.\n", grouped(options.keys), escape(options.link),
              options.file_a, options.file_b);
    print_out("Carry the second to the other end by a way that nobody can read, and delete it here.\n");
  }
  return kOk;
}

int run_pad_status(const PadStatusOptions& options) {
  const auto status = keysource::pad_status(options.file);
  if (!status) return failed(status.error());
  if (options.json) {
    print_json({{"file", options.file},
                {"link", status->link},
                {"pad_id", keysource::to_text(status->pad_id)},
                {"half", std::string(1, keysource::name(status->half))},
                {"simulated", status->simulated},
                {"source", "pad"},
                {"own", json_of(status->own)},
                {"other", json_of(status->peer)}});
    return kOk;
  }
  print_out("link       {}\nhalf       {}\n", escape(status->link), keysource::name(status->half));
  print_out("keys from  {}\n", status->simulated ? "a simulated link: no quantum security" : "a pad");
  print_out("this end   {} left, {} used\n", grouped(status->own.left), grouped(status->own.used));
  print_out("other end  {} left, {} used\n", grouped(status->peer.left), grouped(status->peer.used));
  return kOk;
}

void add_pad(Command& app, Context& context) {
  Command* const verb = app.add_subcommand("pad", "files of one-time keys, in place of a QKD link");
  verb->require_subcommand(1);
  set_help(*verb, {.notes = "qsp pad COMMAND --help tells more of each (docs/pad.md).",
                   .examples = {"qsp pad create --keys 100000 --link berlin-paris berlin.pad paris.pad",
                                "qsp pad status berlin.pad"}});

  Command* const create = verb->add_subcommand("create", "make both copies of a new pad");
  const auto creation = std::make_shared<PadCreateOptions>();
  create->add_option("--keys", creation->keys, "number of keys; each end hands out one half of them")
      ->required()
      ->check(range(keysource::kMinPadKeys, keysource::kMaxPadKeys));
  create->add_option("--link", creation->link, "name of the link, for people")->required();
  create->add_option("A", creation->file_a, "file for this end")->required();
  create->add_option("B", creation->file_b, "file for the other end")->required();
  set_help(*create, {.notes = "Neither file may exist: no pad is ever overwritten (docs/pad.md).",
                     .examples = {"qsp pad create --keys 100000 --link berlin-paris berlin.pad paris.pad"}});
  create->callback([creation, &context] {
    context.action = [creation, &context] {
      creation->json = context.json;
      return run_pad_create(*creation);
    };
  });

  Command* const status = verb->add_subcommand("status", "tell what is left of a pad");
  const auto query = std::make_shared<PadStatusOptions>();
  status->add_option("FILE", query->file, "the pad")->required();
  set_help(*status, {.notes = "Works while a process uses the pad.",
                     .examples = {"qsp pad status berlin.pad", "qsp pad status berlin.pad --json"}});
  status->callback([query, &context] {
    context.action = [query, &context] {
      query->json = context.json;
      return run_pad_status(*query);
    };
  });
}

}  // namespace qsp::cli
