// OpenSSL and AWS-LC in one program: each verifies what the other signs.
#include <qsp/awslc.hpp>
#include <qsp/openssl.hpp>

#include <iostream>

int main() {
  const auto openssl = qsp::crypto::make_openssl_provider().value();
  const auto awslc = qsp::crypto::make_awslc_provider().value();
  const auto message = qsp::as_bytes("both");
  for (const auto& [ours, theirs] : {std::pair(openssl.get(), awslc.get()), std::pair(awslc.get(), openssl.get())}) {
    const auto pem = ours->generate_private_key(qsp::crypto::SignatureId::MlDsa65, {}).value();
    const auto key = ours->load_signer(pem.reveal_text(), {}).value();
    const auto signature = key->sign(message, ours->rng()).value();
    if (!theirs->verifier(key->public_key()).value()->verify(message, signature)) return 1;
  }
  std::cout << "each signs what the other verifies\n";
}
