// The addresses and headers of one provider: what its settings say, and
// nothing a caller can move to another host [SEC-1].
//
// Threads: Constant after construction.
// Fact:    anthropic.md 1 and 7 (2026-11-20). The contract's section 2 says
//          that a base ending in /v1 does not get it twice.
#ifndef LLM_ADAPTERS_ANTHROPIC_ENDPOINT_URL_H_
#define LLM_ADAPTERS_ANTHROPIC_ENDPOINT_URL_H_

#include <string>
#include <string_view>
#include <vector>

#include "adapters/core/http_transport.h"
#include "adapters/core/ids.h"
#include "adapters/core/provider_settings.h"

namespace llm::anthropic {

class EndpointUrl {
 public:
  explicit EndpointUrl(const ProviderSettings& settings);
  std::string Messages() const { return base_ + "/messages"; }
  std::string Models() const { return base_ + "/models"; }

 private:
  std::string base_;  // with /v1, no trailing slash
};

// Version and credential.
std::vector<HttpHeader> RequestHeaders(const ApiKey& key);

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_ENDPOINT_URL_H_
