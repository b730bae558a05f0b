# libqsp: the rooms of the core and the OpenSSL provider as one static archive, for programs that embed QSP. Its interface is
# include/qsp. `cmake --install BUILD --component library` installs it; then find_package(qsp) offers qsp::qsp. Without that
# component `cmake --install` takes the program alone, which may be all that was built.
include(CMakePackageConfigHelpers)

set(rooms base wire crypto crypto_openssl schedule record record_stream handshake channel)
list(TRANSFORM rooms REPLACE "(.+)" "$<TARGET_OBJECTS:qsp_\\1>" OUTPUT_VARIABLE objects)
add_library(libqsp STATIC ${objects})
add_library(qsp::qsp ALIAS libqsp)
set_target_properties(libqsp PROPERTIES OUTPUT_NAME qsp EXPORT_NAME qsp LINKER_LANGUAGE CXX)
target_compile_features(libqsp INTERFACE cxx_std_23)
target_include_directories(libqsp INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(libqsp INTERFACE OpenSSL::Crypto)

set(config ${CMAKE_INSTALL_LIBDIR}/cmake/qsp)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/qspConfig.cmake.in ${PROJECT_BINARY_DIR}/qspConfig.cmake
  INSTALL_DESTINATION ${config} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/qspConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(TARGETS libqsp EXPORT qsp ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library EXCLUDE_FROM_ALL)
install(EXPORT qsp NAMESPACE qsp:: FILE qspTargets.cmake DESTINATION ${config} COMPONENT library EXCLUDE_FROM_ALL)
install(FILES ${PROJECT_BINARY_DIR}/qspConfig.cmake ${PROJECT_BINARY_DIR}/qspConfigVersion.cmake DESTINATION ${config} COMPONENT library EXCLUDE_FROM_ALL)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/qsp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library EXCLUDE_FROM_ALL)
