#include "adapters/anthropic/anthropic_request.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "adapters/anthropic/claude_models.h"
#include "adapters/anthropic/conversation_writer.h"
#include "adapters/anthropic/request_fields.h"
#include "adapters/anthropic/schema_subset.h"
#include "adapters/anthropic/thinking_plan.h"
#include "adapters/anthropic/tool_writer.h"

namespace llm::anthropic {
namespace {

using sv = std::string_view;

constexpr sv kSystemTurns = "mid-conversation-system-2026-04-07";
constexpr sv kInterleaved = "interleaved-thinking-2025-05-14";
constexpr sv kFiles = "files-api-2025-04-14";
// anthropic.md 3.1 (2026-11-20).
constexpr FunctionNameRule kNames = {.first = "0123456789_-",
                                     .following = "_-"};
// Marks of the caller's in one request; the automatic one takes a place.
constexpr int kMaxMarks = 4;

bool Contains(const std::vector<std::string>& list, sv name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

void WriteBlocks(const std::vector<Block>& blocks, JsonWriter* out) {
  out->BeginArray();
  for (const Block& block : blocks) block.Write(out);
  out->EndArray();
}

sv RoleName(Turn::Role role) {
  switch (role) {
    case Turn::Role::kAssistant:
      return "assistant";
    case Turn::Role::kSystem:
      return "system";
    case Turn::Role::kUser:
      break;
  }
  return "user";
}

class Renderer {
 public:
  Renderer(const ChatRequest& request, const AttemptContext& context)
      : chat_(request),
        request_(request.message),
        context_(context),
        model_(ModelFor(context.upstream_model.value)),
        extra_text_(request.message.extra_json()),
        extra_(extra_text_.root()),
        json_(&rendered_.body) {}

  RenderedRequest Render();

 private:
  void InstructFormat();
  void CheckPrefill();
  void LimitMarks();
  void WriteMessages();
  void WriteOutputConfig();
  void WriteFormat();
  bool NativeSchema() const {
    return request_.response_format().type() == "json_schema" &&
           model_.structured_output && context_.traits.json_schema;
  }

  const ChatRequest& chat_;
  const v1::ChatCompletionRequest& request_;
  const AttemptContext& context_;
  const ClaudeModel& model_;
  const ExtraObject extra_text_;
  const JsonValue extra_;
  RenderedRequest rendered_;
  JsonWriter json_;
  RenderNotes notes_;
  Conversation conversation_;
  ToolPlan tools_;
  ThinkingPlan plan_;
};

// What the model cannot be held to is asked for in words, behind the rest of
// the system prompt, so that what precedes it stays in the cache.
void Renderer::InstructFormat() {
  const v1::ResponseFormat& format = request_.response_format();
  std::string text =
      "Answer with one JSON object and nothing else, no code"
      " fence.";
  if (format.type() == "json_object") {
    notes_.dropped.Add("response_format.json_object");
  } else if (format.type() == "json_schema" && tools_.answer_tool.empty() &&
             !NativeSchema()) {
    notes_.dropped.Add("response_format.json_schema");
    absl::StrAppend(&text, " It must conform to this JSON schema:\n",
                    format.json_schema().schema());
  } else {
    return;
  }
  Block block;
  JsonWriter json(&block.json);
  json.BeginObject();
  json.Member("type", "text");
  json.Member("text", text);
  json.EndObject();
  conversation_.system.push_back(std::move(block));
}

// An answer held to a schema begins at its beginning (anthropic.md 3.5).
void Renderer::CheckPrefill() {
  if (!conversation_.prefill) return;
  const bool own = extra_.Find("output_config").Find("format").has_value();
  if (!own && !NativeSchema()) return;
  notes_.Refuse(own ? "output_config.format" : "response_format",
                "Claude takes no schema for its answer where an assistant"
                " message stands at the end");
}

// Too many marks are a 400. Those of the oldest messages go: tools and system
// come first in the prompt, and the newest mark is the longest prefix.
void Renderer::LimitMarks() {
  std::vector<Block*> marked;
  int count = extra_.Find("cache_control").has_value() ? 1 : 0;
  const auto note = [&](Block& block) {
    count += block.marks_inside;
    if (block.cache_control.empty()) return;
    ++count;
    marked.push_back(&block);
  };
  const auto note_all = [&](std::vector<Block>& blocks) {
    for (Block& block : blocks) {
      for (Block& inside : block.content) note(inside);
      note(block);
    }
  };
  for (Turn& turn : conversation_.turns) note_all(turn.blocks);
  note_all(conversation_.system);
  note_all(tools_.tools);
  for (Block* block : marked) {
    if (count <= kMaxMarks) return;
    block->cache_control.clear();
    --count;
    notes_.dropped.Add("cache_control");
  }
}

void Renderer::WriteMessages() {
  if (!conversation_.system.empty()) {
    json_.Key("system");
    WriteBlocks(conversation_.system, &json_);
  }
  json_.Key("messages");
  json_.BeginArray();
  for (const Turn& turn : conversation_.turns) {
    json_.BeginObject();
    json_.Member("role", RoleName(turn.role));
    json_.Key("content");
    WriteBlocks(turn.blocks, &json_);
    json_.EndObject();
  }
  json_.EndArray();
}

void Renderer::WriteFormat() {
  const std::string& schema = request_.response_format().json_schema().schema();
  json_.Key("format");
  json_.BeginObject();
  json_.Member("type", "json_schema");
  json_.MemberRaw("schema", SchemaSubset(schema, "response_format.json_schema",
                                         &notes_.dropped));
  json_.EndObject();
}

// The caller's own members stand; ours fill the gaps.
void Renderer::WriteOutputConfig() {
  const JsonValue own = extra_.Find("output_config");
  const bool own_format = own.Find("format").has_value();
  const std::string own_effort = own.Find("effort").StringOr();
  const bool top = own_effort == "xhigh" || own_effort == "max";
  const bool capped = top && model_.low_effort_when_disabled &&
                      plan_.thinking.find("disabled") != std::string::npos;
  const bool lesser = own_effort == "xhigh" && model_.effort && !model_.xhigh;
  std::string text;
  JsonWriter inner(&text);
  inner.BeginObject();
  for (JsonValue v = own.is_object() ? own.First() : JsonValue(); v;
       v = v.Next()) {
    if (v.is_null()) continue;
    if (v.KeyEquals("effort") && !model_.effort && model_.known) {
      notes_.dropped.Add("output_config.effort");
    } else if (v.KeyEquals("effort") && (capped || lesser)) {
      notes_.dropped.Add("output_config.effort");
      inner.Member("effort", capped ? "high" : "max");
    } else {
      inner.MemberRaw(v.Key(), v.raw());
    }
  }
  if (own_effort.empty() && !plan_.effort.empty()) {
    inner.Member("effort", plan_.effort);
  } else if (own_effort != plan_.effort && !plan_.effort.empty() &&
             request_.has_reasoning_effort()) {
    notes_.dropped.Add("reasoning_effort");
  }
  inner.EndObject();
  const bool schema = request_.response_format().type() == "json_schema";
  if (own_format && schema) notes_.dropped.Add("response_format.json_schema");
  const bool formatted = !own_format && NativeSchema();
  if (text == "{}" && !formatted) return;
  json_.Key("output_config");
  json_.BeginObject();
  json_.RawMembers(text);
  if (formatted) WriteFormat();
  json_.EndObject();
}

RenderedRequest Renderer::Render() {
  rendered_.betas = BetasOf(extra_);
  rendered_.names = FunctionNames(request_, kNames);
  conversation_ =
      ConversationWriter({context_.upstream_model.value, model_.prefill,
                          Contains(rendered_.betas, kSystemTurns)},
                         rendered_.names, notes_)
          .Write(chat_);
  tools_ = ToolWriter(model_, context_.traits, rendered_.names, notes_)
               .Plan(request_, conversation_.called_tools);
  InstructFormat();
  CheckPrefill();
  plan_ =
      PlanThinking(request_, extra_.Find("thinking"), model_, context_,
                   {.forced_choice = tools_.forced,
                    .loop_without_thinking = conversation_.loop.open &&
                                             !conversation_.loop.has_thinking,
                    .prefill = conversation_.prefill,
                    .interleaved = Contains(rendered_.betas, kInterleaved)},
                   notes_);
  LimitMarks();
  rendered_.body.reserve(chat_.LikelyBodyBytes());
  json_.BeginObject();
  json_.Member("model", context_.upstream_model.value);
  json_.MemberInt("max_tokens", plan_.max_tokens);
  WriteMessages();
  if (!tools_.tools.empty()) {
    json_.Key("tools");
    WriteBlocks(tools_.tools, &json_);
  }
  if (!tools_.choice.empty()) json_.MemberRaw("tool_choice", tools_.choice);
  if (!plan_.thinking.empty()) json_.MemberRaw("thinking", plan_.thinking);
  WriteOutputConfig();
  FieldWriter fields({model_, context_.traits, plan_.active}, notes_, json_);
  fields.WriteFields(request_, extra_);
  const JsonValue cache = extra_.Find("cache_control");
  if (cache.has_value()) json_.MemberRaw("cache_control", cache.raw());
  fields.WriteExtras(extra_);
  json_.Key("stream");
  json_.Bool(true);
  json_.EndObject();
  fields.NameUnsupported(request_);
  if (notes_.file_ids && !Contains(rendered_.betas, kFiles)) {
    rendered_.betas.emplace_back(kFiles);
  }
  rendered_.thinking = plan_.active;
  rendered_.only_warms = plan_.max_tokens == 0;
  rendered_.answer_tool = std::move(tools_.answer_tool);
  rendered_.dropped = notes_.dropped.Take();
  rendered_.refusal = std::move(notes_.refusal);
  return std::move(rendered_);
}

}  // namespace

RenderedRequest RenderRequest(const ChatRequest& request,
                              const AttemptContext& context) {
  return Renderer(request, context).Render();
}

}  // namespace llm::anthropic
