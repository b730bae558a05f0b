#include "cli/kme.hpp"

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "cli/app.hpp"
#include "cli/command.hpp"

namespace qsp::cli {
namespace {

template <class Options>
using Run = int (*)(const Options&, bool);

/// Options that live as long as their verb, and what the verb does with them.
template <class Options>
std::shared_ptr<Options> options_of(Command& verb, Context& context, Run<Options> run) {
  auto options = std::make_shared<Options>();
  verb.callback(
      [options, run, &context] { context.action = [options, run, &context] { return run(*options, context.json); }; });
  return options;
}

void add_config(Command& verb, std::string& config) {
  verb.add_option("CONFIG", config, "the KME's configuration, a TOML file (docs/kme.md)")->required();
}

void add_inject(Command& kme, Context& context) {
  Command* const verb = kme.add_subcommand("inject", "put faults into a running KME, to rehearse");
  const auto options = options_of<KmeInjectOptions>(*verb, context, run_kme_inject);
  const Check faults = one_of({"unavailable", "lose-answers", "wrong-bytes", "disk-full"});
  add_config(*verb, options->config);
  verb->add_option("--latency-ms", options->latency_ms, "wait this long before each answer")->check(range(0, 60'000));
  verb->add_option("--clock-offset-ms", options->clock_offset_ms, "run the KME's clock this far ahead");
  verb->add_option("--on", options->on, "unavailable, lose-answers, wrong-bytes or disk-full")->check(faults);
  verb->add_option("--off", options->off, "the same")->check(faults);
  verb->add_flag("--clear", options->clear, "take all faults away first");
  verb->footer(
      "The KME must have been started with --allow-fault-injection.\n\nExamples:\n"
      "  qsp kme inject lab/kme-a/kme.toml --latency-ms 800\n"
      "  qsp kme inject lab/kme-a/kme.toml --on unavailable\n"
      "  qsp kme inject lab/kme-a/kme.toml --clear");
}

void add_import(Command& kme, Context& context) {
  Command* const verb = kme.add_subcommand("import", "bring keys from a file to one side of a link");
  const auto options = options_of<KmeImportOptions>(*verb, context, run_kme_import);
  verb->add_option("URL", options->url, "of the KME, such as https://127.0.0.1:8443")->required();
  verb->add_option("LINK", options->link, "name of the link")->required();
  verb->add_option("FILE", options->file, "the keys: JSON as of Get key, 32 bytes each; a private file")->required();
  verb->add_option("--cert", options->certificate, "certificate of a feeder of that link")->required();
  verb->add_option("--key", options->key, "its private key")->required();
  verb->add_option("--ca", options->authorities, "authorities that the KME's certificate descends from")->required();
  verb->add_option("--server-name", options->server_name, "what that certificate is for, if not the URL's host");
  verb->add_flag("--simulated", options->simulated, "the keys come from a simulated link");
  verb->footer(
      "Bring the same file to both sides, each to its own KME: a key can be used once both have it.\n\nExample:\n"
      "  qsp kme import https://127.0.0.1:8443 a-b keys.json --cert box.pem --key box.key --ca ca.pem");
}

/// The options that name two KMEs and an SAE at each.
void add_sides(Command& verb, KmeCheckOptions& options, bool both) {
  verb.add_option("URL", options.url, "of the master's KME, such as https://kme-a.example:8443")->required();
  verb.add_option("--sae-id", options.sae_id, "the master's SAE ID")->required();
  verb.add_option("--cert", options.certificate, "its certificate")->required();
  verb.add_option("--key", options.key, "its private key")->required();
  verb.add_option("--ca", options.authorities, "authorities that the KMEs' certificates descend from")->required();
  verb.add_option("--server-name", options.server_name, "what the KME's certificate is for, if not the URL's host");
  verb.add_option("--slave", options.slave_sae_id, "the slave's SAE ID")->required();
  Option* const slave = verb.add_option("--slave-url", options.slave_url,
                                        both ? "of the slave's KME" : "likewise; without it dec_keys is not tested");
  Option* const certificate =
      verb.add_option("--slave-cert", options.slave_certificate, "the slave's certificate")->needs(slave);
  Option* const key = verb.add_option("--slave-key", options.slave_key, "its private key")->needs(slave);
  slave->needs(certificate)->needs(key)->required(both);
  verb.add_option("--slave-server-name", options.slave_server_name, "as --server-name")->needs(slave);
  verb.add_flag("--tls12", options.allow_tls_1_2, "take TLS 1.2 too");
}

constexpr const char* kLabSides =
    "https://127.0.0.1:8443 --ca lab/ca.pem \\\n"
    "    --sae-id alice --cert lab/alice/cert.pem --key lab/alice/key.pem \\\n"
    "    --slave bob --slave-url https://127.0.0.1:8444 --slave-cert lab/bob/cert.pem --slave-key lab/bob/key.pem";

void add_check(Command& kme, Context& context) {
  Command* const verb = kme.add_subcommand("check", "test whether a KME keeps to ETSI GS QKD 014");
  add_sides(*verb, *options_of<KmeCheckOptions>(*verb, context, run_kme_check), false);
  verb->footer(
      fmt::format("Uses up some thirty keys. Exit status 0: no rule was found broken.\n\nExample:\n"
                  "  qsp kme check {}",
                  kLabSides));
}

void add_load(Command& kme, Context& context) {
  Command* const verb = kme.add_subcommand("load", "give and redeem keys as fast as two KMEs let one");
  const auto options = options_of<KmeLoadOptions>(*verb, context, run_kme_load);
  add_sides(*verb, options->sides, true);
  verb->add_option("--pairs", options->pairs, "keys to give and to redeem")
      ->check(range(std::uint64_t{1}, std::uint64_t{100'000'000}))
      ->capture_default_str();
  verb->add_option("--concurrency", options->concurrency, "calls under way at once, each on its connection")
      ->check(range(1, 256))
      ->capture_default_str();
  verb->add_option("--keys-per-call", options->keys_per_call, "keys of one call")
      ->check(range(1, 128))
      ->capture_default_str();
  verb->footer(fmt::format("Every key is compared at the other end.\n\nExample:\n  qsp kme load {}", kLabSides));
}

}  // namespace

void add_kme(Command& app, Context& context) {
  Command* const kme = app.add_subcommand("kme", "a key management entity that speaks ETSI GS QKD 014");
  kme->require_subcommand(1);

  Command* const serve = kme->add_subcommand("serve", "run a KME");
  const auto serving = options_of<KmeServeOptions>(*serve, context, run_kme_serve);
  add_config(*serve, serving->config);
  serve->add_flag("--allow-fault-injection", serving->allow_fault_injection,
                  "let `qsp kme inject` break things: for rehearsals only");
  serve->footer(
      "SIGHUP reads certificates and revocation lists anew; SIGINT or SIGTERM ends it.\n\nExample:\n"
      "  qsp kme lab lab && qsp kme serve lab/kme-a/kme.toml");

  Command* const lab = kme->add_subcommand("lab", "make all that two KMEs and two SAEs need, in a new folder");
  const auto laboratory = options_of<KmeLabOptions>(*lab, context, run_kme_lab);
  lab->add_option("DIR", laboratory->folder, "a folder that does not exist yet")->required();
  lab->add_option("--port", laboratory->port, "of the first KME; the next three are used too")
      ->check(range(1, 65'532))
      ->capture_default_str();
  lab->footer("Example:\n  qsp kme lab lab && cat lab/README.md");

  Command* const status = kme->add_subcommand("status", "tell how a KME of this machine and its links are");
  const auto asking = options_of<KmeStatusOptions>(*status, context, run_kme_status);
  add_config(*status, asking->config);
  status
      ->add_option(
          "--wait", asking->wait_s,
          "wait so many seconds at most until the KME answers, its links' peers do, and there are keys to give")
      ->check(range(1, 3600));
  status->footer(
      "Asks the admin port that the configuration names.\n\nExamples:\n"
      "  qsp kme status lab/kme-a/kme.toml\n"
      "  qsp kme status lab/kme-a/kme.toml --wait 10");

  add_inject(*kme, context);
  add_import(*kme, context);
  add_check(*kme, context);
  add_load(*kme, context);
}

}  // namespace qsp::cli
