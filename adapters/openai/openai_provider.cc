#include "adapters/openai/openai_provider.h"

#include <utility>

#include "adapters/dialect/models_probe.h"
#include "adapters/openai/error_table.h"
#include "adapters/openai/openai_decoder.h"
#include "adapters/openai/openai_request.h"
#include "adapters/openai/request_headers.h"

namespace llm {

OpenAiProvider::OpenAiProvider(const ProviderSettings& settings,
                               HttpTransport& transport, const Clock& clock)
    : profile_(openai::ProfileFor(settings)),
      url_(settings),
      endpoint_(settings.endpoint),
      transport_(transport),
      clock_(clock),
      exchange_(transport, clock,
                [profile = &profile_](int status, const ErrorWords& words) {
                  return openai::ClassifyError(*profile, status, words);
                }) {}

HttpRequest OpenAiProvider::MakeHttpRequest(
    std::string body, const AttemptContext& context) const {
  HttpRequest http;
  http.url = url_.Chat(context.upstream_model.value);
  http.headers = openai::RequestHeaders(profile_, context.api_key);
  http.headers.push_back({"content-type", "application/json"});
  http.headers.push_back({"accept", "application/json, text/event-stream"});
  http.body = std::move(body);
  http.endpoint = endpoint_;
  return http;
}

Task<AttemptResult> OpenAiProvider::Chat(const ChatRequest& request,
                                         const AttemptContext& context,
                                         EventSink& sink) {
  openai::RenderedRequest rendered =
      openai::RenderRequest(request, context, profile_);
  RenderedChat chat;
  chat.http = MakeHttpRequest(std::move(rendered.body), context);
  chat.stream = rendered.stream;
  chat.thinking = rendered.thinking;
  chat.dropped = std::move(rendered.dropped);
  if (chat.http.url.empty() && (!context.strict || chat.dropped.empty())) {
    co_return RefuseAttempt(FailureClass::kModelNotFound,
                            "no deployment can have this name");
  }
  openai::OpenAiDecoder decoder(context.provider.value,
                                context.attempt_id.value);
  co_return co_await exchange_.Run(std::move(chat), context, decoder, sink);
}

Task<ProbeResult> OpenAiProvider::Probe(const ProbeContext& context) {
  if (!profile_.models_list) co_return ProbeResult{};
  const ProbeTarget target{url_.Models(),
                           openai::RequestHeaders(profile_, context.api_key),
                           endpoint_};
  co_return co_await ProbeModels(target, context, transport_, clock_);
}

}  // namespace llm
