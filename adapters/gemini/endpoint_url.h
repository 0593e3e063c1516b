// The addresses of one provider and the credential that opens them: what its
// settings say, and nothing a caller can move to another host [SEC-1].
//
//   AI Studio  {base}/models/{m}:streamGenerateContent?alt=sse, x-goog-api-key
//   Vertex AI  the same below .../publishers/google, Authorization: Bearer
//
// Threads: Constant after construction.
// Fact:    gemini.md section 1 (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_ENDPOINT_URL_H_
#define LLM_ADAPTERS_GEMINI_ENDPOINT_URL_H_

#include <string>
#include <string_view>
#include <vector>

#include "adapters/core/http_transport.h"
#include "adapters/core/ids.h"
#include "adapters/core/provider_settings.h"

namespace llm::gemini {

class EndpointUrl {
 public:
  explicit EndpointUrl(const ProviderSettings& settings);

  bool vertex() const { return vertex_; }
  // A model's own address, without a method. Empty for a model that cannot be
  // a part of a path ("..").
  std::string Model(std::string_view upstream_model) const;
  // Empty as Model.
  std::string Stream(std::string_view upstream_model) const;
  // Empty where there is no list of models to look at.
  std::string Models() const;
  std::vector<HttpHeader> Headers(const ApiKey& key) const;

 private:
  std::string base_;  // no trailing slash
  bool vertex_ = false;
};

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_ENDPOINT_URL_H_
