// JSON that loses nothing: order, number text and lone surrogates survive.
//
// A document is a flat list of nodes over the caller's text; a value is a
// view with the exact source text of every part, so unmodelled JSON is passed
// on as the bytes it came in. Strict RFC 8259 with a depth limit; duplicate
// members are kept and Find returns the last. Text that escapes decode to and
// that UTF-8 cannot hold (a lone surrogate) is kept as generalised UTF-8
// (WTF-8) and written back as its escape.
//
// Why our own: Boost.JSON 1.81 prints 0.7 as 7E-1 and drops order of
// duplicates; simdjson 3.0 rejects lone surrogates. See README, decisions.
//
// Threads:   Values are immutable; share freely.
// Ownership: A document borrows its text; values borrow the document.
// Errors:    kInvalidArgument with the byte offset, never the content;
//            kResourceExhausted for more values than allowed.
#ifndef LLM_ADAPTERS_CORE_JSON_H_
#define LLM_ADAPTERS_CORE_JSON_H_

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/core/json_writer.h"

namespace llm {

enum class JsonType : uint8_t {
  kNone,  // no such value
  kNull,
  kBool,
  kNumber,
  kString,
  kArray,
  kObject,
};

class JsonDocument;

// A view of one value. A default-made or missing value has type kNone, and
// every accessor of a value of another type answers as for a missing one, so
// lenient readers chain without checks: doc.root().Find("a").Find("b").
class JsonValue {
 public:
  JsonValue() = default;

  JsonType type() const;
  explicit operator bool() const { return type() != JsonType::kNone; }
  bool is_null() const { return type() == JsonType::kNull; }
  // Present and not null.
  bool has_value() const { return *this && !is_null(); }
  bool is_string() const { return type() == JsonType::kString; }
  bool is_number() const { return type() == JsonType::kNumber; }
  bool is_bool() const { return type() == JsonType::kBool; }
  bool is_object() const { return type() == JsonType::kObject; }
  bool is_array() const { return type() == JsonType::kArray; }

  // The exact source text; empty for kNone.
  std::string_view raw() const;
  // Offset of raw() in the document's text.
  size_t offset() const;

  std::optional<bool> AsBool() const;
  // Numbers only. Any spelling of an integer (1e3, 1.0) is one; beyond int64
  // and with a fraction left it is nullopt.
  std::optional<int64_t> AsInt64() const;
  // The nearest double; nullopt beyond its range.
  std::optional<double> AsDouble() const;
  // Strings only, decoded; otherwise nullopt.
  std::optional<std::string> AsString() const;
  // The decoded string, or empty.
  std::string StringOr(std::string_view fallback = {}) const;
  // True for a string whose decoded text equals `text`.
  bool Equals(std::string_view text) const;

  // Objects: the last member of that name, or kNone.
  JsonValue Find(std::string_view key) const;
  // Arrays and objects: number of elements or members.
  size_t size() const;

  // Iteration over arrays: for (JsonValue v = a.First(); v; v = v.Next()).
  // Over objects First() and Next() give the member values, Key() the name.
  JsonValue First() const;
  JsonValue Next() const;
  // Decoded name of this member; empty outside an object.
  std::string Key() const;
  bool KeyEquals(std::string_view key) const;
  // The same without a copy, but for names with escapes: those are in
  // `decoded`.
  std::string_view Key(std::string* decoded) const;
  // The name with its quotes, as in the source.
  std::string_view RawKey() const;

 private:
  friend class JsonDocument;
  JsonValue(const JsonDocument* doc, uint32_t node, uint32_t parent_end)
      : doc_(doc), node_(node), parent_end_(parent_end) {}
  const JsonDocument* doc_ = nullptr;
  uint32_t node_ = 0;
  uint32_t parent_end_ = 0;
};

class JsonDocument {
 public:
  struct Options {
    int max_depth = 256;
    // Scalars, arrays, objects. Each costs 32 bytes here, and more in what is
    // made of it; the shortest has two in the text.
    size_t max_values = 10'000'000;
  };
  // Parses exactly one value with white space around it. `text` must outlive
  // the document and is at most 4 GiB - 1.
  static absl::StatusOr<JsonDocument> Parse(std::string_view text,
                                            Options options);
  static absl::StatusOr<JsonDocument> Parse(std::string_view text) {
    return Parse(text, Options{});
  }
  // Not a text that is gone at the end of the line.
  template <std::same_as<std::string> Text>
  static absl::StatusOr<JsonDocument> Parse(Text&& text) = delete;
  template <std::same_as<std::string> Text>
  static absl::StatusOr<JsonDocument> Parse(Text&& text,
                                            Options options) = delete;

  // Parses again into the same storage: no allocation once it is warm.
  absl::Status Reparse(std::string_view text, Options options);

  JsonValue root() const;
  // Scalars, arrays and objects, all together.
  size_t values() const { return nodes_.size(); }

 private:
  friend class JsonValue;
  struct Node {
    uint32_t begin;      // of the value's text
    uint32_t end;        // past its last byte
    uint32_t next;       // node index past this value's subtree
    uint32_t key_begin;  // of the member name's opening quote, if a member
    uint32_t key_end;    // past its closing quote; 0: not a member
    uint32_t count;      // children, for arrays and objects
    uint32_t names;      // objects: bits that NameBit gave for the members
    JsonType type;
    bool escaped;      // string: holds a backslash
    bool key_escaped;  // member name holds a backslash
  };
  // Most lookups are for names that are not there: an object remembers of its
  // names one bit each, by length and ends.
  static uint32_t NameBit(std::string_view name) {
    if (name.empty()) return 1;
    const auto first = static_cast<unsigned char>(name.front());
    const auto last = static_cast<unsigned char>(name.back());
    return uint32_t{1} << ((name.size() * 7 + first + last * 3U) & 31U);
  }
  class Parser;
  std::string_view text_;
  std::vector<Node> nodes_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_JSON_H_
