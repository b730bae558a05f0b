#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/owned.hpp"

/// OpenSSL's objects, each with the one function that frees it. For every room that may include OpenSSL.
namespace qsp::crypto::openssl {

using Bio = Owned<BIO, BIO_free>;
using Certificate = Owned<X509, X509_free>;
using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using Cipher = Owned<EVP_CIPHER, EVP_CIPHER_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using DigestMethod = Owned<EVP_MD, EVP_MD_free>;
using KemMethod = Owned<EVP_KEM, EVP_KEM_free>;
using KeyExchangeMethod = Owned<EVP_KEYEXCH, EVP_KEYEXCH_free>;
using KeyManagement = Owned<EVP_KEYMGMT, EVP_KEYMGMT_free>;
using Pkcs8 = Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
using EncryptedPkcs8 = Owned<X509_SIG, X509_SIG_free>;
using Pkey = Owned<EVP_PKEY, EVP_PKEY_free>;
using PkeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using SignatureMethod = Owned<EVP_SIGNATURE, EVP_SIGNATURE_free>;

}  // namespace qsp::crypto::openssl
