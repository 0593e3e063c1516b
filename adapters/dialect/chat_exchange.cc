#include "adapters/dialect/chat_exchange.h"

#include <exception>
#include <memory>
#include <utility>

#include "adapters/core/text.h"
#include "adapters/dialect/provider_words.h"
#include "adapters/http/rate_limit_headers.h"
#include "adapters/http/retry_after.h"

namespace llm {
namespace {

std::string_view Explain(FailureClass failure) {
  switch (failure) {
    case FailureClass::kIncomplete:
      return "the stream ended without its terminal event";
    case FailureClass::kEmptyAnswer:
      return "the provider answered without content";
    case FailureClass::kBadAnswer:
      return "the answer is not a chat completion";
    case FailureClass::kSinkFailed:
      return "the answer could not be passed on";
    case FailureClass::kOverloaded:
    case FailureClass::kServerError:
      return "the provider broke off the answer";
    default:
      return {};
  }
}

// What is not sent at all; null: it is.
std::unique_ptr<AttemptResult> Refuse(RenderedChat& rendered,
                                      const AttemptContext& context) {
  if (rendered.refusal) {
    return std::make_unique<AttemptResult>(
        RefuseField(std::move(rendered.refusal->param),
                    std::move(rendered.refusal->message)));
  }
  if (context.strict && !rendered.dropped.empty()) {
    return std::make_unique<AttemptResult>(
        RefuseDrops(std::move(rendered.dropped)));
  }
  if (rendered.http.url.empty()) {
    return std::make_unique<AttemptResult>(
        RefuseAttempt(FailureClass::kModelNotFound,
                      "no model or deployment can have this name"));
  }
  return nullptr;
}

}  // namespace

UpstreamFailure ChatExchange::FailureOf(const HttpResult& http,
                                        const AnswerReader& reader,
                                        const AnswerDecoder& decoder,
                                        const ApiKey& key) const {
  UpstreamFailure failure;
  failure.http_status = reader.http_status();
  const bool cancelled = http.status.code() == absl::StatusCode::kCancelled;
  // A deadline cancels the sink that waits: then the sink's word is an echo.
  const bool late = http.status.code() == absl::StatusCode::kDeadlineExceeded;
  if (cancelled || (!late && !reader.sink_status().ok())) {
    const bool by_sink = !cancelled && reader.sink_status().code() !=
                                           absl::StatusCode::kCancelled;
    failure.failure =
        by_sink ? FailureClass::kSinkFailed : FailureClass::kCancelled;
    failure.message = std::string(Explain(failure.failure));
    return failure;
  }
  if (reader.http_status() != 0 && !reader.answered_ok()) {
    return DescribeRefusal(classify_, reader.http_status(),
                           ReadErrorBody(reader.error_body()), key);
  }
  const AnswerFacts& facts = decoder.facts();
  if (facts.error) {
    return DescribeRefusal(classify_, reader.http_status(), *facts.error, key);
  }
  // What the decoder found in whole bytes outranks how they ended; a missing
  // end is the transport's to explain.
  const bool cut = facts.failure == FailureClass::kIncomplete ||
                   facts.failure == FailureClass::kNone;
  if (!cut || http.status.ok()) {
    failure.failure = cut ? FailureClass::kIncomplete : facts.failure;
    failure.message = std::string(Explain(failure.failure));
    return failure;
  }
  failure.failure =
      TransportFailure(http, facts.content_seen || http.body_bytes > 0);
  failure.message = SanitiseUpstreamText(ToStd(http.status.message()), 512);
  return failure;
}

void ChatExchange::Evaluate(const HttpResult& http, const AnswerReader& reader,
                            const AnswerDecoder& decoder, const ApiKey& key,
                            AttemptResult* result) const {
  const AnswerFacts& facts = decoder.facts();
  const bool ok =
      facts.complete && !decoder.failed() && reader.sink_status().ok();
  if (facts.usage) {
    result->usage = *facts.usage;
    result->usage_source =
        ok || facts.complete ? UsageSource::kProvider : UsageSource::kPartial;
  }
  result->output_is_early = facts.output_is_early;
  result->raw_usage_json = facts.raw_usage_json;
  result->served_model.value = OneWord(facts.served_model, 256);
  result->content_seen = facts.content_seen;
  result->reasoning_exhausted = facts.reasoning_exhausted;
  result->output_chars = facts.output_chars;
  result->timings = http.timings;
  result->provider_request_id = ProviderRequestId(reader.headers());
  result->limits = ParseRateLimits(reader.headers(), clock_.WallNow());
  if (!ok) {
    result->failure = FailureOf(http, reader, decoder, key);
    // On a 200 none of these headers is a wait, whatever the stream became.
    const auto wait = reader.http_status() >= 400
                          ? ParseRetryAfter(reader.headers(), clock_.WallNow())
                          : std::nullopt;
    if (wait) result->failure.retry_after = wait;
    result->stale_connection = MayBeStale(http);
    result->status = absl::Status(FailureStatusCode(result->failure.failure),
                                  result->failure.message);
  }
  if (result->provider_request_id.empty()) {
    result->provider_request_id =
        facts.answer_id.empty()
            ? result->failure.provider_request_id
            : SanitiseUpstreamText(OneWord(facts.answer_id, 128), 128);
  }
  if (!ok) result->failure.provider_request_id = result->provider_request_id;
}

Task<std::unique_ptr<AttemptResult>> ChatExchange::Run(
    RenderedChat rendered, const AttemptContext& context,
    std::unique_ptr<AnswerDecoder> decoder, EventSink& sink) const {
  if (auto refused = Refuse(rendered, context)) co_return refused;
  if (!rendered.dropped.empty()) sink.OnDropped(rendered.dropped);
  rendered.http.deadlines = context.deadlines;
  rendered.http.fresh_connection = context.fresh_connection;
  rendered.http.trickles = rendered.stream;
  KeyHidingSink hiding(context.api_key, sink);
  AnswerReader reader(*decoder, hiding);
  HttpResult http = co_await transport_.Send(rendered.http, reader);
  // A cancelled task must not wait for anything any more.
  if (http.status.code() != absl::StatusCode::kCancelled &&
      reader.sink_status().ok()) {
    try {
      // The reader keeps the sink's error; there is nothing to add here.
      (void)co_await reader.Finish(http.status.ok());
    } catch (const std::exception&) {
      // Asio throws where a cancelled coroutine waits.
      http.status = absl::CancelledError("cancelled");
    }
  }
  decoder->Settle();
  // Not before: a stream that is open would hold it.
  auto result = std::make_unique<AttemptResult>();
  result->dropped = std::move(rendered.dropped);
  result->request_bytes = static_cast<int64_t>(rendered.http.body.size());
  result->streamed_upstream = rendered.stream;
  result->thinking = rendered.thinking;
  Evaluate(http, reader, *decoder, context.api_key, result.get());
  HideKey(context.api_key, result.get());
  co_return result;
}

}  // namespace llm
