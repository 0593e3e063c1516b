// Any server that speaks Anthropic's Messages API.
//
// Threads:   See provider.h.
// Ownership: `transport` and `clock` outlive the provider; `settings` is
//            copied.
// Security:  The URL, its credential and its trust come from `settings` and
//            the attempt's context alone [SEC-1]. A caller's beta names reach
//            one header, as plain words.
#ifndef LLM_ADAPTERS_ANTHROPIC_ANTHROPIC_PROVIDER_H_
#define LLM_ADAPTERS_ANTHROPIC_ANTHROPIC_PROVIDER_H_

#include <memory>

#include "adapters/anthropic/endpoint_url.h"
#include "adapters/core/clock.h"
#include "adapters/core/provider.h"
#include "adapters/core/provider_settings.h"
#include "adapters/dialect/chat_exchange.h"

namespace llm {

class AnthropicProvider : public Provider {
 public:
  AnthropicProvider(const ProviderSettings& settings, HttpTransport& transport,
                    const Clock& clock);

  Task<std::unique_ptr<AttemptResult>> Chat(const ChatRequest& request,
                                            const AttemptContext& context,
                                            EventSink& sink) override;
  Task<ProbeResult> Probe(const ProbeContext& context) override;

 private:
  const anthropic::EndpointUrl url_;
  EndpointOptions endpoint_;
  HttpTransport& transport_;
  const Clock& clock_;
  const ChatExchange exchange_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_ANTHROPIC_ANTHROPIC_PROVIDER_H_
