#pragma once

#include <memory>

#include "qsp/crypto.hpp"
#include "qsp/export.hpp"

namespace qsp::crypto {

/// The provider over AWS-LC: every KEM and AEAD of the suite table, ML-DSA, Ed25519 and their composite; no SLH-DSA.
/// All of AWS-LC's names bear a prefix of their own, so OpenSSL may be in the same program. KEMs must not outlive the
/// provider; all else may. Only where QSP was built with AWS-LC.
QSP_EXPORT Result<std::unique_ptr<Provider>> make_awslc_provider();

}  // namespace qsp::crypto
