#include "cli/e91/processes.hpp"

#include "cli/app.hpp"
#include "cli/command.hpp"
#include "cli/kme/options.hpp"
#include "cli/option_types.hpp"
#include "cli/session/options.hpp"
#include "cli/session/setting_names.hpp"
#include "e91/post/messages.hpp"

namespace qsp::cli {
namespace {

void add_identity(Command& verb, e91::station::StationIdentity& identity) {
  identity.ask = ask_passphrase;
  identity.name = option_name;
  verb.add_file("--key", identity.key, "this process's private key (qsp keygen)")->required();
  verb.add_file("--passphrase-file", identity.passphrase_file, "file with the passphrase of an encrypted key");
  verb.add_file("--peers", identity.peers, "the pinned peers (docs/peers.md)")->required();
}

void add_link_file(Command& verb, std::string& file) {
  verb.add_file("--link-file", file, "description of the link (examples/links); link, alice and bob need equal files")
      ->required();
}

void add_eve(Command& verb, std::string& eve, std::string& file) {
  verb.add_option("--eve", eve,
                  "attack on the link: none, intercept:FRACTION, probe:STRENGTH, source:separable,\n"
                  "source:werner=VISIBILITY or blinding (see qsp e91 run --help)")
      ->capture_default_str();
  verb.add_file("--eve-file", file,
                "a file with the attack, which overrides --eve once it exists; it is read before each block");
}

void add_block_bits(Command& verb, std::uint64_t& bits) {
  verb.add_checked("--block-bits", bits, "sifted key bits that a block should have; longer blocks yield more",
                   range(std::uint64_t{1000}, std::uint64_t{e91::post::kMaxKeyBits}));
}

void add_kme(Command& verb, const std::string& infix, const std::string& whose, e91::station::KmeFeedOptions& kme) {
  const std::string prefix = "--kme" + infix;
  verb.add_option(prefix, kme.url, whose + " KME, such as https://127.0.0.1:8443")->type_name("URL")->required();
  verb.add_file(prefix + "-cert", kme.tls.certificate, "certificate for that KME, listed in the link's feeders, PEM")
      ->required();
  verb.add_file(prefix + "-key", kme.tls.key, "private key of that certificate, PEM, a private file (0600)")
      ->required();
  if (infix.empty()) return;
  verb.add_option(prefix + "-name", kme.server_name, "name in the KME's certificate, if it is not the URL's host")
      ->type_name("NAME");
}

void add_link(Command& e91, Context& context) {
  Command* const verb = e91.add_subcommand("link", "the quantum channel, simulated: a process for two stations");
  const auto options = options_of<e91::station::LinkProcessConfig>(*verb, context, run_e91_link);
  verb->add_option("--listen", options->listen, "HOST:PORT to listen on; port 0 lets the system choose")
      ->capture_default_str();
  add_identity(*verb, options->identity);
  add_link_file(*verb, options->link_file);
  verb->add_option("--alice", options->alice, "pinned name of the station that is Alice")->capture_default_str();
  verb->add_option("--bob", options->bob, "pinned name of the station that is Bob")->capture_default_str();
  add_eve(*verb, options->eve, options->eve_file);
  verb->add_flag("--real-time", options->real_time, "let a block take as long as it would with real light");
  set_help(*verb,
           {.notes = "This process knows every bit: it is for laboratories. SIGINT or SIGTERM stops it.\n--config FILE "
                     "is another name for --options FILE: a file of these options, as qsp e91 lab writes it.",
            .examples = {"qsp e91 lab lab && qsp e91 link --config lab/link/e91.toml",
                         "echo intercept:1 > lab/eve      # an attack, from the next block on", "echo none > lab/eve"},
            .done = "ended by a signal",
            .failed = "did not start: one line on standard error says why"});
}

void add_station(Command& e91, Context& context, e91::Side side) {
  const bool alice = side == e91::Side::Alice;
  Command* const verb = e91.add_subcommand(alice ? "alice" : "bob",
                                           alice ? "the station at the link's end \"a\": makes keys for its KME"
                                                 : "the station at the link's end \"b\": makes keys for its KME");
  const auto options = options_of<e91::station::StationProcessConfig>(*verb, context, run_e91_station);
  options->side = side;
  options->peer = alice ? "bob" : "alice";
  options->address = "127.0.0.1";
  if (alice) {
    verb->add_option("--listen", options->address, "HOST:PORT where Bob reaches her; port 0 lets the system choose")
        ->capture_default_str();
  } else {
    verb->add_option("--alice", options->address, "HOST:PORT where Alice listens")->capture_default_str();
  }
  verb->add_option("--link", options->link, "HOST:PORT of qsp e91 link")->required();
  add_identity(*verb, options->identity);
  verb->add_option("--peer", options->peer, "pinned name of the other station")->capture_default_str();
  verb->add_option("--link-peer", options->link_peer, "pinned name of the link")->capture_default_str();
  add_link_file(*verb, options->link_file);
  if (alice) add_block_bits(*verb, options->block_bits);
  add_kme(*verb, "", "this site's", options->kme);
  add_kme_trust(*verb, options->kme.tls.revoked, options->kme.server_name, options->kme.tls.allow_tls_1_2);
  verb->add_file("--kme-ca", options->kme.tls.authorities,
                 "authorities that may have issued the KME's certificate, PEM")
      ->required();
  verb->add_option("--kme-link", options->kme.link, "name of the link at the KME")->required();
  set_help(
      *verb,
      {.notes =
           "Pairs with the other station over QSP 1.0 and feeds the KME until SIGINT or SIGTERM. Waits for what is\n"
           "down. With --json each block is a line on standard output. The keys are simulated.\n"
           "--config FILE is another name for --options FILE: a file of these options, as qsp e91 lab writes it.",
       .examples = {alice ? "qsp e91 alice --config lab/e91-alice/e91.toml"
                          : "qsp e91 bob --config lab/e91-bob/e91.toml"},
       .done = "ended by a signal",
       .failed = "did not start: one line on standard error says why"});
}

void add_feed(Command& e91, Context& context) {
  Command* const verb = e91.add_subcommand("feed", "link and both stations in one process: makes keys for two KMEs");
  const auto options = options_of<e91::station::FeedProcessConfig>(*verb, context, run_e91_feed);
  add_link_file(*verb, options->link_file);
  add_block_bits(*verb, options->block_bits);
  add_eve(*verb, options->eve, options->eve_file);
  add_kme(*verb, "-a", "Alice's", options->kme_a);
  add_kme(*verb, "-b", "Bob's", options->kme_b);
  verb->add_file("--kme-ca", options->kme_a.tls.authorities,
                 "authorities that may have issued both KMEs' certificates, PEM")
      ->required();
  verb->add_option("--kme-link", options->kme_a.link, "name of the link at both KMEs")->required();
  verb->add_flag("--kme-tls12", options->kme_a.tls.allow_tls_1_2, "allow TLS 1.2 to the KMEs; otherwise only 1.3");
  verb->add_file("--kme-crl", options->kme_a.tls.revoked,
                 "revocation lists of those authorities, PEM; without them revocation is not checked");
  set_help(*verb,
           {.notes = "The stations' pad begins with random bytes of this process. The keys are simulated.\n--config "
                     "FILE is another name for --options FILE: a file of these options, as qsp e91 lab writes it.",
            .examples = {"qsp e91 lab lab && qsp e91 feed --config lab/feed.toml"},
            .done = "ended by a signal",
            .failed = "did not start: one line on standard error says why"});
}

void add_lab(Command& e91, Context& context) {
  Command* const verb =
      e91.add_subcommand("lab", "make everything that a link, two stations and two KMEs need, in a new folder");
  const auto options = options_of<E91LabOptions>(*verb, context, run_e91_lab);
  verb->add_option("DIR", options->folder, "a folder that does not exist yet")->required();
  verb->add_checked("--port", options->port, "port of the first KME; the next five are used too", range(1, 65'530));
  set_help(*verb, {.examples = {"qsp e91 lab lab && cat lab/README.md"}});
}

}  // namespace

void add_e91_processes(Command& e91, Context& context) {
  add_link(e91, context);
  add_station(e91, context, e91::Side::Alice);
  add_station(e91, context, e91::Side::Bob);
  add_feed(e91, context);
  add_lab(e91, context);
}

}  // namespace qsp::cli
