#include "router/stream_shaper.h"

#include <utility>
#include <vector>

#include "router/chunk_content.h"

namespace llm {

StreamShaper::StreamShaper(std::string id, int64_t created, bool include_usage,
                           ChunkSink& out)
    : id_(std::move(id)),
      created_(created),
      include_usage_(include_usage),
      out_(out) {}

void StreamShaper::SetFrame(v1::ChatCompletionChunk* chunk) const {
  chunk->set_id(id_);
  chunk->set_object("chat.completion.chunk");
  chunk->set_created(created_);
  chunk->set_model(model_);
  chunk->set_service_tier(service_tier_);
  chunk->set_system_fingerprint(system_fingerprint_);
}

v1::ChatCompletionChunk StreamShaper::Frame() const {
  v1::ChatCompletionChunk chunk;
  SetFrame(&chunk);
  return chunk;
}

void StreamShaper::Remember(const v1::ChatCompletionChunk& chunk) {
  if (!chunk.service_tier().empty()) service_tier_ = chunk.service_tier();
  if (!chunk.system_fingerprint().empty()) {
    system_fingerprint_ = chunk.system_fingerprint();
  }
}

bool StreamShaper::KeepContent(v1::ChunkChoice& choice) {
  ChoiceState& state = choices_[choice.index()];
  for (const v1::Part& part : choice.delta().parts()) {
    if (part.has_tool_call()) state.has_tool_call = true;
  }
  if (!choice.finish_reason().empty()) {
    state.finish.set_finish_reason(choice.finish_reason());
    state.finish.set_native_finish_reason(choice.native_finish_reason());
    state.finish.set_extra_json(
        MergeObjects(state.finish.extra_json(), choice.extra_json()));
    choice.clear_extra_json();
  }
  if (!DeltaSaysAnything(choice.delta()) && choice.logprobs().empty() &&
      choice.extra_json().empty()) {
    return false;
  }
  choice.clear_finish_reason();
  choice.clear_native_finish_reason();
  choice.mutable_delta()->clear_role();
  if (!state.role_sent) choice.mutable_delta()->set_role("assistant");
  state.role_sent = true;
  return true;
}

Task<absl::Status> StreamShaper::Write(v1::ChatCompletionChunk&& chunk) {
  Remember(chunk);
  auto& choices = *chunk.mutable_choices();
  int kept = 0;
  for (int at = 0; at < choices.size(); ++at) {
    if (KeepContent(choices[at])) choices.SwapElements(kept++, at);
  }
  choices.DeleteSubrange(kept, choices.size() - kept);
  if (kept == 0) {
    // Clients read choices[0] of every chunk but the usage chunk, so what has
    // no content of its own waits for the finish chunk.
    held_extra_.Add(chunk.extra_json());
    return Held();
  }
  // Usage and cost are for the last chunk.
  chunk.clear_usage();
  chunk.clear_llm_service();
  SetFrame(&chunk);
  return out_.Write(std::move(chunk));
}

Task<absl::Status> StreamShaper::Held() { co_return absl::OkStatus(); }

Task<absl::Status> StreamShaper::Finish(v1::ServiceInfo info,
                                        std::optional<v1::Usage> usage) {
  std::vector<v1::ChatCompletionChunk> last;
  if (choices_.empty()) choices_[0];
  for (auto& [index, state] : choices_) {
    v1::ChatCompletionChunk chunk = Frame();
    v1::ChunkChoice& choice = *chunk.add_choices();
    choice.Swap(&state.finish);
    choice.set_index(index);
    choice.set_finish_reason(
        FinishReason(choice.finish_reason(), state.has_tool_call));
    choice.mutable_delta();
    if (!state.role_sent) choice.mutable_delta()->set_role("assistant");
    last.push_back(std::move(chunk));
  }
  last.back().set_extra_json(held_extra_.JoinObjects());
  if (include_usage_) {
    last.push_back(Frame());
    if (usage) {
      *last.back().mutable_usage() = *std::move(usage);
    } else {
      last.back().mutable_usage();
    }
  }
  *last.back().mutable_llm_service() = std::move(info);
  for (v1::ChatCompletionChunk& chunk : last) {
    absl::Status status = co_await out_.Write(std::move(chunk));
    if (!status.ok()) co_return status;
  }
  co_return absl::OkStatus();
}

}  // namespace llm
