#include "router/attempt_sink.h"

#include <algorithm>
#include <utility>

#include "router/chunk_content.h"

namespace llm {
namespace {

// More parallel tool calls than any model makes; bounds what is remembered.
constexpr size_t kMaxToolCallIds = 64;

// Worth holding until the attempt commits: roles and empty deltas are not.
bool WorthHolding(const v1::ChatCompletionChunk& chunk) {
  for (const v1::ChunkChoice& choice : chunk.choices()) {
    if (!choice.finish_reason().empty() || !choice.logprobs().empty() ||
        DeltaSaysAnything(choice.delta())) {
      return true;
    }
  }
  return !chunk.extra_json().empty();
}

}  // namespace

AttemptSink::AttemptSink(Options options)
    : options_(std::move(options)), recorder_(options_.max_turn_bytes) {}

bool AttemptSink::Commit() {
  if (committed_) return true;
  if (!options_.gate->TryCommit(options_.attempt)) return false;
  committed_ = true;
  if (options_.on_commit) options_.on_commit(dropped_);
  return true;
}

void AttemptSink::Note(const v1::ChatCompletionChunk& chunk) {
  CountOutput(chunk, &estimate_);
  if (options_.shaper != nullptr) recorder_.Add(chunk);
  if (!content_seen_ && ChunkHasContent(chunk)) {
    content_seen_ = true;
    if (options_.on_first_content) options_.on_first_content();
  }
  for (const v1::ChunkChoice& choice : chunk.choices()) {
    for (const v1::Part& part : choice.delta().parts()) {
      const std::string& id = part.tool_call().id();
      if (id.empty() || tool_call_ids_.size() >= kMaxToolCallIds) continue;
      if (std::find(tool_call_ids_.begin(), tool_call_ids_.end(), id) ==
          tool_call_ids_.end()) {
        tool_call_ids_.push_back(id);
      }
    }
  }
}

Task<absl::Status> AttemptSink::Pass(v1::ChatCompletionChunk&& chunk) {
  const Instant before = options_.clock->Monotonic();
  absl::Status status = co_await options_.shaper->Write(std::move(chunk));
  caller_wait_ += options_.clock->Monotonic() - before;
  if (!status.ok()) caller_failed_ = true;
  co_return status;
}

Task<absl::Status> AttemptSink::Write(v1::ChatCompletionChunk&& chunk) {
  if (options_.gate->LostBy(options_.attempt)) {
    co_return absl::CancelledError("another attempt answers");
  }
  const Instant before = options_.clock->Monotonic();
  Note(chunk);
  absl::Status status;
  if (options_.shaper == nullptr) {
    assembler_.Add(std::move(chunk));
  } else if (!content_seen_) {
    if (WorthHolding(chunk)) held_.push_back(std::move(chunk));
  } else if (!Commit()) {
    status = absl::CancelledError("another attempt answers");
  } else {
    for (v1::ChatCompletionChunk& held : std::exchange(held_, {})) {
      if (status.ok()) status = co_await Pass(std::move(held));
    }
    if (status.ok()) status = co_await Pass(std::move(chunk));
  }
  busy_ += options_.clock->Monotonic() - before;
  co_return status;
}

Task<absl::Status> AttemptSink::Complete() {
  if (!Commit()) co_return absl::CancelledError("another attempt answers");
  absl::Status status;
  for (v1::ChatCompletionChunk& held : std::exchange(held_, {})) {
    if (status.ok()) status = co_await Pass(std::move(held));
  }
  co_return status;
}

}  // namespace llm
