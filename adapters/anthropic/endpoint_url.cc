#include "adapters/anthropic/endpoint_url.h"

#include "absl/strings/strip.h"

namespace llm::anthropic {

EndpointUrl::EndpointUrl(const ProviderSettings& settings)
    : base_(absl::StripSuffix(settings.base_url, "/")) {
  if (!base_.ends_with("/v1")) base_ += "/v1";
}

std::vector<HttpHeader> RequestHeaders(const ApiKey& key) {
  std::vector<HttpHeader> headers = {{"user-agent", "llm-service/" LLM_VERSION},
                                     {"anthropic-version", "2023-06-01"}};
  if (!key.empty()) headers.push_back({"x-api-key", key.Reveal()});
  return headers;
}

}  // namespace llm::anthropic
