#include "adapters/anthropic/anthropic_provider.h"

#include <memory>
#include <utility>

#include "absl/strings/str_join.h"
#include "adapters/anthropic/anthropic_decoder.h"
#include "adapters/anthropic/anthropic_request.h"
#include "adapters/anthropic/error_table.h"
#include "adapters/dialect/models_probe.h"

namespace llm {

AnthropicProvider::AnthropicProvider(const ProviderSettings& settings,
                                     HttpTransport& transport,
                                     const Clock& clock)
    : url_(settings),
      endpoint_(settings.endpoint),
      transport_(transport),
      clock_(clock),
      exchange_(transport, clock, anthropic::ClassifyError) {}

Task<std::unique_ptr<AttemptResult>> AnthropicProvider::Chat(
    const ChatRequest& request, const AttemptContext& context,
    EventSink& sink) {
  anthropic::RenderedRequest rendered =
      anthropic::RenderRequest(request, context);
  RenderedChat chat;
  chat.http.url = url_.Messages();
  chat.http.headers = anthropic::RequestHeaders(context.api_key);
  if (!rendered.betas.empty()) {
    chat.http.headers.push_back(
        {"anthropic-beta", absl::StrJoin(rendered.betas, ",")});
  }
  chat.http.headers.push_back({"content-type", "application/json"});
  chat.http.headers.push_back(
      {"accept", "application/json, text/event-stream"});
  chat.http.body = std::move(rendered.body);
  chat.http.endpoint = endpoint_;
  chat.stream = true;
  chat.thinking = rendered.thinking;
  chat.dropped = std::move(rendered.dropped);
  chat.refusal = std::move(rendered.refusal);
  auto decoder = std::make_unique<anthropic::AnthropicDecoder>(
      context.attempt_id.value, std::move(rendered.answer_tool),
      context.upstream_model.value, std::move(rendered.names),
      rendered.only_warms);
  return exchange_.Run(std::move(chat), context, std::move(decoder), sink);
}

Task<ProbeResult> AnthropicProvider::Probe(const ProbeContext& context) {
  const ProbeTarget target{
      url_.Models(), anthropic::RequestHeaders(context.api_key), endpoint_};
  co_return co_await ProbeModels(target, context, transport_, clock_);
}

}  // namespace llm
