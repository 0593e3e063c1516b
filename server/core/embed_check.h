// What a request for embeddings must satisfy, from either door, before the
// rooms below may rely on it. Lengths of texts are the provider's to judge.
//
// Threads: Pure; any.
// Errors:  kInvalidArgument, invalid_request, with the field in `param`.
// Fact:    2048 inputs, none empty: platform.openai.com/docs/api-reference/
//          embeddings/create, 2026-08-21.
#ifndef LLM_SERVER_CORE_EMBED_CHECK_H_
#define LLM_SERVER_CORE_EMBED_CHECK_H_

#include "absl/status/status.h"
#include "llm/v1/embeddings.pb.h"

namespace llm::server {

inline constexpr int kMaxEmbedInputs = 2048;
// A JSON body of token lists holds one value for each token; OpenAI takes
// 300,000 tokens at once.
inline constexpr size_t kMaxEmbedValues = 400'000;

absl::Status CheckEmbedRequest(const v1::CreateEmbeddingsRequest& request);

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_EMBED_CHECK_H_
