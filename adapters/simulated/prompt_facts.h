// The little that the simulated provider reads out of a conversation.
//
// Threads: Pure.
#ifndef LLM_ADAPTERS_SIMULATED_PROMPT_FACTS_H_
#define LLM_ADAPTERS_SIMULATED_PROMPT_FACTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "llm/v1/chat.pb.h"

namespace llm {

struct PromptFacts {
  std::string date = "2026-01-05";  // the last YYYY-MM-DD in the text
  std::string symbol = "AAPL";      // the last six-digit code or ticker
  bool chinese = false;             // the last user text holds CJK
  bool asks_for_json = false;       // a prompt says "JSON"
  // An object sketched in the prompt, as text, when it asks for JSON.
  std::string json_sketch;
  // Closing lines that agents' parsers look for, as the prompt names them.
  bool wants_proposal = false;  // "FINAL TRANSACTION PROPOSAL"
  bool wants_rating = false;    // "Rating"
  // The last message answers a tool call.
  bool results_are_in = false;
  std::string subject;  // first words of the last user text
  // The beginning of the last user text, and the first quoted words in it: a
  // value for strings that are left free.
  std::string question;
  std::string quoted;
  // JSON values for the members of the object to sample, in their order, where
  // the prompt spells them out.
  std::vector<std::string> literals;
};

PromptFacts ReadPrompt(const v1::ChatCompletionRequest& request);

// The text parts of a message, joined.
std::string TextOf(const v1::Message& message);

int64_t CountTokens(std::string_view utf8);
int64_t CountPromptTokens(const v1::ChatCompletionRequest& request);

// A stable digest of everything that shapes the answer.
uint64_t RequestDigest(const v1::ChatCompletionRequest& request);

// A JSON object with the keys of a sketch like {"action": "buy/hold", …}.
std::string FillSketch(const PromptFacts& facts);

}  // namespace llm

#endif  // LLM_ADAPTERS_SIMULATED_PROMPT_FACTS_H_
