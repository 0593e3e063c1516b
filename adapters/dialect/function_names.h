// Function names that a provider refuses, under others that it takes.
//
// Providers agree on letters, and differ in what else a name may hold and how
// long it may be; some tool servers' names have a dot or a slash. A name the
// provider takes is sent as it is.
//
// Threads: Constant after construction.
#ifndef LLM_ADAPTERS_DIALECT_FUNCTION_NAMES_H_
#define LLM_ADAPTERS_DIALECT_FUNCTION_NAMES_H_

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "adapters/core/json.h"
#include "llm/v1/chat.pb.h"

namespace llm {

// What a provider takes; an underscore is good everywhere.
struct FunctionNameRule {
  // May stand first, beside letters.
  std::string_view first;
  // May follow, beside letters and digits.
  std::string_view following;
  size_t max_length = 128;
  // Lists of declarations in tools of the provider's own shape, which have a
  // name each; a name of the tool itself counts, too.
  std::span<const std::string_view> native_lists = {};
};

class FunctionNames {
 public:
  FunctionNames() = default;
  // Of the tools and the calls of the history: no two of them share a name
  // upstream, and the same request has the same names.
  FunctionNames(const v1::ChatCompletionRequest& request,
                const FunctionNameRule& rule);

  // What the provider is told; a name of no tool and no call is its own.
  std::string Sent(std::string_view name) const;
  // A tool of the provider's own shape, with the names that it is told.
  std::string SentTool(std::string_view tool) const;
  // What the caller calls it.
  std::string Given(std::string_view sent) const;

 private:
  void WriteRenamed(JsonValue declaration, JsonWriter& json) const;

  std::span<const std::string_view> native_lists_;
  std::map<std::string, std::string, std::less<>> sent_;
  std::map<std::string, std::string, std::less<>> given_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_FUNCTION_NAMES_H_
