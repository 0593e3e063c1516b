// Embeddings as OpenAI's JSON, and our `llm_service` object beside it.
//
// Vectors are float32: as numbers in their shortest form that reads back the
// same, or as base64 of their little-endian bytes.
//
// Threads: Pure.
#ifndef LLM_SERVER_HTTP_RENDER_EMBEDDINGS_H_
#define LLM_SERVER_HTTP_RENDER_EMBEDDINGS_H_

#include <cstddef>
#include <string>

#include "llm/v1/embeddings.pb.h"

namespace llm::server {

std::string RenderEmbeddings(const v1::CreateEmbeddingsResponse& response,
                             bool base64);

// Numbers in all vectors together: what rendering takes.
size_t FloatsIn(const v1::CreateEmbeddingsResponse& response);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_RENDER_EMBEDDINGS_H_
