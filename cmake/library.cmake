# libqsp: the rooms as libraries for programs that embed QSP, one for each component, static and shared (docs/embedding.md).
# Their interface is include/qsp. `cmake --install BUILD --component library` installs them; then find_package(qsp COMPONENTS …)
# and pkg-config find them. Without that component `cmake --install` takes the program alone, which may be all that was built.
include(CMakePackageConfigHelpers)

# Counts the binary interfaces: the number in the SONAME. It is raised where a program that was linked before would break.
set(QSP_ABI 1)
# A sanitizer's run-time library is the program's, so a shared library under one could not be linked by itself.
if(QSP_SANITIZE)
  set(kinds static)
else()
  set(kinds static shared)
endif()

# The targets of these rooms and of all that they use.
function(qsp_rooms_below result)
  set(found "")
  set(todo ${ARGN})
  while(todo)
    list(POP_FRONT todo room)
    if(NOT room IN_LIST found)
      list(APPEND found ${room})
      get_property(used GLOBAL PROPERTY QSP_USES_${room})
      list(APPEND todo ${used})
    endif()
  endwhile()
  set(${result} ${found} PARENT_SCOPE)
endfunction()

qsp_rooms_below(core_rooms qsp_channel)

# What a library of ours is linked with, as pkg-config says it to whoever links statically. They are named as libraries and not
# as packages: then a program that uses the shared ones needs no package of theirs. What the system's libcrypto needs in turn its
# own package says; one that is no part of the system is an archive, whose place only its user knows.
set(pc_Threads::Threads "-pthread")
set(pc_fmt::fmt "-lfmt")
set(pc_OpenSSL::Crypto "-lcrypto -ldl -pthread")
if(NOT OPENSSL_CRYPTO_LIBRARY MATCHES "\\.a$")
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(QSP_LIBCRYPTO QUIET libcrypto>=3.5)
  endif()
  if(QSP_LIBCRYPTO_FOUND)
    list(JOIN QSP_LIBCRYPTO_STATIC_LDFLAGS " " pc_OpenSSL::Crypto)
  endif()
