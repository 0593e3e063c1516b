#include "adapters/openai/openai_request.h"

#include <algorithm>
#include <string_view>

#include "adapters/core/json.h"
#include "adapters/openai/dropped_fields.h"
#include "adapters/openai/message_writer.h"
#include "adapters/openai/reasoning_plan.h"
#include "adapters/openai/request_fields.h"
#include "adapters/openai/tool_writer.h"

namespace llm::openai {
namespace {

using sv = std::string_view;

bool Contains(std::span<const sv> list, sv name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool WantsAudio(const v1::ChatCompletionRequest& message) {
  return message.has_audio() ||
         std::find(message.modalities().begin(), message.modalities().end(),
                   "audio") != message.modalities().end();
}

// Unary calls are streamed from where streams are known to carry usage; an
// audio answer streams in one format only, so it stays whole.
bool StreamsUpstream(const ChatRequest& request, const AttemptContext& context,
                     const Profile& profile) {
  if (context.stream) return true;
  return profile.stream_unary && !WantsAudio(request.message);
}

class Renderer {
 public:
  Renderer(const ChatRequest& request, const AttemptContext& context,
           const Profile& profile)
      : request_(request),
        context_(context),
        profile_(profile),
        json_(&rendered_.body) {}

  RenderedRequest Render();

 private:
  void Messages();
  void Tools();
  void MaxTokens();
  void Fields();
  void Field(const RequestField& field);
  void Stream();
  void Extras();
  void Extra(JsonValue field);
  sv Source(sv name) const;
  sv NameFor(sv name) const;
  ReasoningReplay Replay() const;

  const ChatRequest& request_;
  const AttemptContext& context_;
  const Profile& profile_;
  RenderedRequest rendered_;
  JsonWriter json_;
  DroppedFields dropped_;
  JsonValue extra_;
  ReasoningPlan plan_;
};

sv Renderer::Source(sv name) const {
  if (request_.source.dialect != "openai") return {};
  return request_.source.Member(name);
}

sv Renderer::NameFor(sv name) const {
  for (const Rename& rename : profile_.renames) {
    if (rename.from == name) return rename.to;
  }
  return name;
}

// A model that is not to reason wants none of its old reasoning back.
ReasoningReplay Renderer::Replay() const {
  const ReasoningReplay replay =
      ReasoningReplayFor(profile_, context_.upstream_model.value);
  return replay == ReasoningReplay::kEcho && plan_.off ? ReasoningReplay::kStrip
                                                       : replay;
}

void Renderer::Messages() {
  json_.Key("messages");
  json_.BeginArray();
  MessageWriter({profile_, context_.provider.value, Replay()}, dropped_, json_)
      .WriteAll(request_);
  const std::string schema =
      ToolWriter({profile_, context_.traits, plan_.thinking}, dropped_, json_)
          .SchemaInstruction(request_);
  if (!schema.empty()) {
    // At the end: the messages before it stay in the provider's cache.
    json_.BeginObject();
    json_.Member("role", "system");
    json_.Member("content", schema);
    json_.EndObject();
  }
  json_.EndArray();
}

void Renderer::Tools() {
  ToolWriter writer({profile_, context_.traits, plan_.thinking}, dropped_,
                    json_);
  writer.WriteTools(request_);
  writer.WriteToolChoice(request_);
  writer.WriteParallelCalls(request_);
  writer.WriteResponseFormat(request_);
}

void Renderer::MaxTokens() {
  const v1::ChatCompletionRequest& message = request_.message;
  const bool newer = message.has_max_completion_tokens();
  if (!newer && !message.has_max_tokens()) return;
  const int64_t cap =
      newer ? message.max_completion_tokens() : message.max_tokens();
  sv name = newer ? "max_completion_tokens" : "max_tokens";
  if (profile_.token_cap == TokenCap::kMaxTokens) name = "max_tokens";
  if (profile_.token_cap == TokenCap::kMaxCompletionTokens) {
    name = "max_completion_tokens";
  }
  json_.MemberInt(name, cap);
}

void Renderer::Field(const RequestField& field) {
  const v1::ChatCompletionRequest& message = request_.message;
  std::string value = field.json(message);
  if (value.empty()) return;
  const bool refused = field.sampling && context_.traits.refuses_sampling &&
                       !(profile_.sampling_without_reasoning && plan_.off);
  if (refused || Contains(profile_.dropped, field.name)) {
    const bool renamed = NameFor(field.name) != field.name;
    if (!renamed || refused) {
      if (value != field.neutral && !field.recorded) dropped_.Add(field.name);
      return;
    }
  }
  if (field.name == "metadata" && profile_.metadata_needs_store &&
      !message.store()) {
    return;
  }
  const sv name = NameFor(field.name);
  // The vendor's own spelling in the request wins.
  if (name != field.name && extra_.Find(name).has_value()) return;
  sv text = Source(field.name);
  const auto limit = static_cast<size_t>(profile_.max_stop);
  if (field.name == "stop" && limit > 0 &&
      static_cast<size_t>(message.stop_size()) > limit) {
    v1::ChatCompletionRequest cut;
    for (int i = 0; i < profile_.max_stop; ++i) cut.add_stop(message.stop(i));
    value = field.json(cut);
    text = {};
    dropped_.Add("stop");
  }
  json_.MemberRaw(name, text.empty() ? sv(value) : text);
}

void Renderer::Fields() {
  for (const RequestField& field : RequestFields()) Field(field);
}

void Renderer::Stream() {
  rendered_.stream = StreamsUpstream(request_, context_, profile_);
  json_.Key("stream");
  json_.Bool(rendered_.stream);
  if (!rendered_.stream || profile_.stream_usage == StreamUsage::kAlways) {
    return;
  }
  json_.Key("stream_options");
  json_.BeginObject();
  json_.Key("include_usage");
  json_.Bool(true);
  if (profile_.pads_streams) {
    json_.Key("include_obfuscation");
    json_.Bool(false);
  }
  json_.EndObject();
}

void Renderer::Extra(JsonValue field) {
  const std::string name = field.Key();
  if (field.is_null() || IsModelledField(name) || IsOwnField(name)) return;
  const bool foreign = profile_.checks_extra_fields && IsVendorField(name) &&
                       !Contains(profile_.extra_fields, name);
  if (foreign || Contains(profile_.dropped, name)) {
    return dropped_.Add(name);
  }
  if (!plan_.keep_vendor_fields && IsReasoningSwitch(name)) return;
  // The switch that was just written stands for this field.
  if (plan_.members.find(JsonQuote(name)) != std::string::npos) {
    return dropped_.Add(name);
  }
  json_.MemberRaw(NameFor(name), field.raw());
}

void Renderer::Extras() {
  for (JsonValue v = extra_.First(); v; v = v.Next()) Extra(v);
}

RenderedRequest Renderer::Render() {
  // A failed parse leaves an empty document: no extra fields.
  auto extra = JsonDocument::Parse(request_.message.extra_json().empty()
                                       ? sv("{}")
                                       : sv(request_.message.extra_json()));
  if (extra.ok()) extra_ = extra->root();
  plan_ = PlanReasoning(request_, extra_, context_, profile_, dropped_);
  json_.BeginObject();
  json_.Member("model", context_.upstream_model.value);
  Messages();
  Tools();
  json_.RawMembers(plan_.members);
  MaxTokens();
  Fields();
  Stream();
  Extras();
  if (!profile_.constants.empty()) json_.RawMembers(profile_.constants);
  json_.EndObject();
  rendered_.thinking = plan_.thinking;
  rendered_.dropped = dropped_.Take();
  return std::move(rendered_);
}

}  // namespace

RenderedRequest RenderRequest(const ChatRequest& request,
                              const AttemptContext& context,
                              const Profile& profile) {
  return Renderer(request, context, profile).Render();
}

}  // namespace llm::openai
