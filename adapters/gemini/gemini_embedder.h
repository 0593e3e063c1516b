// Google's embeddings: batchEmbedContents at AI Studio, embedContent (one
// input a request) at Vertex AI.
//
// What OpenAI's contract has and Google's has not: token inputs are refused,
// `user` is dropped, vectors come as numbers. What Google's has beside it: the
// purpose of the vectors, from the extra field `taskType` (its own words) or
// `input_type` (query, search_query; document, passage, search_document), and
// `title`. Our `task_type` routes and is not it.
//
// Vectors shorter than a model's full length are made length one here, as
// gemini-embedding-001 does not (gemini.md section 8: ai.google.dev/gemini-api/
// docs/embeddings, 2026-08-21): cosine and dot product then agree.
//
// Threads:   One event loop.
// Ownership: What EmbedWithGemini is given outlives its task.
#ifndef LLM_ADAPTERS_GEMINI_GEMINI_EMBEDDER_H_
#define LLM_ADAPTERS_GEMINI_GEMINI_EMBEDDER_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/dialect/embed_exchange.h"

namespace llm::gemini {

struct EmbedEndpoint {
  // "https://…/v1beta/models/NAME", escaped; empty where no model can have
  // the name.
  std::string model_url;
  // With the credential.
  std::vector<HttpHeader> headers;
  EndpointOptions options;
  bool vertex = false;
};

class GeminiEmbedder : public EmbedDialect {
 public:
  GeminiEmbedder(std::string_view model, EmbedEndpoint endpoint)
      : model_(model), endpoint_(std::move(endpoint)) {}

  EmbedLimits limits() const override;
  std::vector<std::string> Dropped(const EmbedRequest& request) const override;
  HttpRequest Render(const EmbedRequest& request,
                     EmbedBatch batch) const override;
  EmbedDecoder decoder() const override { return &Decode; }

  // Vectors as the request asks for their length: shortened ones are made
  // length one.
  void Normalise(const EmbedRequest& request,
                 std::vector<std::vector<float>>* vectors) const;

 private:
  static bool Decode(JsonValue body, size_t count, EmbedAnswer* out);

  const std::string_view model_;
  const EmbedEndpoint endpoint_;
};

Task<EmbedResult> EmbedWithGemini(const EmbedRequest& request,
                                  const AttemptContext& context,
                                  EmbedEndpoint endpoint,
                                  const EmbedExchange& exchange);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_GEMINI_EMBEDDER_H_
