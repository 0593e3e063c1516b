#include "adapters/core/provider.h"

namespace llm {

Task<EmbedResult> Provider::Embed(
    const v1::CreateEmbeddingsRequest& /*request*/,
    const AttemptContext& /*context*/) {
  EmbedResult result;
  result.attempt.dispatched = false;
  UpstreamFailure& failure = result.attempt.failure;
  failure.failure = FailureClass::kUnsupported;
  failure.code = "unsupported_parameter";
  failure.param = "model";
  failure.message = "this provider makes no embeddings";
  result.attempt.status =
      absl::Status(FailureStatusCode(failure.failure), failure.message);
  co_return result;
}

Task<ProbeResult> Provider::Probe(const ProbeContext& /*context*/) {
  co_return ProbeResult{};
}

}  // namespace llm
