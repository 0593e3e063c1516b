#include "llm_service/answer_builder.h"

#include <algorithm>
#include <string>

#include "join_parts.h"

namespace llm::client {
namespace {

v1::Choice* FindOrAdd(int index, v1::ChatCompletionResponse* answer) {
  for (v1::Choice& choice : *answer->mutable_choices()) {
    if (choice.index() == index) return &choice;
  }
  v1::Choice* added = answer->add_choices();
  added->set_index(index);
  return added;
}

void KeepLast(const std::string& from, std::string* to) {
  if (!from.empty()) *to = from;
}

void AddChoice(const v1::ChunkChoice& from, v1::Choice* to) {
  AddDelta(from.delta(), to->mutable_message());
  KeepLast(from.finish_reason(), to->mutable_finish_reason());
  KeepLast(from.native_finish_reason(), to->mutable_native_finish_reason());
  KeepLast(from.logprobs(), to->mutable_logprobs());
  KeepLast(from.extra_json(), to->mutable_extra_json());
}

}  // namespace

void AnswerBuilder::Add(const v1::ChatCompletionChunk& chunk) {
  grown_.set_object("chat.completion");
  KeepLast(chunk.id(), grown_.mutable_id());
  if (chunk.created() != 0) grown_.set_created(chunk.created());
  KeepLast(chunk.model(), grown_.mutable_model());
  KeepLast(chunk.service_tier(), grown_.mutable_service_tier());
  KeepLast(chunk.system_fingerprint(), grown_.mutable_system_fingerprint());
  KeepLast(chunk.extra_json(), grown_.mutable_extra_json());
  for (const v1::ChunkChoice& choice : chunk.choices()) {
    AddChoice(choice, FindOrAdd(choice.index(), &grown_));
  }
  if (chunk.has_usage()) *grown_.mutable_usage() = chunk.usage();
  if (chunk.has_llm_service()) {
    *grown_.mutable_llm_service() = chunk.llm_service();
  }
}

v1::ChatCompletionResponse AnswerBuilder::Answer() const {
  v1::ChatCompletionResponse answer = grown_;
  for (v1::Choice& choice : *answer.mutable_choices()) {
    FillFlatView(choice.mutable_message());
  }
  std::sort(answer.mutable_choices()->begin(), answer.mutable_choices()->end(),
            [](const v1::Choice& a, const v1::Choice& b) {
              return a.index() < b.index();
            });
  return answer;
}

}  // namespace llm::client
