#include "cli/kme/options.hpp"

#include "cli/command.hpp"

namespace qsp::cli {

void add_kme_trust(Command& verb, std::string& revoked, std::string& name, bool& tls12) {
  verb.add_file("--kme-crl", revoked,
                "revocation lists of those authorities, PEM; without them revocation is not checked");
  verb.add_option("--kme-name", name, "name in the KME's certificate, if it is not the URL's host")->type_name("NAME");
  verb.add_flag("--kme-tls12", tls12, "allow TLS 1.2 to the KME; otherwise only 1.3");
}

void add_kme_options(Command& verb, node::KmeAccess& access) {
  verb.add_option(
          "--kme", access.urls,
          "KME (ETSI GS QKD 014) with the QKD keys of all peers without a pad; if it has several servers, best first")
      ->type_name("URL");
  verb.add_file("--kme-cert", access.certificate, "this end's certificate for the KME, PEM");
  verb.add_file("--kme-key", access.key, "private key of that certificate, PEM, a private file (0600)");
  verb.add_file("--kme-ca", access.authorities, "authorities that may have issued the KME's certificate, PEM");
  add_kme_trust(verb, access.revoked, access.name, access.tls12);
  verb.add_flag(
      "--kme-unclean-end", access.unclean_end,
      "accept an answer without a length, if it is whole JSON, from a KME whose TLS ends without close_notify");
}

}  // namespace qsp::cli
