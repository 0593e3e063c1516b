llm_test(router_prices_test
  SOURCES
    price_book_test.cc price_examples_test.cc price_list_test.cc
    price_property_test.cc
  LIBS llm::router_prices llm::test_support)
target_compile_definitions(router_prices_test PRIVATE
  LLM_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
