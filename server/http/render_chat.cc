#include "server/http/render_chat.h"

#include <string_view>

#include "adapters/core/json.h"
#include "server/http/render_message.h"
#include "server/http/render_service.h"

namespace llm::server {
namespace {

void WriteUsage(const v1::Usage& usage, JsonWriter& json) {
  json.Key("usage");
  json.BeginObject();
  json.MemberInt("prompt_tokens", usage.prompt_tokens());
  json.MemberInt("completion_tokens", usage.completion_tokens());
  json.MemberInt("total_tokens", usage.total_tokens());
  const v1::PromptTokensDetails& in = usage.prompt_tokens_details();
  json.Key("prompt_tokens_details");
  json.BeginObject();
  json.MemberInt("cached_tokens", in.cached_tokens());
  json.MemberInt("audio_tokens", in.audio_tokens());
  if (in.cache_write_tokens() != 0) {
    json.MemberInt("cache_write_tokens", in.cache_write_tokens());
  }
  if (in.image_tokens() != 0) {
    json.MemberInt("image_tokens", in.image_tokens());
  }
  json.EndObject();
  const v1::CompletionTokensDetails& out = usage.completion_tokens_details();
  json.Key("completion_tokens_details");
  json.BeginObject();
  json.MemberInt("reasoning_tokens", out.reasoning_tokens());
  json.MemberInt("audio_tokens", out.audio_tokens());
  json.MemberInt("accepted_prediction_tokens",
                 out.accepted_prediction_tokens());
  json.MemberInt("rejected_prediction_tokens",
                 out.rejected_prediction_tokens());
  json.EndObject();
  if (usage.web_searches() != 0) {
    json.MemberInt("web_searches", usage.web_searches());
  }
  json.EndObject();
}

// Members that whole answers and chunks have in common, before the choices.
template <typename Answer>
void WriteHead(const Answer& answer, std::string_view object,
               JsonWriter& json) {
  json.Member("id", answer.id());
  json.Member("object", object);
  json.MemberInt("created", answer.created());
  json.Member("model", answer.model());
}

template <typename Answer>
void WriteTail(const Answer& answer, JsonWriter& json) {
  if (answer.has_usage()) WriteUsage(answer.usage(), json);
  if (!answer.service_tier().empty()) {
    json.Member("service_tier", answer.service_tier());
  }
  if (!answer.system_fingerprint().empty()) {
    json.Member("system_fingerprint", answer.system_fingerprint());
  }
  if (!answer.extra_json().empty()) json.RawMembers(answer.extra_json());
  if (answer.has_llm_service()) WriteService(answer.llm_service(), json);
}

template <typename Choice>
void WriteChoiceTail(const Choice& choice, JsonWriter& json) {
  json.MemberRaw("logprobs", choice.logprobs().empty()
                                 ? std::string_view("null")
                                 : std::string_view(choice.logprobs()));
  if (choice.finish_reason().empty()) {
    json.MemberRaw("finish_reason", "null");
  } else {
    json.Member("finish_reason", choice.finish_reason());
  }
  if (!choice.native_finish_reason().empty()) {
    json.Member("native_finish_reason", choice.native_finish_reason());
  }
  if (!choice.extra_json().empty()) json.RawMembers(choice.extra_json());
}

void WriteChoice(std::string_view key, int index, const v1::Message& message,
                 MessageForm form, FlatEnd& end, JsonWriter& json) {
  json.MemberInt("index", index);
  json.Key(key);
  json.BeginObject();
  WriteMessage(message, form, end, json);
  json.EndObject();
}

}  // namespace

std::string RenderCompletion(const v1::ChatCompletionResponse& response) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  WriteHead(response, "chat.completion", json);
  json.Key("choices");
  json.BeginArray();
  for (const v1::Choice& choice : response.choices()) {
    json.BeginObject();
    FlatEnd end;
    WriteChoice("message", choice.index(), choice.message(),
                MessageForm::kWhole, end, json);
    WriteChoiceTail(choice, json);
    json.EndObject();
  }
  json.EndArray();
  WriteTail(response, json);
  json.EndObject();
  return out;
}

void RenderChunk(const v1::ChatCompletionChunk& chunk, StreamPlaces& places,
                 std::string* out) {
  JsonWriter json(out);
  json.BeginObject();
  WriteHead(chunk, "chat.completion.chunk", json);
  json.Key("choices");
  json.BeginArray();
  for (const v1::ChunkChoice& choice : chunk.choices()) {
    json.BeginObject();
    WriteChoice("delta", choice.index(), choice.delta(), MessageForm::kDelta,
                places[choice.index()], json);
    WriteChoiceTail(choice, json);
    json.EndObject();
  }
  json.EndArray();
  WriteTail(chunk, json);
  json.EndObject();
}

}  // namespace llm::server
