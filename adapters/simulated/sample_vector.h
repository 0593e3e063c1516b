// Vectors for texts, without a model: the same text has the same vector, and
// another text another. Near texts are not near: nothing is understood here.
//
// Threads: Pure.
#ifndef LLM_ADAPTERS_SIMULATED_SAMPLE_VECTOR_H_
#define LLM_ADAPTERS_SIMULATED_SAMPLE_VECTOR_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "llm/v1/embeddings.pb.h"

namespace llm {

// As OpenAI's small model.
inline constexpr int kSampleDimensions = 1536;
inline constexpr int kMostSampleDimensions = 4096;

// A stable digest of one input of `request`, and of all.
uint64_t InputDigest(const v1::CreateEmbeddingsRequest& request, size_t input);
uint64_t InputsDigest(const v1::CreateEmbeddingsRequest& request);

// Of length one. Fewer dimensions are the first of more, made one again, as
// models that can be shortened do it.
std::vector<float> SampleVector(uint64_t digest, int dimensions);

int64_t CountInputTokens(const v1::CreateEmbeddingsRequest& request);

}  // namespace llm

#endif  // LLM_ADAPTERS_SIMULATED_SAMPLE_VECTOR_H_
