// What the writers of one request share: whom it is for, and what was lost.
//
// Threads: Not safe; one object per rendered request.
#ifndef LLM_ADAPTERS_GEMINI_RENDERING_H_
#define LLM_ADAPTERS_GEMINI_RENDERING_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "adapters/core/provider.h"
#include "adapters/dialect/chat_exchange.h"
#include "adapters/dialect/dropped_fields.h"
#include "adapters/dialect/function_names.h"
#include "adapters/gemini/gemini_models.h"

namespace llm::gemini {

struct Rendering {
  const ModelFamily& family;
  const AttemptContext& context;
  // Vertex AI: no function-call ids, labels, gs:// addresses.
  bool vertex = false;
  DroppedFields dropped = {};
  std::optional<Refusal> refusal = {};
  // As Google is told them.
  FunctionNames names = {};
  // Says which messages hold what their client had dropped; may be null.
  const ChatRequest* source = nullptr;
  // The message at hand is one of them.
  bool put_back = false;

  // The first refusal stands.
  void Refuse(std::string param, std::string message) {
    if (!refusal) refusal = Refusal{std::move(param), std::move(message)};
  }
  // What was put back is not the caller's, who must not hear of its loss, nor
  // be refused for it.
  void NameProof(std::string_view name) {
    if (!put_back) dropped.Add(name);
  }
  // Signatures go back to the model that made them, and to no other.
  bool TakesSignature(std::string_view origin,
                      std::string_view origin_model) const {
    return origin == "gemini" && (origin_model.empty() ||
                                  origin_model == context.upstream_model.value);
  }
};

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_RENDERING_H_
