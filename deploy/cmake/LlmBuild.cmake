# Compiler settings, dependencies and the two helpers that every room uses.

find_program(LLM_CCACHE ccache)
if(LLM_CCACHE)
  # Sloppiness: what ccache needs to cache through precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${LLM_CCACHE})
endif()
find_program(LLM_MOLD mold)
if(LLM_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(absl REQUIRED)
if(NOT LLM_CLIENT_ONLY)
  find_package(Boost 1.81 REQUIRED)
  find_package(CURL REQUIRED)
  find_package(OpenSSL REQUIRED)
  find_package(SQLite3 REQUIRED)
  find_package(spdlog REQUIRED)
  find_package(yaml-cpp REQUIRED)
  find_package(prometheus-cpp CONFIG REQUIRED COMPONENTS core)
  find_package(CLI11 REQUIRED)
endif()
if(LLM_BUILD_TESTS)
  find_package(Catch2 2 REQUIRED)
endif()
if(LLM_BUILD_GRPC)
  find_package(gRPC CONFIG REQUIRED)
endif()

# Linked PRIVATE by every target of ours.
add_library(llm_build INTERFACE)
target_compile_options(llm_build INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wunused-result
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  # Clang counts it to -Wconversion; GCC, whose verdict counts, does not.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>
  # GCC 12 reports phantom uninitialised uses inside coroutine frames, and
  # takes Asio's frame allocator for a mismatch.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>
  # GCC 12 at -O2 sees overflows in inlined std::string that are not there
  # (its bug 105651 and kin).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>
  # One file of several: what is in an anonymous namespace looks shared.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:${CMAKE_UNITY_BUILD}>>:-Wno-subobject-linkage>
  $<$<BOOL:${LLM_WERROR}>:-Werror>)
if(LLM_SANITIZE)
  add_compile_options(-fsanitize=${LLM_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${LLM_SANITIZE})
  if(LLM_SANITIZE MATCHES "fuzzer")
    # A fuzzer learns of undefined behaviour only by a crash.
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
  if(LLM_SANITIZE MATCHES "thread")
    # Asio's fences are invisible to TSan; GCC 12 warns about its own fences.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
    # Under TSan protobuf's map fields have two more members in its headers
    # than in the distribution's library, and code that meets both crashes. So
    # nobody is told but libstdc++, whose shared pointers need to know.
    add_compile_options($<$<CXX_COMPILER_ID:GNU>:-U__SANITIZE_THREAD__>)
    add_compile_definitions($<$<CXX_COMPILER_ID:GNU>:_GLIBCXX_TSAN=1>)
    target_compile_options(llm_build INTERFACE
      $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
endif()

# Optimised by what runs under load. Counts lie beside the objects, so both builds
# are in one directory; what never ran while counting is compiled for size.
if(LLM_PROFILE AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  message(FATAL_ERROR "LLM_PROFILE needs GCC, whose counts it uses")
elseif(LLM_PROFILE STREQUAL "make")
  add_compile_options(-fprofile-generate -fprofile-update=prefer-atomic)
  add_link_options(-fprofile-generate)
elseif(LLM_PROFILE STREQUAL "use")
  file(GLOB_RECURSE counts ${PROJECT_BINARY_DIR}/server/*.gcda)
  if(NOT counts)
    message(FATAL_ERROR "nothing was counted in ${PROJECT_BINARY_DIR}: build with "
      "LLM_PROFILE=make first and play it a load; deploy/train does all three")
  endif()
  # Files that never ran have no counts; counts of another source are an error.
  add_compile_options(-fprofile-use -fprofile-correction -Wno-missing-profile
    -flto=auto)
  add_link_options(-flto=auto)
elseif(LLM_PROFILE)
  message(FATAL_ERROR "LLM_PROFILE is make or use, not '${LLM_PROFILE}'")
endif()

# Frames of coroutines up to 1 KiB that a loop keeps for the next: a chunk goes
# through seven of them. A sanitizer must see each of them freed.
set(kept_frames 16)
if(LLM_SANITIZE)
  set(kept_frames 1)
endif()

# Asio without its deprecated parts, one awaitable type everywhere.
add_library(llm_asio INTERFACE)
target_include_directories(llm_asio SYSTEM INTERFACE ${Boost_INCLUDE_DIRS})
target_compile_definitions(llm_asio INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_HAS_CO_AWAIT
  BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=${kept_frames})
target_link_libraries(llm_asio INTERFACE Threads::Threads)

# Headers compiled once for a target, or those of another one: PCH and PCH_OF.
function(llm_headers target headers other)
  if(other)
    target_precompile_headers(${target} REUSE_FROM ${other})
  elseif(headers)
    target_precompile_headers(${target} PRIVATE ${headers})
  endif()
endfunction()

# llm_library(NAME SOURCES… PUBLIC libs… PRIVATE libs…): one static library of
# the house, `llm_NAME` with the alias `llm::NAME`.
function(llm_library name)
  cmake_parse_arguments(ARG "" "PCH_OF" "SOURCES;PUBLIC;PRIVATE;PCH" ${ARGN})
  add_library(llm_${name} STATIC ${ARG_SOURCES})
  add_library(llm::${name} ALIAS llm_${name})
  target_include_directories(llm_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(llm_${name} PUBLIC ${ARG_PUBLIC}
    PRIVATE ${ARG_PRIVATE} llm_build)
  llm_headers(llm_${name} "${ARG_PCH}" "${ARG_PCH_OF}")
endfunction()

# GCC 12's TSan aborts where the kernel spreads mappings over more than 28
# bits; setarch -R turns that off, unless a container forbids it.
set(LLM_TEST_LAUNCHER)
if(LLM_SANITIZE MATCHES "thread")
  find_program(LLM_SETARCH setarch)
  if(LLM_SETARCH)
    execute_process(COMMAND ${LLM_SETARCH} -R true
      RESULT_VARIABLE setarch_failed OUTPUT_QUIET ERROR_QUIET)
    if(setarch_failed EQUAL 0)
      set(LLM_TEST_LAUNCHER ${LLM_SETARCH} -R)
    endif()
  endif()
endif()

# Catch2's macros cost an optimiser more than they gain from it.
function(llm_unoptimised target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Debug>:-O0>)
endfunction()

# llm_test(NAME SOURCES… LIBS…): one Catch2 binary, one ctest entry for it.
function(llm_test name)
  cmake_parse_arguments(ARG "" "PCH_OF" "SOURCES;LIBS;PCH" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} llm_test_main llm_build)
  llm_unoptimised(${name})
  llm_headers(${name} "${ARG_PCH}" "${ARG_PCH_OF}")
  add_test(NAME ${name} COMMAND ${LLM_TEST_LAUNCHER} $<TARGET_FILE:${name}>)
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()
