// The addresses of one provider: what its settings say, and nothing a caller
// can move to another host [SEC-1].
//
// Azure has three forms (learn.microsoft.com/azure/ai-foundry/openai/
// reference, 2026-11-20). A base URL without a path gets the rest:
//   v1       {base}/openai/v1/chat/completions or embeddings, api-version
//   optional classic  {base}/openai/deployments/{model}/chat/completions, where
//            api_version is set and the base does not end in /v1
//   one deployment: the base holds /deployments/{name} itself
//
// Threads: Constant after construction.
#ifndef LLM_ADAPTERS_OPENAI_ENDPOINT_URL_H_
#define LLM_ADAPTERS_OPENAI_ENDPOINT_URL_H_

#include <string>
#include <string_view>

#include "adapters/core/provider_settings.h"
#include "adapters/openai/profiles.h"

namespace llm::openai {

// The row for these settings: what Azure takes depends on the api_version.
const Profile& ProfileFor(const ProviderSettings& settings);

class EndpointUrl {
 public:
  explicit EndpointUrl(const ProviderSettings& settings);

  // Empty for a model that cannot be a part of a path ("..").
  std::string Chat(std::string_view upstream_model) const;
  // The same for embeddings.
  std::string Embeddings(std::string_view upstream_model) const;
  std::string Models() const;

 private:
  std::string OfModel(std::string_view upstream_model,
                      std::string_view path) const;

  std::string base_;   // no trailing slash
  std::string query_;  // "?api-version=…", or empty
  bool model_in_path_ = false;
};

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_ENDPOINT_URL_H_
