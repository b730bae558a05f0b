# AWS-LC, the second library of cryptography, where there is one. It is what tools/setup-awslc makes, so that its names bear a prefix
# and are hidden: AWSLC_ROOT_DIR says where, as a variable or in the environment, which is remembered; OFF is none.
# Its headers are called openssl/… as OpenSSL's are. So no room but src/crypto/awslc may be linked with the target AWSLC::Crypto,
# and no target that is linked with OpenSSL::Crypto.
option(QSP_AWSLC "Use AWS-LC beside OpenSSL, where AWSLC_ROOT_DIR names one" ON)
set(AWSLC_ROOT "${AWSLC_ROOT_DIR}")
if(NOT AWSLC_ROOT AND DEFINED ENV{AWSLC_ROOT_DIR})
  set(QSP_AWSLC_ROOT "$ENV{AWSLC_ROOT_DIR}" CACHE INTERNAL "What AWSLC_ROOT_DIR was in the environment, when it last was there")
endif()
if(NOT AWSLC_ROOT)
  set(AWSLC_ROOT "${QSP_AWSLC_ROOT}")
endif()
if(NOT QSP_AWSLC OR NOT AWSLC_ROOT)
  set(QSP_AWSLC OFF)
  message(STATUS "AWS-LC: none; the program is built on OpenSSL alone")
  return()
endif()

cmake_path(NORMAL_PATH AWSLC_ROOT)
set(AWSLC_ARCHIVE "${AWSLC_ROOT}/lib/libqsp_awslc_crypto.a")
set(AWSLC_INCLUDE_DIR "${AWSLC_ROOT}/include")
foreach(file IN ITEMS ${AWSLC_ARCHIVE} ${AWSLC_ROOT}/awslc.version ${AWSLC_INCLUDE_DIR}/openssl/base.h ${AWSLC_INCLUDE_DIR}/aws-lc/ml_dsa.h
        ${AWSLC_INCLUDE_DIR}/aws-lc/ml_kem.h)
  if(NOT EXISTS "${file}")
    message(FATAL_ERROR "AWSLC_ROOT_DIR: no ${file}. It has to be what tools/setup-awslc prints, or OFF.")
  endif()
endforeach()
file(READ "${AWSLC_ROOT}/awslc.version" about)
string(REGEX REPLACE ".*version ([^\n]*)\n.*" "\\1" AWSLC_VERSION "${about}")
string(REGEX REPLACE ".*prefix ([^\n]*)\n.*" "\\1" AWSLC_PREFIX "${about}")
if(NOT AWSLC_PREFIX MATCHES "^qsp_awslc_[0-9_]+$")
  message(FATAL_ERROR "AWSLC_ROOT_DIR: ${AWSLC_ROOT}/awslc.version names no prefix that is this program's alone")
endif()

find_package(Threads REQUIRED)
add_library(AWSLC::Crypto STATIC IMPORTED)
# As the system's, before every folder that is the compiler's own: what they declare is not ours to warn of.
set_target_properties(AWSLC::Crypto PROPERTIES
  IMPORTED_LOCATION "${AWSLC_ARCHIVE}" IMPORTED_LINK_INTERFACE_LANGUAGES C
  INTERFACE_INCLUDE_DIRECTORIES "${AWSLC_INCLUDE_DIR}" INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${AWSLC_INCLUDE_DIR}"
  INTERFACE_COMPILE_DEFINITIONS "BORINGSSL_PREFIX=${AWSLC_PREFIX}" INTERFACE_LINK_LIBRARIES Threads::Threads)
set(QSP_AWSLC ON)
message(STATUS "AWS-LC: ${AWSLC_VERSION}, ${AWSLC_ARCHIVE}")
