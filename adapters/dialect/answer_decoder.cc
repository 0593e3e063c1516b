#include "adapters/dialect/answer_decoder.h"

namespace llm {

void AnswerDecoder::PassOn(v1::ChatCompletionChunk&& chunk, Chunks* out) {
  for (v1::ChunkChoice& choice : *chunk.mutable_choices()) {
    const bool first = introduced_.insert(choice.index()).second;
    if (first) choice.mutable_delta()->set_role("assistant");
  }
  out->push_back(std::move(chunk));
}

}  // namespace llm
