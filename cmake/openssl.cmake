# The OpenSSL that everything is made with. The system's own is linked as any library is. One that stands elsewhere, as
# tools/setup-openssl makes it in the builder's cache, becomes part of the program where it comes as an archive: a path to it in
# the program would name a folder that other users cannot read, or that somebody else may write to.
set(root "${OPENSSL_ROOT_DIR}")
if(NOT root)
  set(root "$ENV{OPENSSL_ROOT_DIR}")
endif()
cmake_path(NORMAL_PATH root)
if(root AND NOT root MATCHES "^/usr/?$")
  file(GLOB archives LIST_DIRECTORIES false "${root}/lib*/libcrypto.a" "${root}/lib/*/libcrypto.a")
  if(archives)
    set(OPENSSL_USE_STATIC_LIBS ON)
    if(OPENSSL_CRYPTO_LIBRARY AND NOT OPENSSL_CRYPTO_LIBRARY MATCHES "\\.a$")
      unset(OPENSSL_CRYPTO_LIBRARY CACHE)  # of a configuration before
      unset(OPENSSL_SSL_LIBRARY CACHE)
    endif()
  endif()
endif()
find_package(OpenSSL 3.5 REQUIRED)
