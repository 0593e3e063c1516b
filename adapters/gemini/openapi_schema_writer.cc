#include "adapters/gemini/openapi_schema_writer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "adapters/core/text.h"
#include "adapters/gemini/schema_references.h"

namespace llm::gemini {
namespace {

using sv = std::string_view;

// References put in place can grow without end.
constexpr int kMaxOpenApiDepth = 32;
constexpr int kMaxNodes = 5000;

// One node on its way: everything the subset can say.
struct Node {
  std::string type;
  // Further types, where there is a choice.
  std::vector<std::string> more_types;
  bool nullable = false;
  std::string format;
  std::string description;
  std::vector<std::pair<std::string, JsonValue>> properties;
  std::vector<std::string> required;
  std::vector<JsonValue> any_of;
  std::optional<std::vector<std::string>> values;
  JsonValue items;
  // Copied as they are.
  std::vector<std::pair<std::string, std::string>> plain;
};

constexpr sv kTexts[] = {"title", "pattern"};
constexpr sv kNumbers[] = {"minItems",      "maxItems",  "minProperties",
                           "maxProperties", "minLength", "maxLength",
                           "minimum",       "maximum"};

class Writer {
 public:
  Writer(JsonValue root, SchemaLosses& losses)
      : references_(root), losses_(losses) {}

  std::string Schema(JsonValue schema, sv description);

 private:
  void Gather(JsonValue schema, Node& node);
  void Keyword(JsonValue value, Node& node);
  void Types(JsonValue value, Node& node);
  void Alternatives(JsonValue list, Node& node);
  void Values(JsonValue list, Node& node);
  void Required(JsonValue list, Node& node);
  void Follow(JsonValue ref, Node& node);
  void Settle(Node& node);
  void Write(const Node& node, std::string* out);
  void WriteTypes(const Node& node, JsonWriter& out);
  void WriteProperties(const Node& node, JsonWriter& out);

