#include "adapters/gemini/gemini_provider.h"

#include <memory>
#include <utility>

#include "adapters/dialect/models_probe.h"
#include "adapters/gemini/error_table.h"
#include "adapters/gemini/gemini_decoder.h"
#include "adapters/gemini/gemini_embedder.h"
#include "adapters/gemini/gemini_request.h"

namespace llm {

GeminiProvider::GeminiProvider(const ProviderSettings& settings,
                               HttpTransport& transport, const Clock& clock,
                               Beside* beside)
    : url_(settings),
      endpoint_(settings.endpoint),
      transport_(transport),
      clock_(clock),
      exchange_(transport, clock, gemini::ClassifyError),
      embed_exchange_(transport, clock, gemini::ClassifyError, beside) {}

Task<std::unique_ptr<AttemptResult>> GeminiProvider::Chat(
    const ChatRequest& request, const AttemptContext& context,
    EventSink& sink) {
  gemini::RenderedRequest rendered =
      gemini::RenderRequest(request, context, url_.vertex());
  RenderedChat chat;
  chat.http.url = url_.Stream(context.upstream_model.value);
  chat.http.headers = url_.Headers(context.api_key);
  chat.http.headers.push_back({"content-type", "application/json"});
  chat.http.headers.push_back(
      {"accept", "text/event-stream, application/json"});
  chat.http.body = std::move(rendered.body);
  chat.http.endpoint = endpoint_;
  // Also for callers who want the answer whole: every chunk carries usage, and
  // long answers meet no proxy's timeout.
  chat.stream = true;
  chat.thinking = rendered.thinking;
  chat.dropped = std::move(rendered.dropped);
  chat.refusal = std::move(rendered.refusal);
  if (chat.http.url.empty()) {
    // No other request to this name would be better.
    chat.dropped.clear();
    chat.refusal.reset();
  }
  auto decoder = std::make_unique<gemini::GeminiDecoder>(
      context.upstream_model.value, context.attempt_id.value,
      std::move(rendered.names));
  return exchange_.Run(std::move(chat), context, std::move(decoder), sink);
}

Task<EmbedResult> GeminiProvider::Embed(
    const v1::CreateEmbeddingsRequest& request, const AttemptContext& context) {
  gemini::EmbedEndpoint endpoint{
      .model_url = url_.Model(context.upstream_model.value),
      .headers = url_.Headers(context.api_key),
      .options = endpoint_,
      .vertex = url_.vertex()};
  co_return co_await gemini::EmbedWithGemini(
      request, context, std::move(endpoint), embed_exchange_);
}

Task<ProbeResult> GeminiProvider::Probe(const ProbeContext& context) {
  ProbeTarget target{url_.Models(), url_.Headers(context.api_key), endpoint_};
  if (target.url.empty()) co_return ProbeResult{};
  co_return co_await ProbeModels(target, context, transport_, clock_);
}

}  // namespace llm
