#include "adapters/gemini/json_schema_writer.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "adapters/core/text.h"

namespace llm::gemini {
namespace {

using sv = std::string_view;
// A keyword and the value that is to be written for it.
using Members = std::vector<std::pair<std::string, std::string>>;

constexpr int kMaxJsonDepth = 64;
// What parts of `allOf` add to; everything else they agree on or not.
constexpr sv kJoined[] = {"properties", "$defs", "required"};

// Maps or lists of texts on their way into one, each entry once. All parts go
// in before anything is written: to join them two by two is quadratic.
class Join {
 public:
  // False where an entry is there with another value; the first stands.
  bool Add(JsonValue some);
  bool Put(std::string key, std::string value);
  std::string Write() const;

 private:
  bool list_ = false;
  Members entries_;
  std::map<std::string, size_t> place_;
};

bool Join::Add(JsonValue some) {
  list_ = some.is_array();
  bool same = true;
  for (JsonValue v = some.First(); v; v = v.Next()) {
    if (!Put(list_ ? v.StringOr() : v.Key(), std::string(v.raw()))) {
      same = false;
    }
  }
  return same;
}

bool Join::Put(std::string key, std::string value) {
  const auto [it, fresh] = place_.try_emplace(key, entries_.size());
  if (!fresh) return entries_[it->second].second == value;
  entries_.emplace_back(std::move(key), std::move(value));
  return true;
}

std::string Join::Write() const {
  std::string out;
  JsonWriter writer(&out);
  if (list_) {
    writer.BeginArray();
    for (const auto& [key, value] : entries_) writer.Raw(value);
    writer.EndArray();
    return out;
  }
  writer.BeginObject();
  for (const auto& [key, value] : entries_) writer.MemberRaw(key, value);
  writer.EndObject();
  return out;
}

class Writer {
 public:
  explicit Writer(SchemaLosses& losses) : losses_(losses) {}

  std::string Schema(JsonValue schema, sv description = {});

 private:
  void Keyword(JsonValue value, Members& out);
  void Type(JsonValue value, Members& out);
  void Ref(JsonValue value, Members& out);
  void Merge(JsonValue all, Members& out);
  std::string Defs(JsonValue schema);
  void MergeMember(const std::string& name, std::string value, Members& out);
  std::string List(JsonValue list);
  Members Map(JsonValue map);
  bool Plain(sv name, JsonValue value);
  void WrapRef(bool nullable, Members& members);

