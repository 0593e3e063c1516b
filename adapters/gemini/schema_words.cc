#include "adapters/gemini/schema_words.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "adapters/core/text.h"

namespace llm::gemini {
namespace {

using sv = std::string_view;

constexpr sv kSilent[] = {"$schema",     "$comment",      "$vocabulary",
                          "$id",         "$anchor",       "$defs",
                          "definitions", "$dynamicAnchor"};

constexpr sv kWords[] = {
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
    "type",
    "format",
    "title",
    "description",
    "enum",
    "const",
    "default",
    "example",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "nullable",
    "items",
    "prefixItems",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "minContains",
    "maxContains",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "properties",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "required",
    "minProperties",
    "maxProperties",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "propertyOrdering",
    "anyOf",
    "oneOf",
    "allOf",
    "not",
    "if",
    "then",
    "else",
    "discriminator",
};

}  // namespace

void SchemaLosses::Add(std::string_view keyword) {
  if (Among(kSilent, keyword)) return;
  const bool known = Among(kWords, keyword);
  dropped_.Add(path_ + "." + std::string(known ? keyword : sv("*")));
}

bool IsSchema(JsonValue value) { return value.is_object() || value.is_bool(); }

bool IsSchemaList(JsonValue value) {
  if (!value.is_array() || value.size() == 0) return false;
  for (JsonValue v = value.First(); v; v = v.Next()) {
    if (!IsSchema(v)) return false;
  }
  return true;
}

bool IsSchemaMap(JsonValue value) {
  if (!value.is_object()) return false;
  for (JsonValue v = value.First(); v; v = v.Next()) {
    if (!IsSchema(v)) return false;
  }
  return true;
}

std::string TypeName(JsonValue value) {
  const std::string name = absl::AsciiStrToLower(value.StringOr());
  for (const sv type :
       {"string", "number", "integer", "boolean", "array", "object", "null"}) {
    if (type == name) return name;
  }
  return {};
}

}  // namespace llm::gemini
