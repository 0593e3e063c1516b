// OpenAI's embeddings: request and answer of one batch.
//
// Vectors come as numbers or as base64 of little-endian float32 (openai.md
// section 11: platform.openai.com/docs/api-reference/embeddings, 2026-08-21);
// either is read, whatever was asked for.
//
// Threads:   Pure.
// Ownership: What the constructor is given outlives the embedder.
#ifndef LLM_ADAPTERS_OPENAI_OPENAI_EMBEDDER_H_
#define LLM_ADAPTERS_OPENAI_OPENAI_EMBEDDER_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/dialect/chat_exchange.h"
#include "adapters/dialect/embed_exchange.h"
#include "adapters/openai/embed_rules.h"

namespace llm::openai {

class OpenAiEmbedder : public EmbedDialect {
 public:
  // `http` holds URL, headers and endpoint; bodies are rendered into copies.
  OpenAiEmbedder(const EmbedRules& rules, std::string_view model,
                 HttpRequest http)
      : rules_(rules), model_(model), http_(std::move(http)) {}

  EmbedLimits limits() const override {
    return {rules_.max_inputs, rules_.max_tokens};
  }
  std::vector<std::string> Dropped(const EmbedRequest& request) const override;
  // What the vendor cannot be asked for at all.
  std::optional<Refusal> Refuses(const EmbedRequest& request) const;
  HttpRequest Render(const EmbedRequest& request,
                     EmbedBatch batch) const override;
  EmbedDecoder decoder() const override { return &Decode; }

 private:
  static bool Decode(JsonValue body, size_t count, EmbedAnswer* out);

  const EmbedRules& rules_;
  const std::string_view model_;
  const HttpRequest http_;
};

// A vector as it stands in an answer; nullopt for what is none.
std::optional<std::vector<float>> ReadVector(JsonValue embedding);

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_OPENAI_EMBEDDER_H_
