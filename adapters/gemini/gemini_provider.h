// Google's models by generateContent: AI Studio, and Vertex AI where the base
// URL is Vertex's.
//
// Threads:   See provider.h.
// Ownership: `transport` and `clock` outlive the provider; `settings` is
//            copied.
// Security:  The URL, its credential and its trust come from `settings` and
//            the attempt's context alone; no caller header or field reaches
//            them [SEC-1].
#ifndef LLM_ADAPTERS_GEMINI_GEMINI_PROVIDER_H_
#define LLM_ADAPTERS_GEMINI_GEMINI_PROVIDER_H_

#include <memory>

#include "adapters/core/clock.h"
#include "adapters/core/provider.h"
#include "adapters/core/provider_settings.h"
#include "adapters/dialect/chat_exchange.h"
#include "adapters/dialect/embed_exchange.h"
#include "adapters/gemini/endpoint_url.h"

namespace llm {

class GeminiProvider : public Provider {
 public:
  GeminiProvider(const ProviderSettings& settings, HttpTransport& transport,
                 const Clock& clock, Beside* beside = nullptr);

  Task<std::unique_ptr<AttemptResult>> Chat(const ChatRequest& request,
                                            const AttemptContext& context,
                                            EventSink& sink) override;
  Task<EmbedResult> Embed(const v1::CreateEmbeddingsRequest& request,
                          const AttemptContext& context) override;
  Task<ProbeResult> Probe(const ProbeContext& context) override;

 private:
  const gemini::EndpointUrl url_;
  EndpointOptions endpoint_;
  HttpTransport& transport_;
  const Clock& clock_;
  const ChatExchange exchange_;
  const EmbedExchange embed_exchange_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_GEMINI_GEMINI_PROVIDER_H_