  SchemaReferences references_;
  SchemaLosses& losses_;
  std::vector<std::string> open_refs_;
  int depth_ = 0;
  int nodes_ = 0;
};

void Writer::Types(JsonValue value, Node& node) {
  if (!value.is_array()) {
    const std::string name = TypeName(value);
    if (name.empty()) return losses_.Add("type");
    if (name == "null") {
      node.nullable = true;
    } else if (node.type.empty()) {
      node.type = name;
    }
    return;
  }
  std::vector<std::string> names;
  for (JsonValue v = value.First(); v; v = v.Next()) {
    const std::string name = TypeName(v);
    if (name == "null") {
      node.nullable = true;
    } else if (!name.empty() &&
               std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  }
  if (names.empty()) return;
  node.type = names.front();
  node.more_types.assign(names.begin() + 1, names.end());
}

void Writer::Alternatives(JsonValue list, Node& node) {
  for (JsonValue v = list.First(); v; v = v.Next()) {
    const bool null = TypeName(v.Find("type")) == "null" ||
                      (v.Find("const") && v.Find("const").is_null());
    if (null) {
      node.nullable = true;
    } else if (v.is_object()) {
      node.any_of.push_back(v);
    }
  }
  // One that is left is no choice.
  if (node.any_of.size() == 1) {
    const JsonValue only = node.any_of.front();
    node.any_of.clear();
    Gather(only, node);
  }
}

void Writer::Values(JsonValue list, Node& node) {
  std::vector<std::string> values;
  std::string type;
  for (JsonValue v = list.First(); v; v = v.Next()) {
    if (v.is_null()) {
      node.nullable = true;
      continue;
    }
    if (v.is_object() || v.is_array()) return losses_.Add("enum");
    if (type.empty()) {
      type = v.is_string() ? "string" : v.is_bool() ? "boolean" : "number";
      if (v.is_number() && v.AsInt64()) type = "integer";
    }
    values.push_back(v.is_string() ? v.StringOr() : std::string(v.raw()));
  }
  if (values.empty()) return;
  if (node.type.empty()) node.type = type;
  node.values = std::move(values);
}

void Writer::Required(JsonValue list, Node& node) {
  for (JsonValue v = list.First(); v; v = v.Next()) {
    if (v.is_string()) node.required.push_back(v.StringOr());
  }
}

void Writer::Follow(JsonValue ref, Node& node) {
  // Also those that lead nowhere cost a look.
  if (nodes_ > kMaxNodes) return losses_.Add("$ref");
  const std::string name = ref.StringOr();
  const bool again =
      std::find(open_refs_.begin(), open_refs_.end(), name) != open_refs_.end();
  const JsonValue target = again ? JsonValue() : references_.Target(name);
  if (!target.is_object()) {
    ++nodes_;
    losses_.Add("$ref");
    if (node.type.empty()) node.type = "object";
    return;
  }
  open_refs_.push_back(name);
  Gather(target, node);
}

void Writer::Keyword(JsonValue value, Node& node) {
  const std::string name = value.Key();
  if (name == "type") return Types(value, node);
  if (name == "$ref") return Follow(value, node);
  if (name == "nullable" && value.is_bool()) {
    node.nullable = node.nullable || *value.AsBool();
  } else if (name == "description" && value.is_string()) {
    if (node.description.empty()) node.description = value.StringOr();
  } else if (name == "format" && value.is_string()) {
    if (node.format.empty()) node.format = value.StringOr();
  } else if (name == "enum" && value.is_array()) {
    Values(value, node);
  } else if (name == "properties" && IsSchemaMap(value)) {
    for (JsonValue v = value.First(); v; v = v.Next()) {
      if (v.is_object() || *v.AsBool())
        node.properties.emplace_back(v.Key(), v);
    }
  } else if (name == "required" && value.is_array()) {
    Required(value, node);
  } else if ((name == "anyOf" || name == "oneOf") && IsSchemaList(value)) {
    Alternatives(value, node);
  } else if (name == "allOf" && IsSchemaList(value)) {
    for (JsonValue v = value.First(); v; v = v.Next()) Gather(v, node);
  } else if (name == "items" && IsSchema(value)) {
    node.items = value;
  } else if ((Among(kTexts, name) && value.is_string()) ||
             (Among(kNumbers, name) && value.is_number()) ||
             name == "default" || name == "example") {
    node.plain.emplace_back(name, value.raw());
  } else if (name != "const" && name != "propertyOrdering") {
    losses_.Add(name);
  }
}

void Writer::Gather(JsonValue schema, Node& node) {
  if (!schema.is_object()) return;
  if (++nodes_ > kMaxNodes) return losses_.Add("$ref");
  for (JsonValue v = schema.First(); v; v = v.Next()) Keyword(v, node);
  const JsonValue fixed = schema.Find("const");
  if (!fixed) return;
  std::string list = "[" + std::string(fixed.raw()) + "]";
  if (const auto doc = JsonDocument::Parse(sv(list)); doc.ok()) {
    Values(doc->root(), node);
  }
}

bool TakesFormat(sv type, sv format) {
  if (type == "integer" || type == "number") {
    return format == "int32" || format == "int64" || format == "float" ||
           format == "double";
  }
  return (type == "string" || type.empty()) &&
         (format == "enum" || format == "date-time");
}

// What the subset insists on and the caller left open.
void Writer::Settle(Node& node) {
  if (!node.format.empty() && !TakesFormat(node.type, node.format)) {
    losses_.Add("format");
    node.description += (node.description.empty() ? "" : " ") +
                        ("(format: " + node.format + ")");
    node.format.clear();
  }
  if (node.type.empty() && node.any_of.empty()) {
    if (!node.properties.empty()) {
      node.type = "object";
    } else if (node.items) {
      node.type = "array";
    } else {
      // Anything: a type is asked for.
      node.type = "string";
      losses_.Add("type");
    }
  }
  if (node.values && node.type != "string") node.format = "enum";
  // Each once, and only what is a property.
  std::set<sv> open;
  for (const auto& property : node.properties) open.insert(property.first);
  const std::set<sv> properties = open;
  std::erase_if(node.required, [&](const std::string& name) {
    if (!properties.contains(name)) losses_.Add("required");
    return open.erase(name) == 0;
  });
}

void Writer::WriteProperties(const Node& node, JsonWriter& out) {
  if (!node.properties.empty()) {
    out.Key("properties");
    out.BeginObject();
    std::set<sv> written;
    for (const auto& [name, schema] : node.properties) {
      if (!written.insert(name).second) {
        losses_.Add("allOf");
        continue;
      }
      out.MemberRaw(name, Schema(schema, {}));
    }
    out.EndObject();
  }
  if (!node.required.empty()) {
    out.Key("required");
    out.BeginArray();
    for (const std::string& name : node.required) out.String(name);
    out.EndArray();
  }
}

// A choice of types is one of schemas, each with what concerns it.
void Writer::WriteTypes(const Node& node, JsonWriter& out) {
  std::vector<std::string> types = node.more_types;
  types.insert(types.begin(), node.type);
  out.Key("anyOf");
  out.BeginArray();
  for (const std::string& type : types) {
    Node one;
    one.type = type;
    if (type == "array") one.items = node.items;
    if (type == "object") {
      one.properties = node.properties;
      one.required = node.required;
    }
    std::string text;
    Write(one, &text);
    out.Raw(text);
  }
  out.EndArray();
}

void WritePlain(const Node& node, JsonWriter& out) {
  std::vector<sv> written;
  for (const auto& [name, value] : node.plain) {
    if (std::find(written.begin(), written.end(), name) != written.end()) {
      continue;
    }
    written.push_back(name);
    out.MemberRaw(name, value);
  }
  if (node.values) {
    out.Key("enum");
    out.BeginArray();
    for (const std::string& value : *node.values) out.String(value);
    out.EndArray();
  }
}

void Writer::Write(const Node& node, std::string* text) {
  JsonWriter out(text);
  const bool choice = !node.more_types.empty() && node.any_of.empty();
  out.BeginObject();
  if (!node.type.empty() && !choice) out.Member("type", node.type);
  if (node.nullable) {
    out.Key("nullable");
    out.Bool(true);
  }
  if (!node.description.empty()) out.Member("description", node.description);
  if (!node.format.empty()) out.Member("format", node.format);
  WritePlain(node, out);
  if (choice) {
    WriteTypes(node, out);
    return out.EndObject();
  }
  if (node.type == "array" && !node.items.is_object()) {
    // A list of anything has to say of what.
    losses_.Add("items");
    out.MemberRaw("items", R"({"type":"string"})");
  } else if (node.items.is_object()) {
    out.MemberRaw("items", Schema(node.items, {}));
  }
  WriteProperties(node, out);
  if (!node.any_of.empty()) {
    out.Key("anyOf");
    out.BeginArray();
    for (const JsonValue& one : node.any_of) out.Raw(Schema(one, {}));
    out.EndArray();
  }
  out.EndObject();
}

std::string Writer::Schema(JsonValue schema, sv description) {
  std::string out;
  if (depth_ >= kMaxOpenApiDepth || nodes_ > kMaxNodes) {
    losses_.Add("$ref");
    return R"({"type":"object"})";
  }
  ++depth_;
  const size_t open = open_refs_.size();
  Node node;
  Gather(schema, node);
  if (node.description.empty()) node.description = std::string(description);
  Settle(node);
  Write(node, &out);
  open_refs_.resize(open);
  --depth_;
  return out;
}

}  // namespace

std::string WriteOpenApiSchema(std::string_view schema,
                               std::string_view description,
                               SchemaLosses& losses) {
  const auto doc = JsonDocument::Parse(schema);
  if (!doc.ok() || !doc->root().is_object()) return {};
  const JsonValue root = doc->root();
  const bool bare =
      root.Find("properties").size() == 0 &&
      (root.size() == 0 || TypeName(root.Find("type")) == "object") &&
      !root.Find("$ref") && !root.Find("allOf") && !root.Find("anyOf") &&
      !root.Find("oneOf");
  if (bare) return {};
  return Writer(root, losses).Schema(root, description);
}

}  // namespace llm::gemini
