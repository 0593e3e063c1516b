// Reading a JSON object into a message: one table per object says which
// member goes where, and the one loop below collects what no table names.
//
// JSON null is "not set" everywhere, as OpenAI's clients mean it. A member that
// a table names may come once: two of one name would mean one thing to us and
// another to the provider that gets the bytes.
//
// Errors: kInvalidArgument (invalid_request) with the path of the member.
#ifndef LLM_SERVER_HTTP_JSON_FIELDS_H_
#define LLM_SERVER_HTTP_JSON_FIELDS_H_

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "adapters/core/json.h"
#include "adapters/core/status_macros.h"
#include "adapters/core/text.h"

namespace llm::server {

// Where a value is, as a list on the stack: its text is made only for an
// error. Borrowed names and parents outlive it.
class JsonPath {
 public:
  explicit JsonPath(std::string_view name) : name_(name) {}
  JsonPath(const JsonPath& parent, std::string_view name)
      : parent_(&parent), name_(name) {}
  JsonPath(const JsonPath& parent, int index)
      : parent_(&parent), index_(index) {}
  // "messages[2].content[0].text"
  std::string ToString() const;

 private:
  const JsonPath* parent_ = nullptr;
  std::string_view name_;
  int index_ = -1;
};

// The refusal of the member at `path`; `problem` completes "PATH …".
absl::Status BadField(const JsonPath& path, std::string_view problem);

// One member of an object and how it gets into an M.
template <typename M>
struct JsonField {
  std::string_view name;
  absl::Status (*read)(const JsonValue&, const JsonPath&, M*);
};

// Appends members that no table names to a JSON object in `*text`.
class ExtraMembers {
 public:
  explicit ExtraMembers(std::string* text) : text_(*text) {}
  void Add(const JsonValue& member) {
    text_.append(text_.empty() ? "{" : ",");
    text_.append(member.RawKey()).append(":").append(member.raw());
  }
  void Finish() {
    if (!text_.empty()) text_.append("}");
  }

 private:
  std::string& text_;
};

// Reads every member of `object` by `fields`. Unknown members go to `extra`
// as one JSON object in source order; null `extra` leaves them out.
template <typename M>
absl::Status ReadFields(const JsonValue& object, const JsonPath& path,
                        std::span<const JsonField<M>> fields, M* out,
                        std::string* extra) {
  if (!object.is_object()) return BadField(path, "must be an object");
  std::string unknown;
  ExtraMembers members(&unknown);
  uint64_t seen = 0;  // a bit for each field; no table has more than 64
  std::string decoded;
  for (JsonValue v = object.First(); v; v = v.Next()) {
    const std::string_view key = v.Key(&decoded);
    const JsonField<M>* known = nullptr;
    for (const JsonField<M>& field : fields) {
      if (key == field.name) known = &field;
    }
    if (known == nullptr) {
      members.Add(v);
      continue;
    }
    const JsonPath here(path, known->name);
    const uint64_t bit = uint64_t{1} << (known - fields.data());
    if ((seen & bit) != 0) return BadField(here, "appears twice");
    seen |= bit;
    if (!v.is_null()) LLM_RETURN_IF_ERROR(known->read(v, here, out));
  }
  members.Finish();
  if (extra != nullptr) *extra = std::move(unknown);
  return absl::OkStatus();
}

// The refusal of an object with two members of one name, for objects that no
// table describes: which of them counts must not be a matter of taste. Of
// anything but an object: OK.
absl::Status RefuseRepeated(const JsonValue& object, const JsonPath& path);

// Readers for plain members. `kMutable` and `kSet` are the message's own
// accessors.
template <auto kMutable, typename M>
absl::Status ReadString(const JsonValue& v, const JsonPath& path, M* out) {
  if (!v.is_string()) return BadField(path, "must be a string");
  *(out->*kMutable)() = v.StringOr();
  return absl::OkStatus();
}

// Any value, as its source text.
template <auto kMutable, typename M>
absl::Status ReadRaw(const JsonValue& v, const JsonPath&, M* out) {
  (out->*kMutable)()->assign(v.raw());
  return absl::OkStatus();
}

template <auto kSet, typename M>
absl::Status ReadBool(const JsonValue& v, const JsonPath& path, M* out) {
  const auto value = v.AsBool();
  if (!value) return BadField(path, "must be true or false");
  (out->*kSet)(*value);
  return absl::OkStatus();
}

template <auto kSet, typename M>
absl::Status ReadDouble(const JsonValue& v, const JsonPath& path, M* out) {
  const auto value = v.AsDouble();
  if (!value) return BadField(path, "must be a number");
  (out->*kSet)(*value);
  return absl::OkStatus();
}

template <auto kSet, typename M>
absl::Status ReadInt64(const JsonValue& v, const JsonPath& path, M* out) {
  const auto value = v.AsInt64();
  if (!value) return BadField(path, "must be an integer");
  (out->*kSet)(*value);
  return absl::OkStatus();
}

template <auto kSet, typename M>
absl::Status ReadInt32(const JsonValue& v, const JsonPath& path, M* out) {
  const auto value = v.AsInt64();
  if (!value || *value < std::numeric_limits<int32_t>::min() ||
      *value > std::numeric_limits<int32_t>::max()) {
    return BadField(path, "must be a 32-bit integer");
  }
  (out->*kSet)(static_cast<int32_t>(*value));
  return absl::OkStatus();
}

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_JSON_FIELDS_H_
