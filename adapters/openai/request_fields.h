// The plain members of a request: one row per field of OpenAI's chat
// completions that is neither messages, tools, reasoning nor streaming.
//
// Threads: Constant data; the functions are pure.
// Fact:    openai.md section 2 (spec of 2026-08-21).
#ifndef LLM_ADAPTERS_OPENAI_REQUEST_FIELDS_H_
#define LLM_ADAPTERS_OPENAI_REQUEST_FIELDS_H_

#include <span>
#include <string>
#include <string_view>

#include "llm/v1/chat.pb.h"

namespace llm::openai {

struct RequestField {
  std::string_view name;
  // The value as JSON; empty where the request does not set it.
  std::string (*json)(const v1::ChatCompletionRequest&);
  // The JSON that says what leaving the field out says; empty for none.
  std::string_view neutral = {};
  // Refused by models that reason (openai.md section 6).
  bool sampling = false;
  // Recorded by the service, so dropping it loses nothing.
  bool recorded = false;
};

// In the order in which they are sent.
std::span<const RequestField> RequestFields();

// True for every member name that the request message models.
bool IsModelledField(std::string_view name);

// Ours, for routing and accounting: never sent to anybody.
bool IsOwnField(std::string_view name);

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_REQUEST_FIELDS_H_
