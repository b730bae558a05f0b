# qsp_room(name SOURCES … USES …): one room of src/ as one static library, qsp_<name>, that links only what it may use.
# TEMPLATES marks a room that is slow to compile for its libraries' headers.
# The link graph is the dependency rule; tests/rooms checks the includes against the same lists.
function(qsp_room name)
  cmake_parse_arguments(ROOM "TEMPLATES" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  string(REPLACE "/" "_" target "qsp_${name}")
  add_library(${target} STATIC ${ROOM_SOURCES})
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${target} PRIVATE qsp_options)
  if(QSP_SANITIZE AND ROOM_TEMPLATES)
    target_link_libraries(${target} PRIVATE qsp_compile_fast)
  endif()
  foreach(used IN LISTS ROOM_USES)
    string(REPLACE "/" "_" used_target "qsp_${used}")
    target_link_libraries(${target} PUBLIC ${used_target})
  endforeach()
  target_link_libraries(${target} PUBLIC ${ROOM_LIBRARIES})
  set_property(GLOBAL APPEND_STRING PROPERTY QSP_ROOM_RULES "${name}: ${ROOM_USES}\n")
endfunction()
