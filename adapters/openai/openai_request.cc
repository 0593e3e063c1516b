#include "adapters/openai/openai_request.h"

#include <algorithm>
#include <string_view>

#include "adapters/core/json.h"
#include "adapters/core/text.h"
#include "adapters/dialect/dropped_fields.h"
#include "adapters/dialect/reasoning_headroom.h"
#include "adapters/openai/message_writer.h"
#include "adapters/openai/reasoning_plan.h"
#include "adapters/openai/request_fields.h"
#include "adapters/openai/tool_writer.h"

namespace llm::openai {
namespace {

using sv = std::string_view;

bool WantsAudio(const v1::ChatCompletionRequest& message) {
  return message.has_audio() ||
         std::find(message.modalities().begin(), message.modalities().end(),
                   "audio") != message.modalities().end();
}

// Unary calls are streamed from where streams are known to carry usage; an
// audio answer streams in one format only, so it stays whole.
bool StreamsUpstream(const ChatRequest& request, const AttemptContext& context,
                     const Profile& profile) {
  // Beside tools the schema is told in words, and streams.
  if (profile.format_rule == FormatRule::kWholeWithoutTools &&
      request.message.tools_size() == 0 &&
      request.message.response_format().type() == "json_schema") {
    return false;
  }
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
  bool Sent(const RequestField& field, sv value);
  bool BentTemperature();
  void InsteadOfZero();
  void Stream();
  void Extras();
  void Extra(JsonValue field, JsonValue written);
  void Constants(sv members);
  sv Source(sv name) const;
  const Rename* RenameOf(sv name) const;
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

const Rename* Renderer::RenameOf(sv name) const {
  for (const Rename& rename : profile_.renames) {
    if (rename.from == name) return &rename;
  }
  return nullptr;
}

sv Renderer::NameFor(sv name) const {
  const Rename* const rename = RenameOf(name);
  return rename == nullptr ? name : rename->to;
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
      ToolWriter({profile_, context_.traits, context_.upstream_model.value,
                  plan_.thinking},
                 dropped_, json_)
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
  ToolWriter writer({profile_, context_.traits, context_.upstream_model.value,
                     plan_.thinking},
                    dropped_, json_);
  writer.WriteTools(request_);
  writer.WriteToolChoice(request_);
  writer.WriteParallelCalls(request_);
  writer.WriteResponseFormat(request_);
}

void Renderer::MaxTokens() {
  const v1::ChatCompletionRequest& message = request_.message;
  const bool newer = message.has_max_completion_tokens();
  if (!newer && !message.has_max_tokens()) return;
  int64_t cap = newer ? message.max_completion_tokens() : message.max_tokens();
  const bool reasons =
      plan_.thinking || (context_.traits.reasoning && !plan_.off);
  if (!newer && profile_.cap_covers_reasoning && reasons) {
    cap = WithHeadroom(cap, message.reasoning_effort(),
                       context_.traits.max_output_tokens);
  }
  sv name = newer ? "max_completion_tokens" : "max_tokens";
  if (profile_.token_cap == TokenCap::kMaxTokens) name = "max_tokens";
  if (profile_.token_cap == TokenCap::kMaxCompletionTokens) {
    name = "max_completion_tokens";
  }
  json_.MemberInt(name, cap);
}

// False where this model does not get the field, named unless it says what
// happens anyway.
bool Renderer::Sent(const RequestField& field, sv value) {
  const v1::ChatCompletionRequest& message = request_.message;
  const ModelKind* const kind =
      FindKind(profile_, context_.upstream_model.value);
  const bool family = kind != nullptr && kind->refuses_sampling;
  const bool refused = field.sampling &&
                       context_.traits.refuses_sampling.value_or(family) &&
                       !(profile_.sampling_without_reasoning && plan_.off);
  const Rename* const rename = RenameOf(field.name);
  const bool taken =
      rename != nullptr ||
      TakesField(profile_, context_.upstream_model.value, field.name);
  if (refused || !taken) {
    if (value != field.neutral && !field.recorded) dropped_.Add(field.name);
    return false;
  }
  if (field.name == "metadata" && profile_.metadata_needs_store &&
      !message.store()) {
    return false;
  }
  if (field.name == "service_tier" && !profile_.service_tiers.empty() &&
      !Among(profile_.service_tiers, message.service_tier())) {
    const bool usual =
        message.service_tier() == "auto" || message.service_tier() == "default";
    if (!usual) dropped_.Add(field.name);
    return false;
  }
  if (rename == nullptr) return true;
  // The vendor's own spelling in the request wins.
  if (extra_.Find(rename->to).has_value()) return false;
  // In quotes.
  const size_t size = value.size() - 2;
  return rename->max_chars == 0 ||
         (size >= rename->min_chars && size <= rename->max_chars);
}

// The caller's own spelling of a member wins over ours.
void Renderer::InsteadOfZero() {
  const auto doc = JsonDocument::Parse(profile_.temperature.instead_of_zero);
  if (!doc.ok()) return;
  for (JsonValue v = doc->root().First(); v; v = v.Next()) {
    const JsonValue own = extra_.Find(v.Key());
    if (!own.has_value() || v.KeyEquals("temperature")) {
      json_.MemberRaw(v.Key(), v.raw());
    } else if (own.raw() != v.raw()) {
      dropped_.Add("temperature");
    }
  }
}

// True where something was written in place of the caller's temperature.
bool Renderer::BentTemperature() {
  const TemperatureRule& rule = profile_.temperature;
  const double asked = request_.message.temperature();
  if (asked == 0 && !rule.instead_of_zero.empty()) {
    if (!rule.zero_is_met) dropped_.Add("temperature");
    InsteadOfZero();
    return true;
  }
  if (asked <= rule.max) return false;
  dropped_.Add("temperature");
  json_.Key("temperature");
  json_.Double(rule.max);
  return true;
}

void Renderer::Field(const RequestField& field) {
  const v1::ChatCompletionRequest& message = request_.message;
  std::string value = field.json(message);
  if (value.empty() || !Sent(field, value)) return;
  if (field.name == "temperature" && BentTemperature()) return;
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
  json_.MemberRaw(NameFor(field.name), text.empty() ? sv(value) : text);
}

void Renderer::Fields() {
  for (const RequestField& field : RequestFields()) Field(field);
}

void Renderer::Stream() {
  rendered_.stream = StreamsUpstream(request_, context_, profile_);
  json_.Key("stream");
  json_.Bool(rendered_.stream);
  const bool by_piece =
      context_.stream && request_.message.tools_size() > 0 &&
      std::any_of(profile_.tool_stream_models.begin(),
                  profile_.tool_stream_models.end(), [this](sv pattern) {
                    return MatchesPattern(pattern,
                                          context_.upstream_model.value);
                  });
  if (by_piece && !extra_.Find("tool_stream")) {
    json_.Key("tool_stream");
    json_.Bool(true);
  }
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

void Renderer::Extra(JsonValue field, JsonValue written) {
  const std::string name = field.Key();
  if (field.is_null() || IsModelledField(name) || IsOwnField(name)) return;
  const bool foreign = profile_.checks_extra_fields && IsVendorField(name) &&
                       !Among(profile_.extra_fields, name);
  if (foreign || !TakesField(profile_, context_.upstream_model.value, name)) {
    return dropped_.Add(name);
  }
  if (plan_.forced && IsReasoningSwitch(name)) {
    if (!SaysOnly(name, field, *plan_.forced)) dropped_.Add(name);
    return;
  }
  // The switch that was written stands for this field.
  if (written.Find(name)) return dropped_.Add(name);
  json_.MemberRaw(NameFor(name), field.raw());
}

void Renderer::Extras() {
  const auto written = JsonDocument::Parse(sv(plan_.members));
  const JsonValue names = written.ok() ? written->root() : JsonValue();
  for (JsonValue v = extra_.First(); v; v = v.Next()) Extra(v, names);
}

void Renderer::Constants(sv members) {
  const auto doc = JsonDocument::Parse(members);
  if (!doc.ok()) return;
  for (JsonValue v = doc->root().First(); v; v = v.Next()) {
    if (!extra_.Find(v.Key()).has_value()) json_.MemberRaw(v.Key(), v.raw());
  }
}

RenderedRequest Renderer::Render() {
  // A failed parse leaves an empty document: no extra fields.
  auto extra = JsonDocument::Parse(request_.message.extra_json().empty()
                                       ? sv("{}")
                                       : sv(request_.message.extra_json()));
  if (extra.ok()) extra_ = extra->root();
  plan_ = PlanReasoning(request_, extra_, context_, profile_, dropped_);
  rendered_.body.reserve(request_.LikelyBodyBytes());
  json_.BeginObject();
  json_.Member("model", context_.upstream_model.value);
  Messages();
  Tools();
  json_.RawMembers(plan_.members);
  MaxTokens();
  Fields();
  Stream();
  Extras();
  Constants(profile_.constants);
  const ModelKind* const kind =
      FindKind(profile_, context_.upstream_model.value);
  if (kind != nullptr) Constants(kind->constants);
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
