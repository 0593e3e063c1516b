// The words of JSON Schema that Gemini takes, and how losing one is named.
//
// Threads: Pure.
// Fact:    gemini.md section 2.2 (2026-11-20). `default` in a JSON schema is
//          not in Google's list, but the recorded exchanges have it.
#ifndef LLM_ADAPTERS_GEMINI_SCHEMA_WORDS_H_
#define LLM_ADAPTERS_GEMINI_SCHEMA_WORDS_H_

#include <string>
#include <string_view>

#include "adapters/core/json.h"
#include "adapters/dialect/dropped_fields.h"

namespace llm::gemini {

// What is lost of one schema. Names are `{path}.{keyword}` for the words of
// JSON Schema and `{path}.*` for all others, which a caller made up.
class SchemaLosses {
 public:
  SchemaLosses(std::string path, DroppedFields& dropped)
      : path_(std::move(path)), dropped_(dropped) {}
  // Decoration that constrains nothing and tells the model nothing
  // (`$schema`, `$comment`) is not named.
  void Add(std::string_view keyword);

 private:
  std::string path_;
  DroppedFields& dropped_;
};

// The right kind of value for a keyword; a wrong one would be refused.
bool IsSchema(JsonValue value);
bool IsSchemaList(JsonValue value);
bool IsSchemaMap(JsonValue value);
// One of JSON Schema's seven types, in lower case; empty for anything else.
std::string TypeName(JsonValue value);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_SCHEMA_WORDS_H_
