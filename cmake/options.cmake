# Compiler options that every target of the project shares, as one interface target.
add_library(qsp_options INTERFACE)
target_compile_features(qsp_options INTERFACE cxx_std_23)
target_compile_options(qsp_options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(QSP_WERROR)
  target_compile_options(qsp_options INTERFACE -Werror)
endif()
if(QSP_SANITIZE)
  add_compile_options(-fsanitize=${QSP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${QSP_SANITIZE})
endif()

# What is compiled often and runs little is compiled fast: the tests, and under a sanitizer the rooms whose headers are large
# templates. There the optimiser took more than half of a whole run of the checks.
add_library(qsp_compile_fast INTERFACE)
if(QSP_SANITIZE)
  target_compile_options(qsp_compile_fast INTERFACE -O0 -g1)
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  target_compile_options(qsp_compile_fast INTERFACE -O1)
endif()

find_program(QSP_CCACHE ccache)
if(QSP_CCACHE)
  # The sloppiness is what ccache asks for where headers are precompiled. Clang would write times into them.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros ${QSP_CCACHE})
  if(QSP_PCH AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  endif()
endif()