  SchemaLosses& losses_;
  int depth_ = 0;
};

std::string* FindMember(Members& members, sv name) {
  for (auto& [key, value] : members) {
    if (key == name) return &value;
  }
  return nullptr;
}

void Set(Members& members, sv name, std::string value) {
  if (std::string* old = FindMember(members, name)) {
    *old = std::move(value);
  } else {
    members.emplace_back(name, std::move(value));
  }
}

std::string Write(const Members& members) {
  std::string out;
  JsonWriter writer(&out);
  writer.BeginObject();
  for (const auto& [name, value] : members) writer.MemberRaw(name, value);
  writer.EndObject();
  return out;
}

std::string Writer::List(JsonValue list) {
  std::string out;
  JsonWriter writer(&out);
  writer.BeginArray();
  for (JsonValue v = list.First(); v; v = v.Next()) writer.Raw(Schema(v));
  writer.EndArray();
  return out;
}

// Each name once; the last that bears it counts.
Members Writer::Map(JsonValue map) {
  Members out;
  std::map<std::string, size_t> place;
  for (JsonValue v = map.First(); v; v = v.Next()) {
    const auto [it, fresh] = place.try_emplace(v.Key(), out.size());
    if (fresh) out.emplace_back(it->first, "");
    out[it->second].second = Schema(v);
  }
  return out;
}

// Keywords whose value is copied, where it is of the right kind.
bool Writer::Plain(sv name, JsonValue value) {
  for (const sv text : {"format", "title", "description", "$id", "$anchor"}) {
    if (name == text) return value.is_string();
  }
  for (const sv number : {"minimum", "maximum", "minItems", "maxItems"}) {
    if (name == number) return value.is_number();
  }
  if (name == "required" || name == "propertyOrdering") {
    for (JsonValue v = value.First(); v; v = v.Next()) {
      if (!v.is_string()) return false;
    }
    return value.is_array();
  }
  if (name == "enum") return value.is_array() && value.size() > 0;
  return name == "default";
}

void Writer::Type(JsonValue value, Members& out) {
  if (!value.is_array()) {
    const std::string name = TypeName(value);
    if (name.empty()) return losses_.Add("type");
    return Set(out, "type", JsonQuote(name));
  }
  std::string list;
  JsonWriter writer(&list);
  writer.BeginArray();
  for (JsonValue v = value.First(); v; v = v.Next()) {
    const std::string name = TypeName(v);
    if (name.empty()) return losses_.Add("type");
    writer.String(name);
  }
  writer.EndArray();
  if (value.size() > 0) Set(out, "type", std::move(list));
}

void Writer::Ref(JsonValue value, Members& out) {
  std::string target = value.StringOr();
  if (!target.starts_with('#')) return losses_.Add("$ref");
  constexpr sv kOld = "#/definitions/";
  if (target.starts_with(kOld)) {
    target.replace(0, kOld.size(), "#/$defs/");
  }
  Set(out, "$ref", JsonQuote(target));
}

// Both hold: what is said once is taken over; of two that differ the first
// stands.
void Writer::MergeMember(const std::string& name, std::string value,
                         Members& out) {
  std::string* old = FindMember(out, name);
  if (old == nullptr) {
    out.emplace_back(name, std::move(value));
  } else if (*old != value && name != "description" && name != "title") {
    losses_.Add("allOf");
  }
}

// `$defs` and its older name as one map, the last of each. Once per schema,
// when all was seen: to join them as they come is quadratic.
std::string Writer::Defs(JsonValue schema) {
  JsonValue newer;
  JsonValue older;
  for (JsonValue v = schema.First(); v; v = v.Next()) {
    const bool is_newer = v.KeyEquals("$defs");
    if (!is_newer && !v.KeyEquals("definitions")) continue;
    if (IsSchemaMap(v)) (is_newer ? newer : older) = v;
  }
  Join join;
  const bool newer_first = newer.offset() < older.offset();
  for (const JsonValue map :
       {newer_first ? newer : older, newer_first ? older : newer}) {
    for (auto& [name, text] : Map(map)) {
      if (!join.Put(std::move(name), std::move(text))) losses_.Add("allOf");
    }
  }
  return join.Write();
}

void Writer::Merge(JsonValue all, Members& out) {
  std::map<std::string, Join> joins;
  const auto add = [&](const std::string& name, JsonValue value) {
    if (!joins[name].Add(value)) losses_.Add("allOf");
  };
  for (const sv name : kJoined) {
    const std::string* own = FindMember(out, name);
    if (own == nullptr) continue;
    if (const auto doc = JsonDocument::Parse(sv(*own)); doc.ok()) {
      add(std::string(name), doc->root());
    }
  }
  for (JsonValue part = all.First(); part; part = part.Next()) {
    if (!part.is_object()) continue;
    const std::string text = Schema(part);
    const auto doc = JsonDocument::Parse(sv(text));
    if (!doc.ok()) continue;
    for (JsonValue v = doc->root().First(); v; v = v.Next()) {
      const std::string name = v.Key();
      if (!Among(kJoined, name)) {
        MergeMember(name, std::string(v.raw()), out);
        continue;
      }
      // Its place; what stands there is joined at the end.
      if (FindMember(out, name) == nullptr) out.emplace_back(name, "");
      add(name, v);
    }
  }
  for (const auto& [name, join] : joins) Set(out, name, join.Write());
}

void Writer::Keyword(JsonValue value, Members& out) {
  const std::string name = value.Key();
  if (name == "type") return Type(value, out);
  if (name == "$ref") return Ref(value, out);
  if (name == "const") {
    // An array of one, whatever it is.
    return Set(out, "enum", "[" + std::string(value.raw()) + "]");
  }
  if (name == "nullable" && value.is_bool()) return;
  if (name == "allOf" && IsSchemaList(value)) return;
  if ((name == "anyOf" || name == "oneOf") && IsSchemaList(value)) {
    return Set(out, name, List(value));
  }
  if (name == "prefixItems" && IsSchemaList(value)) {
    return Set(out, name, List(value));
  }
  if (name == "items" && IsSchema(value)) {
    return Set(out, name, Schema(value));
  }
  // Draft 4 wrote tuples so.
  if (name == "items" && IsSchemaList(value)) {
    return Set(out, "prefixItems", List(value));
  }
  if (name == "additionalProperties" && IsSchema(value)) {
    return Set(out, name,
               value.is_bool() ? std::string(value.raw()) : Schema(value));
  }
  if (name == "properties" && IsSchemaMap(value)) {
    return Set(out, name, Write(Map(value)));
  }
  const bool defs = name == "$defs" || name == "definitions";
  // Its place; see Defs.
  if (defs && IsSchemaMap(value)) return Set(out, "$defs", "");
  if (Plain(name, value)) return Set(out, name, std::string(value.raw()));
  losses_.Add(name);
}

// One more of a list that is not empty, where it is not there yet.
void AddTo(std::string& list, sv item) {
  const auto doc = JsonDocument::Parse(sv(list));
  if (!doc.ok()) return;
  for (JsonValue v = doc->root().First(); v; v = v.Next()) {
    if (v.raw() == item) return;
  }
  list.insert(list.size() - 1, "," + std::string(item));
}

// OpenAPI's way of saying that null will do: each word that would keep it out
// lets it in.
void AllowNull(Members& out) {
  constexpr sv kNullType = R"({"type":"null"})";
  if (std::string* type = FindMember(out, "type")) {
    if (type->starts_with('"')) *type = "[" + *type + "]";
    AddTo(*type, R"("null")");
  }
  if (std::string* values = FindMember(out, "enum")) AddTo(*values, "null");
  for (const sv name : {"anyOf", "oneOf"}) {
    if (std::string* any = FindMember(out, name)) AddTo(*any, kNullType);
  }
}

// A reference stands alone: what is beside it goes around a choice of one, or
// of two where null will do.
void Writer::WrapRef(bool nullable, Members& members) {
  const std::string* ref = FindMember(members, "$ref");
  if (ref == nullptr) return;
  const bool alone = std::none_of(
      members.begin(), members.end(),
      [](const auto& member) { return !member.first.starts_with('$'); });
  if (alone && !nullable) return;
  std::string choice = "[{\"$ref\":" + *ref + "}]";
  if (nullable) AddTo(choice, R"({"type":"null"})");
  std::erase_if(members, [](const auto& m) { return m.first == "$ref"; });
  if (std::string* any = FindMember(members, "anyOf")) {
    // Two conditions in one place: the reference is the finer.
    losses_.Add("anyOf");
    *any = std::move(choice);
  } else {
    members.insert(members.begin(), {"anyOf", std::move(choice)});
  }
}

std::string Writer::Schema(JsonValue schema, sv description) {
  if (schema.is_bool()) {
    if (!*schema.AsBool()) losses_.Add("not");
    return "{}";
  }
  if (depth_ >= kMaxJsonDepth) {
    losses_.Add("properties");
    return "{}";
  }
  ++depth_;
  Members members;
  for (JsonValue v = schema.First(); v; v = v.Next()) Keyword(v, members);
  if (FindMember(members, "$defs") != nullptr) {
    Set(members, "$defs", Defs(schema));
  }
  const JsonValue all = schema.Find("allOf");
  if (IsSchemaList(all)) Merge(all, members);
  if (!description.empty() && FindMember(members, "description") == nullptr) {
    members.emplace_back("description", JsonQuote(description));
  }
  const bool nullable = schema.Find("nullable").AsBool().value_or(false);
  if (nullable) AllowNull(members);
  WrapRef(nullable, members);
  --depth_;
  return Write(members);
}

}  // namespace

std::string WriteJsonSchema(std::string_view schema,
                            std::string_view description,
                            SchemaLosses& losses) {
  const auto doc = JsonDocument::Parse(schema);
  if (!doc.ok() || !doc->root().is_object()) return {};
  return Writer(losses).Schema(doc->root(), description);
}

}  // namespace llm::gemini
