#include "adapters/gemini/gemini_request.h"

#include <utility>

#include "adapters/core/json.h"
#include "adapters/gemini/config_writer.h"
#include "adapters/gemini/content_writer.h"
#include "adapters/gemini/native_fields.h"
#include "adapters/gemini/thinking_plan.h"
#include "adapters/gemini/tool_writer.h"

namespace llm::gemini {
namespace {

constexpr std::string_view kDeclarations[] = {"functionDeclarations",
                                              "function_declarations"};
// gemini.md section 2.2 (2026-11-20).
constexpr FunctionNameRule kNames = {
    .first = "_", .following = "_.:-", .native_lists = kDeclarations};

void Member(std::string_view name, const std::string& json, JsonWriter& out) {
  if (!json.empty()) out.MemberRaw(name, json);
}

}  // namespace

RenderedRequest RenderRequest(const ChatRequest& request,
                              const AttemptContext& context, bool vertex) {
  const v1::ChatCompletionRequest& message = request.message;
  Rendering to{FamilyOf(context.upstream_model.value), context, vertex};
  to.names = FunctionNames(message, kNames);
  to.source = &request;
  RenderedRequest rendered;
  rendered.body.reserve(request.LikelyBodyBytes());
  JsonWriter out(&rendered.body);
  out.BeginObject();
  const NativeFields native = ReadNativeFields(message.extra_json(), to);
  const ContentWriter contents(message, SchemaInstruction(message, native, to),
                               to);
  out.MemberRaw("contents", contents.Contents());
  Member("systemInstruction", contents.SystemInstruction(), out);
  ToolWriter tools(message, to);
  Member("tools", tools.Tools(contents.CalledNames(), native), out);
  Member("toolConfig", tools.ToolConfig(native), out);
  const ThinkingPlan thinking = PlanThinking(message, native, to);
  Member("generationConfig", GenerationConfig(message, native, thinking, to),
         out);
  std::string tier = ServiceTier(message, to);
  if (!tier.empty()) tier = JsonQuote(tier);
  for (const NativeField& field : native.top) {
    if (field.name == "serviceTier") {
      if (!tier.empty() && tier != field.value) to.dropped.Add("service_tier");
      tier = field.value;
    } else {
      out.MemberRaw(field.name, field.value);
    }
  }
  Member("serviceTier", tier, out);
  out.EndObject();
  NameUnsaid(message, to);
  rendered.thinking = thinking.thinking;
  rendered.names = std::move(to.names);
  rendered.dropped = to.dropped.Take();
  rendered.refusal = std::move(to.refusal);
  return rendered;
}

}  // namespace llm::gemini
