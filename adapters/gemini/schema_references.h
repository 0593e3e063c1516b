// What the references of one schema point at.
//
// Every object on the way is indexed once, so that many references into a
// large one cost what it costs to read them. And what they put in place is
// counted, since a few of them can stand for very much.
//
// Threads:   Not safe; one object per schema.
// Ownership: The root's document outlives the object.
#ifndef LLM_ADAPTERS_GEMINI_SCHEMA_REFERENCES_H_
#define LLM_ADAPTERS_GEMINI_SCHEMA_REFERENCES_H_

#include <cstddef>
#include <map>
#include <string>
#include <unordered_map>

#include "adapters/core/json.h"

namespace llm::gemini {

class SchemaReferences {
 public:
  explicit SchemaReferences(JsonValue root) : root_(root) {}

  // A JSON pointer into this schema ("#", "#/$defs/a"); kNone for an address
  // elsewhere, for a place that is not there, and when all that is put in
  // place has become too much.
  JsonValue Target(const std::string& ref);

 private:
  using Index = std::map<std::string, JsonValue>;

  JsonValue Find(const std::string& ref);
  JsonValue Member(JsonValue object, const std::string& name);

  JsonValue root_;
  // By where the object stands in the text.
  std::unordered_map<size_t, Index> indexes_;
  size_t bytes_ = 0;
};

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_SCHEMA_REFERENCES_H_
