// A canonical request as the JSON body one vendor takes.
//
// The order of members is fixed (model, messages, tools, then the rest), so
// the same request gives the same bytes [TRN-7]. Pieces whose source text the
// vendor takes are copied; the rest is written from the message and means the
// same. Our own fields never leave; what a vendor does not take is dropped
// and named, unless it says what the vendor does anyway (n:1) or has served
// its purpose here (user and metadata are recorded with the usage row).
//
// Threads: Pure.
// Errors:  None; `dropped` says what a strict caller would refuse.
#ifndef LLM_ADAPTERS_OPENAI_OPENAI_REQUEST_H_
#define LLM_ADAPTERS_OPENAI_OPENAI_REQUEST_H_

#include <string>
#include <vector>

#include "adapters/core/chat_request.h"
#include "adapters/core/provider.h"
#include "adapters/openai/profiles.h"

namespace llm::openai {

struct RenderedRequest {
  std::string body;
  // The upstream is asked for a stream.
  bool stream = false;
  // The model will reason, as far as is known.
  bool thinking = false;
  std::vector<std::string> dropped;
};

RenderedRequest RenderRequest(const ChatRequest& request,
                              const AttemptContext& context,
                              const Profile& profile);

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_OPENAI_REQUEST_H_
