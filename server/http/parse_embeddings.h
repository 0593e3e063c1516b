// An OpenAI embeddings request, as JSON text, made into the canonical one.
//
// `input` is a text, a list of texts, a list of token numbers (one input) or a
// list of those. Null means not set; unknown members are kept as JSON text in
// `extra_json`.
//
// Errors: as parse_chat_request.h; what both doors check is embed_check.h's.
// Fact:   platform.openai.com/docs/api-reference/embeddings/create and its
//         OpenAPI file 2.3.0, read 2026-08-21.
#ifndef LLM_SERVER_HTTP_PARSE_EMBEDDINGS_H_
#define LLM_SERVER_HTTP_PARSE_EMBEDDINGS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "llm/v1/embeddings.pb.h"

namespace llm::server {

struct EmbeddingsBody {
  v1::CreateEmbeddingsRequest message;
  // encoding_format: how this door spells the vectors. OpenAI's own SDKs ask
  // for base64 where their user said nothing.
  bool base64 = false;
};

absl::StatusOr<EmbeddingsBody> ParseEmbeddings(
    std::shared_ptr<const std::string> body);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_PARSE_EMBEDDINGS_H_