endif()
set(pc_AWSLC::Crypto "-lqsp_awslc_crypto -pthread")
file(RELATIVE_PATH pc_up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" pc_up "${pc_up}")

# qsp_component(name ROOM … OUTPUT … NEEDS … LIBRARIES … BRINGS … ABOUT …): the component `name` is ROOM and what it uses beyond the
# components that it NEEDS, as libOUTPUT. LIBRARIES: of others, that its rooms are linked with. BRINGS: an archive that they are
# linked with and that is on no system; it is installed beside, as a target of ours whose headers nobody sees.
function(qsp_component name)
  cmake_parse_arguments(COMPONENT "" "ROOM;OUTPUT;ABOUT;BRINGS" "NEEDS;LIBRARIES" ${ARGN})
  set_property(GLOBAL APPEND PROPERTY QSP_COMPONENTS ${name})
  qsp_rooms_below(rooms qsp_${COMPONENT_ROOM})
  if(NOT name STREQUAL core)
    list(REMOVE_ITEM rooms ${core_rooms})
  endif()
  list(TRANSFORM rooms REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
  foreach(kind IN LISTS kinds)
    set(target qsp_${kind}_${name})
    string(TOUPPER ${kind} type)
    add_library(${target} ${type} ${objects})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${COMPONENT_OUTPUT} EXPORT_NAME ${name} LINKER_LANGUAGE CXX)
    target_compile_features(${target} INTERFACE cxx_std_23)
    target_include_directories(${target} INTERFACE
      "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include;${PROJECT_BINARY_DIR}/include>" $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    foreach(needed IN LISTS COMPONENT_NEEDS)
      target_link_libraries(${target} INTERFACE qsp_${kind}_${needed})
    endforeach()
    install(TARGETS ${target} EXPORT qsp-${kind}
      ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library EXCLUDE_FROM_ALL
      LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library EXCLUDE_FROM_ALL)
  endforeach()
  target_link_libraries(qsp_static_${name} INTERFACE ${COMPONENT_LIBRARIES})
  if(COMPONENT_BRINGS)
    target_link_libraries(qsp_static_${name} INTERFACE
      $<BUILD_INTERFACE:$<LINK_ONLY:${COMPONENT_BRINGS}>> $<INSTALL_INTERFACE:$<LINK_ONLY:qsp::${name}_archive>>)
    get_target_property(archive ${COMPONENT_BRINGS} IMPORTED_LOCATION)
    install(FILES ${archive} DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library EXCLUDE_FROM_ALL)
  endif()
  add_library(qsp::${name} ALIAS qsp_static_${name})
  if(shared IN_LIST kinds)
    qsp_link_shared(${name} "${COMPONENT_NEEDS}" "${COMPONENT_LIBRARIES};${COMPONENT_BRINGS}")
  endif()
  qsp_describe_to_pkg_config(${COMPONENT_OUTPUT} "${COMPONENT_ABOUT}" "${COMPONENT_NEEDS}" "${COMPONENT_LIBRARIES};${COMPONENT_BRINGS}")
endfunction()

# A shared library shows what symbols.map lets through. What it uses of the core's rooms and is hidden in libqsp.so, it has as
# a copy of its own, equally hidden.
function(qsp_link_shared name needs libraries)
  set(target qsp_shared_${name})
  list(TRANSFORM needs PREPEND qsp_shared_)
  if(NOT name STREQUAL core)
    list(APPEND libraries qsp_channel)
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN")
  endif()
  target_link_libraries(${target} PRIVATE ${needs} ${libraries})
  set_target_properties(${target} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${QSP_ABI}
    LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/symbols.map)
  target_link_options(${target} PRIVATE LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/symbols.map
    LINKER:--exclude-libs,ALL LINKER:-z,defs)
endfunction()

function(qsp_describe_to_pkg_config file about needs libraries)
  set(PC_NAME ${file})
  set(PC_ABOUT "${about}")
  list(TRANSFORM needs REPLACE "(.+)" "qsp-\\1")
  list(TRANSFORM needs REPLACE "^qsp-core$" "qsp")
  list(TRANSFORM needs APPEND " = ${PROJECT_VERSION}")
  list(JOIN needs ", " PC_REQUIRES)
  set(private "")
  foreach(library IN LISTS libraries)
    list(APPEND private ${pc_${library}})
  endforeach()
  list(REMOVE_DUPLICATES private)
  list(JOIN private " " PC_PRIVATE)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/qsp.pc.in ${PROJECT_BINARY_DIR}/${file}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${file}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library EXCLUDE_FROM_ALL)
endfunction()

qsp_component(core ROOM channel OUTPUT qsp ABOUT "QSP, the Quantum-Safe Protocol: a session without I/O")
qsp_component(openssl ROOM crypto_openssl OUTPUT qsp-openssl NEEDS core LIBRARIES OpenSSL::Crypto
  ABOUT "The cryptography of QSP by OpenSSL")
if(TARGET qsp_crypto_awslc)
  qsp_component(awslc ROOM crypto_awslc OUTPUT qsp-awslc NEEDS core BRINGS AWSLC::Crypto ABOUT "The cryptography of QSP by AWS-LC")
  install(FILES ${AWSLC_ROOT}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME LICENSE.AWS-LC COMPONENT library EXCLUDE_FROM_ALL)
endif()
qsp_component(identity ROOM identity OUTPUT qsp-identity NEEDS core LIBRARIES fmt::fmt Threads::Threads
  ABOUT "Key files and pinned peers of QSP")
qsp_component(qkd ROOM keysource OUTPUT qsp-qkd NEEDS core LIBRARIES Threads::Threads ABOUT "QKD keys for QSP from pad files")
qsp_component(tcp ROOM driver OUTPUT qsp-tcp NEEDS core LIBRARIES fmt::fmt Threads::Threads ABOUT "QSP over TCP")

get_property(QSP_COMPONENTS GLOBAL PROPERTY QSP_COMPONENTS)
# `./dev build library`: all of these.
add_custom_target(library)
foreach(kind IN LISTS kinds)
  foreach(name IN LISTS QSP_COMPONENTS)
    add_dependencies(library qsp_${kind}_${name})
  endforeach()
endforeach()

list(JOIN QSP_COMPONENTS " " QSP_COMPONENTS)
set(config ${CMAKE_INSTALL_LIBDIR}/cmake/qsp)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/qspConfig.cmake.in ${PROJECT_BINARY_DIR}/qspConfig.cmake
  INSTALL_DESTINATION ${config} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/qspConfigVersion.cmake COMPATIBILITY SameMajorVersion)
foreach(kind IN LISTS kinds)
  install(EXPORT qsp-${kind} NAMESPACE qsp:: FILE qsp-${kind}.cmake DESTINATION ${config} COMPONENT library EXCLUDE_FROM_ALL)
endforeach()
install(FILES ${PROJECT_BINARY_DIR}/qspConfig.cmake ${PROJECT_BINARY_DIR}/qspConfigVersion.cmake DESTINATION ${config} COMPONENT library EXCLUDE_FROM_ALL)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/qsp ${PROJECT_BINARY_DIR}/include/qsp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT library EXCLUDE_FROM_ALL FILES_MATCHING PATTERN "*.hpp")
