#include "tests/support/scripted_provider.h"

#include <algorithm>
#include <stdexcept>

namespace llm {
namespace {

v1::Part* NewPart(v1::ChatCompletionChunk* chunk, int choice) {
  v1::ChunkChoice* added = chunk->add_choices();
  added->set_index(choice);
  return added->mutable_delta()->add_parts();
}

void Fail(FailureClass failure, AttemptResult* result) {
  result->failure.failure = failure;
  result->status = absl::Status(FailureStatusCode(failure), "scripted");
}

}  // namespace

v1::ChatCompletionChunk TextChunk(std::string text, int choice) {
  v1::ChatCompletionChunk chunk;
  NewPart(&chunk, choice)->mutable_text()->set_text(std::move(text));
  return chunk;
}

v1::ChatCompletionChunk ReasoningChunk(std::string text) {
  v1::ChatCompletionChunk chunk;
  NewPart(&chunk, 0)->mutable_reasoning()->set_text(std::move(text));
  return chunk;
}

v1::ChatCompletionChunk ToolChunk(int index, std::string id, std::string name,
                                  std::string arguments) {
  v1::ChatCompletionChunk chunk;
  v1::ToolCall* call = NewPart(&chunk, 0)->mutable_tool_call();
  call->set_index(index);
  call->set_id(std::move(id));
  call->mutable_function()->set_name(std::move(name));
  call->mutable_function()->set_arguments(std::move(arguments));
  return chunk;
}

v1::ChatCompletionChunk FinishChunk(std::string reason, int choice) {
  v1::ChatCompletionChunk chunk;
  v1::ChunkChoice* added = chunk.add_choices();
  added->set_index(choice);
  added->set_finish_reason(std::move(reason));
  return chunk;
}

ScriptedAttempt Answer(std::string text, int64_t input, int64_t output) {
  ScriptedAttempt attempt;
  attempt.chunks = {TextChunk(std::move(text)), FinishChunk("stop")};
  attempt.usage.fresh_input = input;
  attempt.usage.output = output;
  attempt.usage_source = UsageSource::kProvider;
  return attempt;
}

ScriptedAttempt Failure(FailureClass failure, int http_status) {
  ScriptedAttempt attempt;
  attempt.failure = failure;
  attempt.http_status = http_status;
  return attempt;
}

Task<absl::Status> ScriptedProvider::Sleep(absl::Duration wait,
                                           const AttemptContext& context) {
  if (wait <= absl::ZeroDuration()) co_return absl::OkStatus();
  const Instant until = clock_.Monotonic() + wait;
  const absl::Status woken =
      co_await clock_.SleepUntil(std::min(until, context.deadlines.total));
  if (woken.ok() && clock_.Monotonic() < until) {
    co_return absl::DeadlineExceededError("total");
  }
  co_return woken;
}

Task<ProbeResult> ScriptedProvider::Probe(const ProbeContext& context) {
  probes.push_back(context);
  co_return probe;
}

ScriptedAttempt ScriptedProvider::NextPlay() {
  ScriptedAttempt play = forever_.value_or(Failure(FailureClass::kServerError));
  if (!script_.empty()) {
    play = std::move(script_.front());
    script_.pop_front();
  }
  return play;
}

Task<EmbedResult> ScriptedProvider::Embed(
    const v1::CreateEmbeddingsRequest& request, const AttemptContext& context) {
  calls_.push_back({context, nullptr, clock_.Monotonic()});
  embeds.push_back(request);
  if (on_call) on_call();
  ScriptedAttempt play = NextPlay();
  EmbedResult result;
  result.attempt.usage = play.usage;
  result.attempt.usage_source = play.usage_source;
  result.attempt.dispatched = play.dispatched;
  result.attempt.content_seen = !play.vectors.empty();
  result.vectors = std::move(play.vectors);
  const absl::Status status = co_await Sleep(play.delay, context);
  if (absl::IsDeadlineExceeded(status)) {
    Fail(FailureClass::kTimeout, &result.attempt);
  } else if (!status.ok()) {
    Fail(FailureClass::kCancelled, &result.attempt);
  } else if (play.failure != FailureClass::kNone) {
    Fail(play.failure, &result.attempt);
    result.attempt.failure.http_status = play.http_status;
    result.attempt.failure.param = play.param;
    result.attempt.failure.retry_after = play.retry_after;
  } else if (result.vectors.empty()) {
    for (const std::string& text : request.input()) {
      result.vectors.push_back({static_cast<float>(text.size()), 1});
    }
    for (const v1::TokenInput& tokens : request.token_inputs()) {
      result.vectors.push_back({static_cast<float>(tokens.tokens_size()), 2});
    }
  }
  co_return result;
}

Task<std::unique_ptr<AttemptResult>> ScriptedProvider::Chat(
    const ChatRequest& request, const AttemptContext& context,
    EventSink& sink) {
  calls_.push_back({context, &request, clock_.Monotonic()});
  if (on_call) on_call();
  if (on_request) on_request(request);
  ScriptedAttempt play = NextPlay();
  if (play.throws) throw std::runtime_error("what the caller asked");
  return Answered(std::move(play), context, sink);
}

Task<std::unique_ptr<AttemptResult>> ScriptedProvider::Answered(
    ScriptedAttempt play, const AttemptContext& context, EventSink& sink) {
  if (play.no_result) co_return nullptr;
  auto result = std::make_unique<AttemptResult>();
  result->usage = play.usage;
  result->usage_source = play.usage_source;
  result->served_model.value = play.served_model;
  result->stale_connection = play.stale_connection;
  result->dispatched = play.dispatched;
  result->thinking = play.thinking;
  result->reasoning_exhausted = play.reasoning_exhausted;
  result->output_chars = play.output_chars;
  result->output_is_early = play.output_is_early;
  result->limits = play.limits;
  result->dropped = play.dropped;
  if (!play.dropped.empty()) sink.OnDropped(play.dropped);
  absl::Status status = co_await Sleep(play.delay, context);
  for (v1::ChatCompletionChunk& chunk : play.chunks) {
    if (status.ok()) status = co_await sink.Write(std::move(chunk));
    if (status.ok()) result->content_seen = true;
  }
  if (status.ok()) status = co_await Sleep(play.end_delay, context);
  if (!status.ok() && play.failure == FailureClass::kTimeout) {
    status = absl::DeadlineExceededError("total");
  }
  if (absl::IsDeadlineExceeded(status)) {
    Fail(FailureClass::kTimeout, result.get());
  } else if (absl::IsCancelled(status)) {
    Fail(FailureClass::kCancelled, result.get());
  } else if (!status.ok()) {
    Fail(FailureClass::kSinkFailed, result.get());
  } else if (play.failure != FailureClass::kNone) {
    Fail(play.failure, result.get());
    result->failure.http_status = play.http_status;
    result->failure.code = play.code;
    result->failure.param = play.param;
    result->failure.retry_after = play.retry_after;
  }
  co_return result;
}

}  // namespace llm
