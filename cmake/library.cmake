# SPDX-License-Identifier: MIT
# The library: objects, libiocp.a, libiocp.so, the inside archive for unit tests, installation.

set(include_dirs ${PROJECT_SOURCE_DIR}/include/iocp ${PROJECT_SOURCE_DIR}/include)

file(GLOB iocp_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/*/*.c)
if(NOT iocp_sources)
  message(FATAL_ERROR "no sources below src/")
endif()

add_library(iocp_objects OBJECT ${iocp_sources})
set_target_properties(iocp_objects PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
target_include_directories(iocp_objects PRIVATE ${PROJECT_SOURCE_DIR}/src ${include_dirs})
# Empty on purpose: a file that says "#define _GNU_SOURCE" itself then repeats the same definition.
target_compile_definitions(iocp_objects PRIVATE "_GNU_SOURCE=" IOCP_BUILDING=1)
target_compile_options(iocp_objects PRIVATE -fno-strict-aliasing -pthread)
if(IOCP_CHECKS)
  target_compile_definitions(iocp_objects PRIVATE IOCP_DEBUG=1)
else()
  target_compile_definitions(iocp_objects PRIVATE NDEBUG=1)
endif()
if(URING_FOUND)
  message(STATUS "io_uring: liburing ${URING_VERSION}")
  target_compile_definitions(iocp_objects PRIVATE IOCP_HAVE_LIBURING=1)
  target_link_libraries(iocp_objects PRIVATE PkgConfig::URING)
  set(IOCP_LIBS_PRIVATE "-luring -lpthread")
  set(IOCP_LINK_PRIVATE ${URING_LINK_LIBRARIES})
else()
  message(STATUS "io_uring: liburing not found or not wanted, files go to threads")
  set(IOCP_LIBS_PRIVATE "-lpthread")
endif()

# What unit tests link: the same objects with the inner names still visible.
add_library(iocp_inside STATIC $<TARGET_OBJECTS:iocp_objects>)
target_link_libraries(iocp_inside PUBLIC ${IOCP_LINK_PRIVATE} Threads::Threads)
if(IOCP_CHECKS)
  target_compile_definitions(iocp_inside PUBLIC IOCP_DEBUG=1)
endif()
# IOCP_BUILDING: statuses are unsigned inside, see ntstatus.h.
target_compile_definitions(iocp_inside PUBLIC IOCP_BUILDING=1)
target_include_directories(iocp_inside PUBLIC ${PROJECT_SOURCE_DIR}/src ${include_dirs})

# libiocp.a is one object with every inner (hidden) name made local, so that a program may call its own
# functions request_new() or list_add() and still link statically. Sanitizers bring section groups that
# do not survive this; there the objects go in as they are.
if(IOCP_SANITIZE OR NOT CMAKE_OBJCOPY)
  add_library(iocp_static STATIC $<TARGET_OBJECTS:iocp_objects>)
else()
  set(one ${CMAKE_CURRENT_BINARY_DIR}/iocp-one.o)
  add_custom_command(
    OUTPUT ${one}
    COMMAND ${CMAKE_LINKER} -r -o ${one} $<TARGET_OBJECTS:iocp_objects>
    COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${one}
    DEPENDS iocp_objects $<TARGET_OBJECTS:iocp_objects>
    COMMAND_EXPAND_LISTS VERBATIM
    COMMENT "Binding the objects into one, inner names local")
  add_library(iocp_static STATIC ${one})
  set_source_files_properties(${one} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
endif()

set(map ${PROJECT_SOURCE_DIR}/cmake/iocp.map)
add_library(iocp_shared SHARED $<TARGET_OBJECTS:iocp_objects>)
target_link_options(iocp_shared PRIVATE -Wl,--version-script=${map} -Wl,-z,nodelete)
if(NOT IOCP_SANITIZE) # a sanitizer's runtime is resolved by the program, not here
  target_link_options(iocp_shared PRIVATE -Wl,-z,defs)
endif()
set_target_properties(iocp_shared PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINK_DEPENDS ${map})
target_link_libraries(iocp_shared PRIVATE ${IOCP_LINK_PRIVATE} Threads::Threads)
target_link_libraries(iocp_static PRIVATE ${IOCP_LINK_PRIVATE} Threads::Threads)

foreach(lib iocp_static iocp_shared)
  set_target_properties(${lib} PROPERTIES OUTPUT_NAME iocp LINKER_LANGUAGE C)
  target_include_directories(${lib} INTERFACE
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include/iocp>" "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
    "$<INSTALL_INTERFACE:include/iocp>" "$<INSTALL_INTERFACE:include>")
endforeach()
set_target_properties(iocp_inside PROPERTIES LINKER_LANGUAGE C)
foreach(lib iocp_static iocp_shared)
  target_compile_options(${lib} INTERFACE -pthread)
endforeach()
# The names of the installed package, for those who take the tree in with add_subdirectory.
add_library(iocp::iocp ALIAS iocp_shared)
add_library(iocp::static ALIAS iocp_static)

# What is installed finds its own by the way from itself, so that an installed tree may be moved.
file(RELATIVE_PATH iocp_pc_to_prefix /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)
file(RELATIVE_PATH iocp_bin_to_lib /p/${CMAKE_INSTALL_BINDIR} /p/${CMAKE_INSTALL_LIBDIR})

# The command iocp-verify, and what it loads before a program. A sanitizer has a free() of its own.
if(NOT IOCP_SANITIZE)
  add_library(iocp_verify MODULE ${PROJECT_SOURCE_DIR}/preload/verify.c)
  set_target_properties(iocp_verify PROPERTIES OUTPUT_NAME iocp-verify C_VISIBILITY_PRESET hidden)
  target_compile_definitions(iocp_verify PRIVATE "_GNU_SOURCE=")
  target_link_libraries(iocp_verify PRIVATE ${CMAKE_DL_LIBS})
  configure_file(${PROJECT_SOURCE_DIR}/packaging/iocp-verify ${CMAKE_CURRENT_BINARY_DIR}/iocp-verify @ONLY)
  install(TARGETS iocp_verify DESTINATION ${CMAKE_INSTALL_LIBDIR}/iocp)
  install(PROGRAMS ${CMAKE_CURRENT_BINARY_DIR}/iocp-verify DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# What `make install` builds first: all that is installed, and no program of the tree.
add_custom_target(iocp_library DEPENDS iocp_static iocp_shared)
if(TARGET iocp_verify)
  add_dependencies(iocp_library iocp_verify)
endif()

# Installation. Nothing but iocp.h lands in include/ itself: windows.h and its kin stay one level down.
install(FILES ${PROJECT_SOURCE_DIR}/include/iocp.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/iocp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.H")
install(TARGETS iocp_static iocp_shared DESTINATION ${CMAKE_INSTALL_LIBDIR})

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/iocp)
foreach(file iocp.pc iocp-win32.pc)
  configure_file(${PROJECT_SOURCE_DIR}/packaging/${file}.in ${CMAKE_CURRENT_BINARY_DIR}/${file} @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${file} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
include(CMakePackageConfigHelpers)
configure_package_config_file(${PROJECT_SOURCE_DIR}/packaging/iocpConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/iocpConfig.cmake INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/iocpConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/iocpConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/iocpConfigVersion.cmake DESTINATION ${config_dir})

# Manual pages: one per family; every function of it gets a link of its own name, taken from the page's
# NAME line and, for the A and W forms, its synopsis.
set(man_dir ${CMAKE_INSTALL_DATAROOTDIR}/man)
install(FILES ${PROJECT_SOURCE_DIR}/man/iocp.7 DESTINATION ${man_dir}/man7)
file(GLOB iocp_pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/man/*.3iocp)
install(FILES ${iocp_pages} DESTINATION ${man_dir}/man3)
install(CODE "execute_process(COMMAND ${PROJECT_SOURCE_DIR}/scripts/man-links.sh
  \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${man_dir}/man3\" RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR \"man-links.sh: \${failed}\")
  endif()")
install(FILES ${PROJECT_SOURCE_DIR}/docs/DEVIATIONS.md ${PROJECT_SOURCE_DIR}/docs/PROMISES.md
  ${PROJECT_SOURCE_DIR}/docs/ARCHITECTURE.md ${PROJECT_SOURCE_DIR}/CHANGES.md ${PROJECT_SOURCE_DIR}/LICENSE
  DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/iocp)
