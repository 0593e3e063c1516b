// Function names that Google refuses, under others that it takes.
//
// Google wants a letter or an underscore first, then letters, digits and
// `_.:-`, at most 128 of them; OpenAI's rule lets a digit stand first, and
// some tool servers' names have a slash. A name it takes is sent as it is.
//
// Threads: Constant after construction.
// Fact:    gemini.md section 2.2 (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_FUNCTION_NAMES_H_
#define LLM_ADAPTERS_GEMINI_FUNCTION_NAMES_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "llm/v1/chat.pb.h"

namespace llm::gemini {

class FunctionNames {
 public:
  FunctionNames() = default;
  // Of the tools and the calls of the history: no two of them share a name
  // upstream, and the same request has the same names.
  explicit FunctionNames(const v1::ChatCompletionRequest& request);

  // What Google is told; a name of no tool and no call is its own.
  std::string Sent(std::string_view name) const;
  // What the caller calls it.
  std::string Given(std::string_view sent) const;

 private:
  std::map<std::string, std::string, std::less<>> sent_;
  std::map<std::string, std::string, std::less<>> given_;
};

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_FUNCTION_NAMES_H_
