# qsp_room(name SOURCES … USES …): one room of src/ as one static library, qsp_<name>, that links only what it may use.
# TEMPLATES marks a room that is slow to compile for its libraries' headers, PRECOMPILE lists the largest of them, and
# PRECOMPILED_BY names another room whose list serves as well. Sources still include what they use: QSP_PCH=OFF must build.
# PROVIDED_BY names libraries that may be absent, and without which there is no such room; nothing of them passes on to the rooms
# that use it, but the definition of QSP_HAS_<ROOM> (as QSP_HAS_CRYPTO_AWSLC), with which these ask for it.
# The link graph is the dependency rule; tests/rooms checks the includes against the same lists.
function(qsp_room name)
  cmake_parse_arguments(ROOM "TEMPLATES" "PRECOMPILED_BY" "SOURCES;USES;LIBRARIES;PROVIDED_BY;PRECOMPILE" ${ARGN})
  string(REPLACE "/" "_" target "qsp_${name}")
  # The rules are the same where the room is absent.
  set_property(GLOBAL APPEND_STRING PROPERTY QSP_ROOM_RULES "${name}: ${ROOM_USES}\n")
  foreach(library IN LISTS ROOM_PROVIDED_BY)
    if(NOT TARGET ${library})
      set_property(GLOBAL APPEND PROPERTY QSP_ABSENT_ROOMS ${name})
      return()
    endif()
  endforeach()
  add_library(${target} STATIC ${ROOM_SOURCES})
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${target} PRIVATE qsp_options)
  if(QSP_SANITIZE AND ROOM_TEMPLATES)
    target_link_libraries(${target} PRIVATE qsp_compile_fast)
  endif()
  # What a room offers to other rooms no shared library shows to others: include/qsp marks what it does (cmake/library.cmake).
  set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  get_property(absent GLOBAL PROPERTY QSP_ABSENT_ROOMS)
  if(absent AND ROOM_USES)
    list(REMOVE_ITEM ROOM_USES ${absent})
  endif()
  foreach(used IN LISTS ROOM_USES)
    string(REPLACE "/" "_" used_target "qsp_${used}")
    target_link_libraries(${target} PUBLIC ${used_target})
    set_property(GLOBAL APPEND PROPERTY QSP_USES_${target} ${used_target})
  endforeach()
  target_link_libraries(${target} PUBLIC ${ROOM_LIBRARIES} PRIVATE ${ROOM_PROVIDED_BY})
  if(ROOM_PROVIDED_BY)
    string(TOUPPER "QSP_HAS_${name}" present)
    string(MAKE_C_IDENTIFIER "${present}" present)
    target_compile_definitions(${target} INTERFACE ${present})
  endif()
  if(QSP_PCH AND ROOM_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE ${ROOM_PRECOMPILE})
  elseif(QSP_PCH AND ROOM_PRECOMPILED_BY)
    string(REPLACE "/" "_" owner "qsp_${ROOM_PRECOMPILED_BY}")
    target_precompile_headers(${target} REUSE_FROM ${owner})
  endif()
  # The sources of a room include much the same headers: read once for several of them, they cost half as much.
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${QSP_UNITY} UNITY_BUILD_BATCH_SIZE 8)
  if(QSP_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC takes a source that is read into another for a header, in which an unnamed namespace would be a mistake.
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
endfunction()
