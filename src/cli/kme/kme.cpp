#include "cli/kme/kme.hpp"

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/kme/options.hpp"
#include "cli/option_types.hpp"

namespace qsp::cli {
namespace {

/// Ten years: far enough for every rehearsal of clocks that are wrong.
constexpr std::chrono::hours kFarthestClock{24 * 3652};

/// The one option that stands for the configuration itself; it may also stand alone.
void add_config(Command& verb, std::string& config) {
  verb.add_file("CONFIG,--config", config, "the KME's configuration, a TOML file (docs/kme.md)")->required();
}

void add_inject(Command& kme, Context& context) {
  Command* const verb = kme.add_subcommand("inject", "put faults into a running KME, to rehearse");
  const auto options = options_of<KmeInjectOptions>(*verb, context, run_kme_inject);
  const Check faults = one_of({"unavailable", "lose-answers", "wrong-bytes", "disk-full"});
  add_config(*verb, options->config);
  using std::chrono::milliseconds;
  verb->add_option("--latency", options->wishes.latency_ms, "wait this long before each answer, up to 1m")
      ->check(is_time(milliseconds(0), std::chrono::minutes(1), milliseconds(1)))
      ->type_name("TIME");
  verb->add_option("--clock-offset", options->wishes.clock_offset_ms,
                   "run the KME's clock this far ahead; below 0: behind")
      ->check(is_time(-kFarthestClock, kFarthestClock, milliseconds(1)))
      ->type_name("TIME");
  verb->add_option("--on", options->wishes.on,
                   "begin with a fault: unavailable, lose-answers, wrong-bytes or disk-full")
      ->type_name("FAULT")
      ->check(faults);
  verb->add_option("--off", options->wishes.off, "end a fault: unavailable, lose-answers, wrong-bytes or disk-full")
      ->type_name("FAULT")
      ->check(faults);
  verb->add_flag("--clear", options->wishes.clear, "take all faults away first");
  set_help(*verb,
           {.notes = "The KME must have been started with --allow-fault-injection. Plain numbers are milliseconds.",
            .examples = {"qsp kme inject lab/kme-a/kme.toml --latency 800ms",
                         "qsp kme inject lab/kme-a/kme.toml --on unavailable",
                         "qsp kme inject lab/kme-a/kme.toml --clear"}});
}

void add_import(Command& kme, Context& context) {
  Command* const verb = kme.add_subcommand("import", "put keys from a file into one side of a link");
  const auto options = options_of<kme::link::KeyImport>(*verb, context, run_kme_import);
  verb->add_option("URL", options->url, "the KME, such as https://127.0.0.1:8443")->required();
  verb->add_option("LINK", options->link, "name of the link")->required();
  verb->add_option("FILE", options->file,
                   "the keys, 32 bytes each, in the JSON that Get key answers with; a private file")
      ->required();
  verb->add_file("--kme-cert", options->tls.certificate, "certificate of a feeder of that link, PEM")->required();
  verb->add_file("--kme-key", options->tls.key, "private key of that certificate, PEM, a private file (0600)")
      ->required();
  verb->add_file("--kme-ca", options->tls.authorities, "authorities that may have issued the KME's certificate, PEM")
      ->required();
  add_kme_trust(*verb, options->tls.revoked, options->server_name, options->tls.allow_tls_1_2);
  verb->add_flag("--simulated", options->simulated, "the keys come from a simulated link");
  set_help(*verb,
           {.notes = "Import the file at both sides, each into its own KME: a key can be used once both have it.",
            .examples = {"qsp kme import https://127.0.0.1:8443 a-b keys.json \\",
                         "    --kme-cert box.pem --kme-key box.key --kme-ca ca.pem"},
            .done = "the KME has all keys",
            .failed = "failed, or some keys had no room in the pool: one line on standard error says which"});
}

/// The options that name two KMEs and an SAE at each.
void add_sides(Command& verb, kme::check::CheckedSide& master, kme::check::CheckedSide& slave, bool both) {
  verb.add_option("URL", master.url, "the master's KME, such as https://kme-a.example:8443")->required();
  verb.add_option("--sae-id", master.sae_id, "the master's SAE ID")->required();
  verb.add_file("--kme-cert", master.tls.certificate, "the master's certificate for its KME, PEM")->required();
  verb.add_file("--kme-key", master.tls.key, "private key of that certificate, PEM, a private file (0600)")->required();
  verb.add_file("--kme-ca", master.tls.authorities, "authorities that may have issued both KMEs' certificates, PEM")
      ->required();
  add_kme_trust(verb, master.tls.revoked, master.server_name, master.tls.allow_tls_1_2);
  verb.add_option("--slave", slave.sae_id, "the slave's SAE ID")->type_name("ID")->required();
  Option* const url = verb.add_option("--slave-url", slave.url,
                                      both ? "the slave's KME" : "the slave's KME; without it dec_keys is not tested")
                          ->type_name("URL");
  Option* const certificate =
      verb.add_file("--slave-cert", slave.tls.certificate, "the slave's certificate for its KME, PEM")->needs(url);
  Option* const key =
      verb.add_file("--slave-key", slave.tls.key, "private key of the slave's certificate, PEM (0600)")->needs(url);
  url->needs(certificate)->needs(key)->required(both);
  certificate->required(both);
  key->required(both);
  verb.add_option("--slave-kme-name", slave.server_name,
                  "name in the certificate of the slave's KME, if it is not the URL's host")
      ->type_name("NAME")
      ->needs(url);
}

constexpr const char* kLabSides =
    "https://127.0.0.1:8443 --kme-ca lab/ca.pem \\\n"
    "      --sae-id alice --kme-cert lab/alice/cert.pem --kme-key lab/alice/key.pem \\\n"
    "      --slave bob --slave-url https://127.0.0.1:8444 --slave-cert lab/bob/cert.pem --slave-key lab/bob/key.pem";

void add_check(Command& kme, Context& context) {
  Command* const verb = kme.add_subcommand("check", "test whether a KME follows ETSI GS QKD 014");
  const auto sides = options_of<KmeSides>(*verb, context, run_kme_check);
  add_sides(*verb, sides->master, sides->slave, false);
  set_help(*verb,
           {.notes = "Uses up about thirty keys.",
            .examples = {fmt::format("qsp kme check {}", kLabSides)},
            .done = "no broken rule was found",
            .failed = "a broken rule was found, or the KME cannot be asked: one line on standard error says why"});
}

void add_load(Command& kme, Context& context) {
  Command* const verb = kme.add_subcommand("load", "get and redeem keys as fast as two KMEs allow");
  const auto options = options_of<kme::check::LoadOptions>(*verb, context, run_kme_load);
  add_sides(*verb, options->master, options->slave, true);
  verb->add_checked("--pairs", options->pairs, "keys to get and to redeem",
                    range(std::uint64_t{1}, std::uint64_t{100'000'000}));
  verb->add_checked("--concurrency", options->concurrency, "calls under way at once, each on its own connection",
                    range(1, 256));
  verb->add_checked("--keys-per-call", options->keys_per_call, "keys per call", range(1, 128));
  set_help(*verb, {.notes = "Every key is compared at the other end.",
                   .examples = {fmt::format("qsp kme load {}", kLabSides)},
                   .done = "every pair was equal, and no answer was lost",
                   .failed = "failed, or answers were lost: one line on standard error says why"});
}

}  // namespace

void add_kme(Command& app, Context& context) {
  Command* const kme = app.add_subcommand("kme", "a key management entity that speaks ETSI GS QKD 014");
  kme->require_subcommand(1);
  set_help(*kme, {.notes = "For a single command, run qsp kme COMMAND --help (docs/kme.md).",
                  .examples = {"qsp kme lab lab && cat lab/README.md", "qsp kme serve lab/kme-a/kme.toml"}});

  Command* const serve = kme->add_subcommand("serve", "run a KME");
  const auto serving = options_of<KmeServeOptions>(*serve, context, run_kme_serve);
  add_config(*serve, serving->config);
  serve->add_flag("--allow-fault-injection", serving->allow_fault_injection,
                  "let `qsp kme inject` break things: for rehearsals only");
  set_help(*serve, {.notes = "SIGHUP reads certificates and revocation lists again; SIGINT or SIGTERM ends it.",
                    .examples = {"qsp kme lab lab && qsp kme serve lab/kme-a/kme.toml",
                                 "qsp kme serve --config lab/kme-a/kme.toml"},
                    .done = "ended by a signal",
                    .failed = "did not start: one line on standard error says why"});

  Command* const lab = kme->add_subcommand("lab", "make everything that two KMEs and two SAEs need, in a new folder");
  const auto laboratory = options_of<KmeLabOptions>(*lab, context, run_kme_lab);
  lab->add_option("DIR", laboratory->folder, "a folder that does not exist yet")->required();
  lab->add_checked("--port", laboratory->port, "port of the first KME; the next three are used too", range(1, 65'532));
  set_help(*lab, {.examples = {"qsp kme lab lab && cat lab/README.md"}});

  Command* const status = kme->add_subcommand("status", "show the state of a KME on this machine and of its links");
  const auto asking = options_of<KmeStatusOptions>(*status, context, run_kme_status);
  add_config(*status, asking->config);
  status
      ->add_option("--wait", asking->wait_s,
                   "wait at most this long until the KME and its links' peers answer, and there are keys to give")
      ->check(is_time(std::chrono::seconds(1), std::chrono::hours(1)))
      ->type_name("TIME");
  set_help(*status, {.notes = "Asks the admin port that the configuration names.",
                     .examples = {"qsp kme status lab/kme-a/kme.toml", "qsp kme status lab/kme-a/kme.toml --json",
                                  "qsp kme status lab/kme-a/kme.toml --wait 10s"}});

  add_inject(*kme, context);
  add_import(*kme, context);
  add_check(*kme, context);
  add_load(*kme, context);
}

}  // namespace qsp::cli
