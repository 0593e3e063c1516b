// Both writers of schemas, and what each lost.
#ifndef LLM_TESTS_ADAPTERS_GEMINI_WRITTEN_SCHEMA_H_
#define LLM_TESTS_ADAPTERS_GEMINI_WRITTEN_SCHEMA_H_

#include <string>

#include "adapters/gemini/json_schema_writer.h"
#include "adapters/gemini/openapi_schema_writer.h"
#include "tests/adapters/gemini/gemini_request.h"

namespace llm::gemini {

struct Written {
  std::string text;
  std::string lost;
};

inline Written Json(const std::string& schema) {
  DroppedFields dropped;
  SchemaLosses losses("p", dropped);
  std::string text = WriteJsonSchema(schema, {}, losses);
  return {text, Joined(dropped.Take())};
}

inline Written OpenApi(const std::string& schema) {
  DroppedFields dropped;
  SchemaLosses losses("p", dropped);
  std::string text = WriteOpenApiSchema(schema, {}, losses);
  return {text, Joined(dropped.Take())};
}

}  // namespace llm::gemini

#endif  // LLM_TESTS_ADAPTERS_GEMINI_WRITTEN_SCHEMA_H_
