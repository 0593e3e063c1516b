#include "server/http/parse_chat_request.h"

#include <iterator>
#include <limits>
#include <span>

#include "absl/strings/str_cat.h"
#include "router/call_error.h"
#include "server/core/read_request.h"
#include "server/http/call_fields.h"
#include "server/http/json_fields.h"
#include "server/http/parse_message.h"
#include "server/http/parse_tools.h"

namespace llm::server {
namespace {

using Request = v1::ChatCompletionRequest;

// Set before the fields are read; spans are relative to the body.
SourceSpan SpanOf(const JsonValue& v) {
  const auto begin = static_cast<uint32_t>(v.offset());
  return {begin, begin + static_cast<uint32_t>(v.raw().size())};
}

absl::Status LogitBias(const JsonValue& v, const JsonPath& path, Request* out) {
  if (!v.is_object()) return BadField(path, "must be an object");
  for (JsonValue bias = v.First(); bias; bias = bias.Next()) {
    const auto value = bias.AsDouble();
    const std::string key = bias.Key();
    if (!value) return BadField(JsonPath(path, key), "must be a number");
    (*out->mutable_logit_bias())[key] = *value;
  }
  return absl::OkStatus();
}

absl::Status Stop(const JsonValue& v, const JsonPath& path, Request* out) {
  out->clear_stop();
  if (v.is_string()) {
    out->add_stop(v.StringOr());
    return absl::OkStatus();
  }
  if (!v.is_array()) return BadField(path, "must be a string or an array");
  int index = 0;
  for (JsonValue s = v.First(); s; s = s.Next(), ++index) {
    if (!s.is_string()) {
      return BadField(JsonPath(path, index), "must be a string");
    }
    out->add_stop(s.StringOr());
  }
  return absl::OkStatus();
}

absl::Status Modalities(const JsonValue& v, const JsonPath& path,
                        Request* out) {
  if (!v.is_array()) return BadField(path, "must be an array");
  out->clear_modalities();
  int index = 0;
  for (JsonValue s = v.First(); s; s = s.Next(), ++index) {
    if (!s.is_string()) {
      return BadField(JsonPath(path, index), "must be a string");
    }
    out->add_modalities(s.StringOr());
  }
  return absl::OkStatus();
}

constexpr JsonField<v1::AudioRequest> kAudioOutFields[] = {
    {"voice", ReadRaw<&v1::AudioRequest::mutable_voice, v1::AudioRequest>},
    {"format", ReadString<&v1::AudioRequest::mutable_format, v1::AudioRequest>},
};
constexpr JsonField<v1::Prediction> kPredictionFields[] = {
    {"type", ReadString<&v1::Prediction::mutable_type, v1::Prediction>},
    {"content", ReadRaw<&v1::Prediction::mutable_content, v1::Prediction>},
};
constexpr JsonField<v1::StreamOptions> kStreamFields[] = {
    {"include_usage",
     ReadBool<&v1::StreamOptions::set_include_usage, v1::StreamOptions>},
    {"include_obfuscation",
     ReadBool<&v1::StreamOptions::set_include_obfuscation, v1::StreamOptions>},
};

absl::Status Audio(const JsonValue& v, const JsonPath& path, Request* out) {
  return ReadFields<v1::AudioRequest>(v, path, kAudioOutFields,
                                      out->mutable_audio(), nullptr);
}

absl::Status Predicted(const JsonValue& v, const JsonPath& path, Request* out) {
  return ReadFields<v1::Prediction>(v, path, kPredictionFields,
                                    out->mutable_prediction(), nullptr);
}

absl::Status StreamOptions(const JsonValue& v, const JsonPath& path,
                           Request* out) {
  return ReadFields<v1::StreamOptions>(v, path, kStreamFields,
                                       out->mutable_stream_options(), nullptr);
}

// `stream` decides how the door answers and is read from its span.
absl::Status Stream(const JsonValue& v, const JsonPath& path, Request*) {
  if (!v.is_bool()) return BadField(path, "must be true or false");
  return absl::OkStatus();
}

absl::Status Messages(const JsonValue& v, const JsonPath& path, Request* out) {
  if (!v.is_array()) return BadField(path, "must be an array");
  int index = 0;
  for (JsonValue m = v.First(); m; m = m.Next(), ++index) {
    LLM_RETURN_IF_ERROR(
        ParseMessage(m, JsonPath(path, index), out->add_messages()));
  }
  return absl::OkStatus();
}

absl::Status Tools(const JsonValue& v, const JsonPath& path, Request* out) {
  if (!v.is_array()) return BadField(path, "must be an array");
  int index = 0;
  for (JsonValue t = v.First(); t; t = t.Next(), ++index) {
    LLM_RETURN_IF_ERROR(ParseTool(t, JsonPath(path, index), out->add_tools()));
  }
  return absl::OkStatus();
}

absl::Status Choice(const JsonValue& v, const JsonPath& path, Request* out) {
  return ParseToolChoice(v, path, out->mutable_tool_choice());
}

absl::Status Format(const JsonValue& v, const JsonPath& path, Request* out) {
  return ParseResponseFormat(v, path, out->mutable_response_format());
}

using F = JsonField<Request>;
constexpr F kChatFields[] = {
    {"model", ReadString<&Request::mutable_model, Request>},
    {"messages", Messages},
    {"stream", Stream},
    {"stream_options", StreamOptions},
    {"tools", Tools},
    {"tool_choice", Choice},
    {"parallel_tool_calls",
     ReadBool<&Request::set_parallel_tool_calls, Request>},
    {"response_format", Format},
    {"max_completion_tokens",
     ReadInt64<&Request::set_max_completion_tokens, Request>},
    {"max_tokens", ReadInt64<&Request::set_max_tokens, Request>},
    {"temperature", ReadDouble<&Request::set_temperature, Request>},
    {"top_p", ReadDouble<&Request::set_top_p, Request>},
    {"frequency_penalty", ReadDouble<&Request::set_frequency_penalty, Request>},
    {"presence_penalty", ReadDouble<&Request::set_presence_penalty, Request>},
    {"logit_bias", LogitBias},
    {"logprobs", ReadBool<&Request::set_logprobs, Request>},
    {"top_logprobs", ReadInt32<&Request::set_top_logprobs, Request>},
    {"n", ReadInt32<&Request::set_n, Request>},
    {"seed", ReadInt64<&Request::set_seed, Request>},
    {"stop", Stop},
    {"reasoning_effort",
     ReadString<&Request::mutable_reasoning_effort, Request>},
    {"verbosity", ReadString<&Request::mutable_verbosity, Request>},
    {"modalities", Modalities},
    {"audio", Audio},
    {"prediction", Predicted},
    {"service_tier", ReadString<&Request::mutable_service_tier, Request>},
    {"store", ReadBool<&Request::set_store, Request>},
    {"metadata", ReadMetadata<Request>},
    {"user", ReadTag<&Request::mutable_user, Request>},
    {"safety_identifier",
     ReadString<&Request::mutable_safety_identifier, Request>},
    {"prompt_cache_key",
     ReadString<&Request::mutable_prompt_cache_key, Request>},
    {"prompt_cache_retention",
     ReadString<&Request::mutable_prompt_cache_retention, Request>},
    {"prompt_cache_options",
     ReadRaw<&Request::mutable_prompt_cache_options, Request>},
    {"web_search_options",
     ReadRaw<&Request::mutable_web_search_options, Request>},
    {"moderation", ReadRaw<&Request::mutable_moderation, Request>},
    {"functions", ReadRaw<&Request::mutable_functions, Request>},
    {"function_call", ReadRaw<&Request::mutable_function_call, Request>},
    {"task_type", ReadTag<&Request::mutable_task_type, Request>},
    {"run_id", ReadTag<&Request::mutable_run_id, Request>},
    {"agent", ReadTag<&Request::mutable_agent, Request>},
    {"priority", ReadPriority<Request>},
    {"strict", ReadBool<&Request::set_strict, Request>},
    {"timeout", ReadTimeout<Request>},
};

static_assert(std::size(kChatFields) <= 64);

RequestSource SpansOf(const JsonValue& root) {
  RequestSource source;
  source.dialect = "openai";
  for (JsonValue v = root.First(); v; v = v.Next()) {
    source.members.emplace_back(v.Key(), SpanOf(v));
  }
  return source;
}

// `messages` and `tools` have a span per element instead.
void SplitArrays(const JsonValue& root, RequestSource* source) {
  std::erase_if(source->members, [](const auto& member) {
    return member.first == "messages" || member.first == "tools";
  });
  const JsonValue messages = root.Find("messages");
  for (JsonValue v = messages.First(); v; v = v.Next()) {
    source->messages.push_back(SpanOf(v));
  }
  const JsonValue tools = root.Find("tools");
  if (!tools.is_array()) return;
  for (JsonValue v = tools.First(); v; v = v.Next()) {
    source->tools.push_back(SpanOf(v));
  }
}

absl::Status FillMessage(const JsonValue& root, Request* request) {
  LLM_RETURN_IF_ERROR(ReadFields<Request>(
      root, JsonPath(""), kChatFields, request, request->mutable_extra_json()));
  if (request->messages().empty()) {
    return BadField(JsonPath("messages"), "must hold at least one message");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ChatRequest> ParseChatRequest(
    std::shared_ptr<const std::string> body) {
  if (body->size() >= std::numeric_limits<uint32_t>::max()) {
    return RefuseField("", "The body is too long.");
  }
  JsonDocument::Options options;
  options.max_values = kMaxRequestValues;
  auto doc = JsonDocument::Parse(*body, options);
  if (absl::IsResourceExhausted(doc.status())) return RefuseTooManyValues();
  if (!doc.ok()) {
    return RefuseField("", absl::StrCat("The body is not valid JSON: ",
                                        doc.status().message()));
  }
  if (!doc->root().is_object()) {
    return RefuseField("", "The body must be a JSON object.");
  }
  ChatRequest request;
  request.source = SpansOf(doc->root());
  LLM_RETURN_IF_ERROR(FillMessage(doc->root(), &request.message));
  SplitArrays(doc->root(), &request.source);
  request.source.text = std::move(body);
  return request;
}

bool WantsStream(const ChatRequest& request) {
  return request.source.Member("stream") == "true";
}

}  // namespace llm::server
