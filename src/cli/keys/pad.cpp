#include "cli/keys/pad.hpp"

#include <fmt/format.h>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/option_types.hpp"
#include "cli/output.hpp"
#include "cli/text.hpp"
#include "crypto/routed/provider.hpp"
#include "files/unfinished.hpp"
#include "keysource/pad.hpp"
#include "text/escape.hpp"
#include "text/progress.hpp"
#include "text/table.hpp"
#include "text/units.hpp"

namespace qsp::cli {
namespace {

boost::json::object json_of(const keysource::HalfStatus& half) { return {{"used", half.used}, {"left", half.left}}; }

}  // namespace

int run_pad_create(const PadCreateOptions& options, bool json) {
  const auto provider = crypto::make_provider();
  if (!provider) return failed(provider.error());
  const keysource::PadSpec spec{.link = options.link, .keys = options.keys};
  {
    files::Unfinished unfinished;
    text::Progress progress(write_err);
    const std::string all = text::grouped(options.keys);
    const auto made =
        keysource::create_pads(spec, options.file_a, options.file_b, (*provider)->rng(), [&](std::uint64_t done) {
          progress.say(
              fmt::format("{} of {} keys written ({} %)", text::grouped(done), all, done * 100 / options.keys));
        });
    progress.finish();
    if (!made) return failed(made.error());
    unfinished.keep();
  }
  print_result(
      json, {{"link", options.link}, {"keys", options.keys}, {"a", options.file_a}, {"b", options.file_b}},
      fmt::format("{} keys for link {}: {} for this end, {} for the other.\n"
                  "Carry the second to the other end by a way that nobody can read, and delete it here.\n",
                  text::grouped(options.keys), text::terminal_escape(options.link), options.file_a, options.file_b));
  return kOk;
}

int run_pad_status(const PadStatusOptions& options, bool json) {
  const auto status = keysource::pad_status(options.file);
  if (!status) return failed(status.error());
  const auto half_text = [](const keysource::HalfStatus& half) {
    return fmt::format("{} left, {} used", text::grouped(half.left), text::grouped(half.used));
  };
  print_result(json,
               {{"file", options.file},
                {"link", status->link},
                {"pad_id", uuid_text(status->pad_id)},
                {"half", std::string(1, keysource::name(status->half))},
                {"simulated", status->simulated},
                {"source", "pad"},
                {"own", json_of(status->own)},
                {"other", json_of(status->peer)}},
               text::columns({{"link", text::terminal_escape(status->link)},
                              {"half", std::string(1, keysource::name(status->half))},
                              {"keys from", status->simulated ? "a simulated link: no quantum security" : "a pad"},
                              {"this end", half_text(status->own)},
                              {"other end", half_text(status->peer)}}));
  return kOk;
}

void add_pad(Command& app, Context& context) {
  Command* const verb = app.add_subcommand("pad", "files of one-time keys, in place of a QKD link");
  verb->require_subcommand(1);
  set_help(*verb, {.notes = "For a single command, run qsp pad COMMAND --help (docs/pad.md).",
                   .examples = {"qsp pad create --keys 100000 --link berlin-paris berlin.pad paris.pad",
                                "qsp pad status berlin.pad"}});

  Command* const create = verb->add_subcommand("create", "make both copies of a new pad");
  const auto creation = options_of<PadCreateOptions>(*create, context, run_pad_create);
  create->add_option("--keys", creation->keys, "number of keys; each end hands out half of them")
      ->required()
      ->check(range(keysource::kMinPadKeys, keysource::kMaxPadKeys));
  create->add_option("--link", creation->link, "name of the link, for people")->required();
  create->add_option("A", creation->file_a, "file for this end")->required();
  create->add_option("B", creation->file_b, "file for the other end")->required();
  set_help(*create, {.notes = "Neither file may exist: a pad is never overwritten (docs/pad.md).",
                     .examples = {"qsp pad create --keys 100000 --link berlin-paris berlin.pad paris.pad"}});

  Command* const status = verb->add_subcommand("status", "show what is left of a pad");
  const auto query = options_of<PadStatusOptions>(*status, context, run_pad_status);
  status->add_option("FILE", query->file, "the pad")->required();
  set_help(*status, {.notes = "Works also while a process uses the pad.",
                     .examples = {"qsp pad status berlin.pad", "qsp pad status berlin.pad --json"}});
}

}  // namespace qsp::cli
