#include "adapters/anthropic/schema_subset.h"

#include <algorithm>
#include <span>

#include "absl/strings/str_cat.h"
#include "adapters/core/json.h"
#include "adapters/core/text.h"

namespace llm::anthropic {
namespace {

using sv = std::string_view;

// Copied as they are.
// Beyond any schema: there repeated keywords are not looked for.
constexpr size_t kMaxKeywords = 1000;
constexpr sv kCopied[] = {"$ref",  "type",  "required",    "enum",
                          "const", "title", "description", "default"};
// Objects whose members are schemas.
constexpr sv kMaps[] = {"$defs", "definitions", "properties"};
// Lists of schemas.
constexpr sv kLists[] = {"anyOf", "allOf", "oneOf"};
// They constrain nothing, so leaving them out loses nothing.
constexpr sv kDecoration[] = {"$schema",    "$id",      "$comment", "examples",
                              "deprecated", "readOnly", "writeOnly"};
constexpr sv kFormats[] = {"date-time", "time", "date", "duration", "email",
                           "hostname",  "uri",  "ipv4", "ipv6",     "uuid"};
// Refused at the root of a tool's schema: "input_schema does not support
// oneOf, allOf, or anyOf at the top level" (the API's own words, 2026-11).
constexpr sv kChoices[] = {"anyOf", "allOf", "oneOf"};

class Subset {
 public:
  Subset(sv name, DroppedFields* dropped, JsonWriter* out)
      : name_(name), dropped_(*dropped), out_(*out) {}

  void Schema(JsonValue schema);

 private:
  void Keyword(JsonValue value, JsonValue schema);
  void Drop(sv keyword) {
    dropped_.Add(absl::StrCat(ToAbsl(name_), ".", ToAbsl(keyword)));
  }

  const sv name_;
  DroppedFields& dropped_;
  JsonWriter& out_;
};

// An object by its type, or by what it says of members.
bool DescribesObject(JsonValue schema) {
  const JsonValue type = schema.Find("type");
  if (type.Equals("object") || schema.Find("properties").is_object()) {
    return true;
  }
  for (JsonValue v = type.is_array() ? type.First() : JsonValue(); v;
       v = v.Next()) {
    if (v.Equals("object")) return true;
  }
  return false;
}

void Subset::Schema(JsonValue schema) {
  if (!schema.is_object()) {
    // `true` and `false` are schemas of their own; neither is taken.
    if (schema.AsBool() != true) Drop("schema");
    return out_.Raw("{}");
  }
  out_.BeginObject();
  // A repeated keyword counts once: the last one, as everywhere.
  for (JsonValue v = schema.First(); v; v = v.Next()) {
    const bool last = schema.size() > kMaxKeywords ||
                      schema.Find(v.Key()).offset() == v.offset();
    if (last) Keyword(v, schema);
  }
  if (DescribesObject(schema)) {
    out_.Key("additionalProperties");
    out_.Bool(false);
  }
  out_.EndObject();
}

void Subset::Keyword(JsonValue value, JsonValue schema) {
  const std::string key = value.Key();
  const bool is_map = Among(kMaps, key) && value.is_object();
  const bool is_list = Among(kLists, key) && value.is_array();
  if (is_map) {
    out_.Key(key);
    out_.BeginObject();
    for (JsonValue v = value.First(); v; v = v.Next()) {
      out_.Key(v.Key());
      Schema(v);
    }
    return out_.EndObject();
  }
  if (is_list) {
    // Exactly one becomes at least one.
    if (key == "oneOf") Drop(key);
    if (key == "oneOf" && schema.Find("anyOf")) return;
    out_.Key(key == "oneOf" ? sv("anyOf") : sv(key));
    out_.BeginArray();
    for (JsonValue v = value.First(); v; v = v.Next()) Schema(v);
    return out_.EndArray();
  }
  if (key == "items" && !value.is_array()) {
    out_.Key(key);
    return Schema(value);
  }
  const bool known_format =
      key == "format" && Among(kFormats, value.StringOr());
  if (Among(kCopied, key) || known_format) {
    return out_.MemberRaw(key, value.raw());
  }
  const bool closed = key == "additionalProperties" && value.AsBool() == false;
  if (!closed && !Among(kDecoration, key)) Drop(key);
}

// Whether an object can be what an enum or a const says.
bool MayBeObject(JsonValue keyword) {
  if (keyword.KeyEquals("const")) return keyword.is_object();
  if (!keyword.KeyEquals("enum") || !keyword.is_array()) return true;
  for (JsonValue v = keyword.First(); v; v = v.Next()) {
    if (v.is_object()) return true;
  }
  return false;
}

// A type that is just an object, or none at all.
bool SaysObject(JsonValue type) {
  const bool alone = type.is_array() && type.size() == 1;
  return !type.has_value() || type.Equals("object") ||
         (alone && type.First().Equals("object"));
}

}  // namespace

std::string SchemaSubset(std::string_view schema, std::string_view name,
                         DroppedFields* dropped) {
  std::string out;
  const auto doc = JsonDocument::Parse(schema);
  if (!doc.ok() || !doc->root().is_object()) {
    return R"({"type":"object","additionalProperties":false})";
  }
  JsonWriter writer(&out);
  Subset(name, dropped, &writer).Schema(doc->root());
  return out;
}

std::string ToolSchema(std::string_view schema, std::string_view name,
                       DroppedFields* dropped) {
  const auto doc = JsonDocument::Parse(schema);
  if (!doc.ok() || !doc->root().is_object()) {
    return R"({"type":"object","properties":{}})";
  }
  const JsonValue root = doc->root();
  bool choice = false;
  for (const sv key : kChoices) choice = choice || root.Find(key);
  if (root.Find("type").Equals("object") && !choice) {
    return std::string(root.raw());
  }
  std::string out;
  JsonWriter writer(&out);
  writer.BeginObject();
  writer.Member("type", "object");
  if (!SaysObject(root.Find("type"))) {
    dropped->Add(absl::StrCat(ToAbsl(name), ".type"));
  }
  for (JsonValue v = root.First(); v; v = v.Next()) {
    if (v.KeyEquals("type")) continue;
    if (Among(kChoices, v.Key()) || !MayBeObject(v)) {
      dropped->Add(absl::StrCat(ToAbsl(name), ".", v.Key()));
      continue;
    }
    writer.MemberRaw(v.Key(), v.raw());
  }
  writer.EndObject();
  return out;
}

}  // namespace llm::anthropic
