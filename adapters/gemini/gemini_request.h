// A canonical request as the JSON body of generateContent.
//
// The order of members is fixed (contents, systemInstruction, tools, then the
// rest), so the same request gives the same bytes [TRN-7]. A field is sent, or
// named in `dropped`, or says what happens anyway (n: 1), or is recorded here
// (user, metadata), or is ours; what cannot be left out is a refusal [TRN-6].
//
// Threads: Pure.
// Errors:  `refusal`; `dropped` says what a strict caller would refuse.
#ifndef LLM_ADAPTERS_GEMINI_GEMINI_REQUEST_H_
#define LLM_ADAPTERS_GEMINI_GEMINI_REQUEST_H_

#include <optional>
#include <string>
#include <vector>

#include "adapters/core/chat_request.h"
#include "adapters/core/provider.h"
#include "adapters/dialect/chat_exchange.h"
#include "adapters/dialect/function_names.h"

namespace llm::gemini {

struct RenderedRequest {
  std::string body;
  // The model will think, as far as is known.
  bool thinking = false;
  // To read the answer's calls by.
  FunctionNames names;
  std::vector<std::string> dropped;
  std::optional<Refusal> refusal;
};

// `vertex`: for Vertex AI instead of AI Studio.
RenderedRequest RenderRequest(const ChatRequest& request,
                              const AttemptContext& context, bool vertex);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_GEMINI_REQUEST_H_
