#include "adapters/openai/openai_provider.h"

#include <memory>
#include <utility>

#include "adapters/dialect/models_probe.h"
#include "adapters/openai/error_table.h"
#include "adapters/openai/openai_decoder.h"
#include "adapters/openai/openai_embedder.h"
#include "adapters/openai/openai_request.h"
#include "adapters/openai/request_headers.h"

namespace llm {
namespace {

ErrorClassifier ClassifierOf(const openai::Profile& profile) {
  return [&profile](int status, const ErrorWords& words) {
    return openai::ClassifyError(profile, status, words);
  };
}

}  // namespace

OpenAiProvider::OpenAiProvider(const ProviderSettings& settings,
                               HttpTransport& transport, const Clock& clock,
                               Beside* beside)
    : profile_(openai::ProfileFor(settings)),
      url_(settings),
      endpoint_(settings.endpoint),
      transport_(transport),
      clock_(clock),
      exchange_(transport, clock, ClassifierOf(profile_)),
      embed_exchange_(transport, clock, ClassifierOf(profile_), beside) {}

HttpRequest OpenAiProvider::MakeHttpRequest(
    std::string url, const AttemptContext& context) const {
  HttpRequest http;
  http.url = std::move(url);
  http.headers = openai::RequestHeaders(profile_, context.api_key);
  http.headers.push_back({"content-type", "application/json"});
  http.endpoint = endpoint_;
  return http;
}

Task<std::unique_ptr<AttemptResult>> OpenAiProvider::Chat(
    const ChatRequest& request, const AttemptContext& context,
    EventSink& sink) {
  openai::RenderedRequest rendered =
      openai::RenderRequest(request, context, profile_);
  RenderedChat chat;
  chat.http = MakeHttpRequest(url_.Chat(context.upstream_model.value), context);
  chat.http.headers.push_back(
      {"accept", "application/json, text/event-stream"});
  chat.http.body = std::move(rendered.body);
  chat.stream = rendered.stream;
  chat.thinking = rendered.thinking;
  chat.dropped = std::move(rendered.dropped);
  auto decoder = std::make_unique<openai::OpenAiDecoder>(
      context.provider.value, context.attempt_id.value);
  return exchange_.Run(std::move(chat), context, std::move(decoder), sink);
}

Task<EmbedResult> OpenAiProvider::Embed(
    const v1::CreateEmbeddingsRequest& request, const AttemptContext& context) {
  const std::string& model = context.upstream_model.value;
  HttpRequest http = MakeHttpRequest(url_.Embeddings(model), context);
  http.headers.push_back({"accept", "application/json"});
  const bool no_such = http.url.empty();
  const openai::OpenAiEmbedder embedder(
      openai::EmbedRulesFor(profile_.id, model), model, std::move(http));
  EmbedResult refused;
  if (auto refusal = embedder.Refuses(request)) {
    refused.attempt =
        RefuseField(std::move(refusal->param), std::move(refusal->message));
    co_return refused;
  }
  if (no_such) {
    refused.attempt = RefuseAttempt(FailureClass::kModelNotFound,
                                    "no deployment can have this name");
    co_return refused;
  }
  co_return co_await embed_exchange_.Run(request, context, embedder);
}

Task<ProbeResult> OpenAiProvider::Probe(const ProbeContext& context) {
  if (!profile_.models_list) co_return ProbeResult{};
  const ProbeTarget target{url_.Models(),
                           openai::RequestHeaders(profile_, context.api_key),
                           endpoint_};
  co_return co_await ProbeModels(target, context, transport_, clock_);
}

}  // namespace llm
