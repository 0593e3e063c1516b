# The price book, with its list compiled in.
find_library(LLM_RE2 re2 REQUIRED)
find_path(LLM_RE2_INCLUDE re2/re2.h REQUIRED)

set(LLM_BUILT_IN_PRICES ${CMAKE_CURRENT_BINARY_DIR}/built_in_prices.cc)
add_custom_command(OUTPUT ${LLM_BUILT_IN_PRICES}
  COMMAND ${CMAKE_COMMAND}
    -DINPUT=${CMAKE_CURRENT_SOURCE_DIR}/prices.json
    -DOUTPUT=${LLM_BUILT_IN_PRICES}
    -P ${CMAKE_CURRENT_SOURCE_DIR}/embed_prices.cmake
  DEPENDS prices.json embed_prices.cmake VERBATIM)

llm_library(router_prices
  SOURCES
    price_book.cc price_cost.cc price_list.cc price_row.cc public_holidays.cc
    ${LLM_BUILT_IN_PRICES}
  PUBLIC llm::adapters_core absl::statusor absl::time
  PRIVATE absl::flat_hash_map absl::strings absl::str_format ${LLM_RE2})
target_include_directories(llm_router_prices SYSTEM PRIVATE ${LLM_RE2_INCLUDE})
# One literal; compilers take longer ones than the standard asks for.
set_source_files_properties(${LLM_BUILT_IN_PRICES} PROPERTIES
  COMPILE_OPTIONS $<$<CXX_COMPILER_ID:Clang>:-Wno-overlength-strings>)
