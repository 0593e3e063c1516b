# Makes the source file that defines BuiltInPrices() from prices.json.
file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "// Made from router/prices.json by embed_prices.cmake.
#include \"router/price_book.h\"

namespace llm {

std::string_view BuiltInPrices() {
  return R\"prices(${text})prices\";
}

}  // namespace llm
")
