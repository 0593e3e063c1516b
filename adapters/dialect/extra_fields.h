// Answer fields nobody modelled, passed on as the JSON they came as. Streams
// repeat many of them in every chunk (citations, provider): a value is passed
// on once, and again only when it changes.
//
// Threads: Not safe; one object per level of one answer.
#ifndef LLM_ADAPTERS_DIALECT_EXTRA_FIELDS_H_
#define LLM_ADAPTERS_DIALECT_EXTRA_FIELDS_H_

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/core/json.h"

namespace llm {

class ExtraFields {
 public:
  // Notes every member of `object` that is not null and not in `known`.
  void Note(JsonValue object, std::span<const std::string_view> known);
  bool pending() const { return !pending_.empty(); }
  // What is new since the last call, as one JSON object; empty for nothing.
  std::string Take();

 private:
  std::vector<std::pair<std::string, std::string>> seen_;
  std::vector<size_t> pending_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_EXTRA_FIELDS_H_
