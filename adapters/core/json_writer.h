// Writing JSON, and the text of its strings. The other half of json.h.
//
// Threads:   A writer belongs to one thread.
// Ownership: A writer appends to a string that outlives it.
#ifndef LLM_ADAPTERS_CORE_JSON_WRITER_H_
#define LLM_ADAPTERS_CORE_JSON_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace llm {

// Decodes the inside of a JSON string (without quotes) that is known to be
// well formed.
std::string JsonUnescape(std::string_view inner);

// Replaces what UTF-8 cannot hold (WTF-8 surrogates, malformed bytes) by
// U+FFFD. Returns false, and leaves `text` alone, if there was none.
bool ReplaceInvalidUtf8(std::string* text);
bool IsValidUtf8(std::string_view text);

// Appends JSON to a string, compact, in call order. Commas are its own care;
// balance of Begin and End is the caller's.
class JsonWriter {
 public:
  explicit JsonWriter(std::string* out) : out_(*out) {}
  void BeginObject();
  void EndObject();
  void BeginArray();
  void EndArray();
  void Key(std::string_view name);
  // Text is UTF-8 or WTF-8; surrogates come out as \uXXXX escapes, malformed
  // bytes as U+FFFD.
  void String(std::string_view text);
  void Int(int64_t value);
  // Shortest text that reads back as the same double; non-finite is null.
  void Double(double value);
  void Bool(bool value);
  void Null();
  // One JSON value, copied as it is.
  void Raw(std::string_view json);
  // Members of `object` (JSON object text) as further members here.
  void RawMembers(std::string_view object);

  // Key and value at once.
  void Member(std::string_view name, std::string_view text);
  void MemberInt(std::string_view name, int64_t value);
  void MemberRaw(std::string_view name, std::string_view json);

 private:
  void Separate();
  std::string& out_;
  bool need_comma_ = false;
};

// `text` as a JSON string with its quotes.
std::string JsonQuote(std::string_view text);

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_JSON_WRITER_H_
