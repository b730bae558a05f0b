# How programs are linked. Every symbol is bound at the start, into a table that is read-only from then on.
add_link_options(LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack)

# An OpenSSL that is part of the program stays in it. libpq and libcurl bring the system's libcrypto into the same process; were the
# program's own among its dynamic symbols, they would be bound to it. Without a file of that name the option says nothing.
add_link_options(LINKER:--exclude-libs,libcrypto.a:libssl.a)

# A program says the same of its libraries wherever it stands. CMake would pad the path in the build tree's programs with an
# empty element, in order to change it when it installs them, and the loader takes that for the current folder.
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)
