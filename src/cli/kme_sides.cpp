#include "cli/kme_sides.hpp"

namespace qsp::cli {

kme::check::CheckedSide master_side(const KmeCheckOptions& options) {
  return {.url = options.url,
          .tls = {.certificate = options.certificate,
                  .key = options.key,
                  .authorities = options.authorities,
                  .revoked = options.revoked,
                  .allow_tls_1_2 = options.allow_tls_1_2},
          .server_name = options.server_name,
          .sae_id = options.sae_id};
}

kme::check::CheckedSide slave_side(const KmeCheckOptions& options) {
  return {.url = options.slave_url,
          .tls = {.certificate = options.slave_certificate,
                  .key = options.slave_key,
                  .authorities = options.authorities,
                  .revoked = options.revoked,
                  .allow_tls_1_2 = options.allow_tls_1_2},
          .server_name = options.slave_server_name,
          .sae_id = options.slave_sae_id};
}

}  // namespace qsp::cli
