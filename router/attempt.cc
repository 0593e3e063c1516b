#include "router/attempt.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <memory>

#include "adapters/core/text.h"

namespace llm {
namespace {

namespace asio = boost::asio;

AttemptResult FailedResult(FailureClass failure, std::string_view message) {
  AttemptResult result;
  result.failure.failure = failure;
  result.failure.message = std::string(message);
  result.status = absl::Status(FailureStatusCode(failure), ToAbsl(message));
  return result;
}

void MarkCancelled(AttemptResult* result) {
  result->status = absl::CancelledError("the caller left");
  result->failure.failure = FailureClass::kCancelled;
}

}  // namespace

ProviderTimeouts TimeoutsOf(const RouteTable& table,
                            const RouteTarget& target) {
  if (target.deployment->timeouts) return *target.deployment->timeouts;
  ProviderTimeouts timeouts;
  const auto it = table.providers.find(target.deployment->provider.value);
  if (it != table.providers.end()) timeouts = it->second.timeouts;
  if (!target.traits().reasoning ||
      target.deployment->reasoning == ReasoningSwitch::kOff) {
    return timeouts;
  }
  // A value that differs from the default was written by somebody.
  const ProviderTimeouts defaults;
  if (timeouts.first_content == defaults.first_content) {
    timeouts.first_content = timeouts.total;
  }
  if (timeouts.idle == defaults.idle) timeouts.idle = timeouts.total;
  return timeouts;
}

AttemptDeadlines DeadlinesOf(const ProviderTimeouts& timeouts, Instant began,
                             Instant call_deadline) {
  AttemptDeadlines deadlines;
  deadlines.connect = timeouts.connect;
  deadlines.first_content = timeouts.first_content;
  deadlines.idle = timeouts.idle;
  deadlines.total = std::min(call_deadline, began + timeouts.total);
  return deadlines;
}

Task<std::unique_ptr<AttemptResult>> RunAttempt(Provider* provider,
                                                const ChatRequest& request,
                                                const AttemptContext& context,
                                                AttemptSink& sink) {
  std::unique_ptr<AttemptResult> result;
  if (provider == nullptr) {
    co_return std::make_unique<AttemptResult>(
        FailedResult(FailureClass::kConnect, "provider is not loaded"));
  }
  try {
    result = co_await provider->Chat(request, context, sink);
  } catch (const std::exception&) {
    // Broken promise of a dialect; the exception's text may hold a body.
  }
  if (result == nullptr) {
    result = std::make_unique<AttemptResult>(
        FailedResult(FailureClass::kBadAnswer, "the adapter failed"));
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  const bool left = state.cancelled() != asio::cancellation_type::none;
  if (result->status.ok()) {
    // Passes on what was held, or hears that another attempt has won.
    const absl::Status completed = co_await sink.Complete();
    if (!completed.ok()) MarkCancelled(result.get());
    // A deadline ends a write to a slow caller too; that caller has not left.
  } else if (left || (sink.caller_failed() &&
                      result->failure.failure != FailureClass::kTimeout)) {
    MarkCancelled(result.get());
  } else if (result->failure.failure == FailureClass::kNone) {
    result->failure.failure = FailureClass::kServerError;
  }
  co_return result;
}

Task<EmbedResult> RunEmbedAttempt(Provider* provider,
                                  const v1::CreateEmbeddingsRequest& request,
                                  size_t inputs,
                                  const AttemptContext& context) {
  EmbedResult result;
  if (provider == nullptr) {
    result.attempt =
        FailedResult(FailureClass::kConnect, "provider is not loaded");
    co_return result;
  }
  try {
    result = co_await provider->Embed(request, context);
  } catch (const std::exception&) {
    // Broken promise of a dialect; the exception's text may hold a body.
    result = {};
    result.attempt =
        FailedResult(FailureClass::kBadAnswer, "the adapter failed");
  }
  AttemptResult& attempt = result.attempt;
  const auto state = co_await asio::this_coro::cancellation_state;
  if (attempt.status.ok()) {
    if (result.vectors.size() != inputs) {
      result.vectors.clear();
      attempt = FailedResult(FailureClass::kBadAnswer, "the adapter failed");
    }
  } else if (state.cancelled() != asio::cancellation_type::none) {
    MarkCancelled(&attempt);
  } else if (attempt.failure.failure == FailureClass::kNone) {
    attempt.failure.failure = FailureClass::kServerError;
  }
  if (result.vectors.size() > inputs) result.vectors.resize(inputs);
  co_return result;
}

std::unique_ptr<AttemptResult> NeverDispatched() {
  auto result = std::make_unique<AttemptResult>();
  MarkCancelled(result.get());
  result->dispatched = false;
  return result;
}

std::string AttemptOutcome(const AttemptResult& result, bool committed) {
  const FailureClass failure = result.failure.failure;
  if (result.status.ok()) return "ok";
  if (failure == FailureClass::kCancelled ||
      failure == FailureClass::kSinkFailed) {
    return "client_cancelled";
  }
  if (!result.dispatched) return "not_dispatched";
  // A broken connection in mid-answer is, for whoever reads the rows, the
  // same as a stream without its end [STR-4].
  if (committed && failure == FailureClass::kTransport) {
    return std::string(FailureClassName(FailureClass::kIncomplete));
  }
  return std::string(FailureClassName(failure));
}

AttemptRecord DescribeAttempt(const AttemptIntent& intent,
                              const AttemptResult& result, bool committed) {
  AttemptRecord record;
  record.intent = intent;
  record.outcome = AttemptOutcome(result, committed);
  record.http_status = result.failure.http_status;
  if (result.status.ok() && record.http_status == 0) record.http_status = 200;
  record.upstream_code = result.failure.code;
  record.served_model = result.served_model;
  record.provider_request_id = result.provider_request_id.empty()
                                   ? result.failure.provider_request_id
                                   : result.provider_request_id;
  record.raw_usage_json = result.raw_usage_json;
  record.dropped = result.dropped;
  record.streamed_upstream = result.streamed_upstream;
  record.next = "stop";
  return record;
}

}  // namespace llm
