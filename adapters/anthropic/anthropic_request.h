// A canonical request as the body of Anthropic's Messages API.
//
// The order of members is fixed, so the same request gives the same bytes
// [TRN-7]. Arguments of calls, schemas of tools and everything opaque are
// copied as they came. What does not reach the provider is named, as in
// README, "Names of what is dropped"; what the dialect cannot say at all is
// refused.
//
// Threads: Pure.
// Fact:    providers/anthropic.md sections 2 and 3 (2026-11-20).
#ifndef LLM_ADAPTERS_ANTHROPIC_ANTHROPIC_REQUEST_H_
#define LLM_ADAPTERS_ANTHROPIC_ANTHROPIC_REQUEST_H_

#include <optional>
#include <string>
#include <vector>

#include "adapters/core/chat_request.h"
#include "adapters/core/provider.h"
#include "adapters/dialect/chat_exchange.h"
#include "adapters/dialect/function_names.h"

namespace llm::anthropic {

struct RenderedRequest {
  std::string body;
  // Values of the `anthropic-beta` header, in order; empty for none.
  std::vector<std::string> betas;
  // The model will think, as far as is known.
  bool thinking = false;
  // No tokens were asked for, which only warms the cache (section 2).
  bool only_warms = false;
  // The tool whose input is the answer's content; empty for none.
  std::string answer_tool;
  // To read the answer's calls by.
  FunctionNames names;
  std::vector<std::string> dropped;
  std::optional<Refusal> refusal;
};

// Streams are asked for always: they meet no idle limit of what stands
// between, and the usage of a broken one is known in part.
RenderedRequest RenderRequest(const ChatRequest& request,
                              const AttemptContext& context);

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_ANTHROPIC_REQUEST_H_
