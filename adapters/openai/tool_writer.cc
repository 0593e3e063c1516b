#include "adapters/openai/tool_writer.h"

#include <string_view>

#include "absl/strings/str_cat.h"

namespace llm::openai {
namespace {

// Validators' decoration that Moonshot refuses; it constrains nothing.
constexpr std::string_view kSchemaUri = "$schema";

bool HasSchemaUri(const v1::FunctionTool& function) {
  const std::string& parameters = function.parameters();
  if (parameters.find(kSchemaUri) == std::string::npos) return false;
  const auto doc = JsonDocument::Parse(parameters);
  return doc.ok() && doc->root().Find(kSchemaUri);
}

void WriteWithoutSchemaUri(const std::string& parameters, JsonWriter& out) {
  const auto doc = JsonDocument::Parse(parameters);
  out.BeginObject();
  for (JsonValue v = doc->root().First(); v; v = v.Next()) {
    if (!v.KeyEquals(kSchemaUri)) out.MemberRaw(v.Key(), v.raw());
  }
  out.EndObject();
}

void WriteFunction(const v1::FunctionTool& function, const Profile& profile,
                   JsonWriter& out) {
  out.Key("function");
  out.BeginObject();
  out.Member("name", function.name());
  if (function.has_description()) {
    out.Member("description", function.description());
  }
  if (!profile.schema_uri && HasSchemaUri(function)) {
    out.Key("parameters");
    WriteWithoutSchemaUri(function.parameters(), out);
  } else if (!function.parameters().empty()) {
    out.MemberRaw("parameters", function.parameters());
  }
  if (function.has_strict() && profile.strict_tools) {
    out.Key("strict");
    out.Bool(function.strict());
  }
  if (!function.extra_json().empty()) out.RawMembers(function.extra_json());
  out.EndObject();
}

void WriteCustom(const v1::CustomTool& custom, JsonWriter& out) {
  out.Key("custom");
  out.BeginObject();
  out.Member("name", custom.name());
  if (custom.has_description()) {
    out.Member("description", custom.description());
  }
  if (!custom.format().empty()) {
    out.MemberRaw("format", custom.format());
  }
  out.EndObject();
}

void WriteFormat(const v1::ResponseFormat& format, JsonWriter& out) {
  out.Key("response_format");
  out.BeginObject();
  out.Member("type", format.type());
  if (format.has_json_schema()) {
    const v1::JsonSchemaFormat& schema = format.json_schema();
    out.Key("json_schema");
    out.BeginObject();
    out.Member("name", schema.name());
    if (schema.has_description()) {
      out.Member("description", schema.description());
    }
    if (!schema.schema().empty()) {
      out.MemberRaw("schema", schema.schema());
    }
    if (schema.has_strict()) {
      out.Key("strict");
      out.Bool(schema.strict());
    }
    out.EndObject();
  }
  if (!format.extra_json().empty()) out.RawMembers(format.extra_json());
  out.EndObject();
}

void WriteNamed(std::string_view type, std::string_view name, JsonWriter& out) {
  out.BeginObject();
  out.Member("type", type);
  out.Key(type);
  out.BeginObject();
  out.Member("name", name);
  out.EndObject();
  out.EndObject();
}

}  // namespace

void ToolWriter::WriteTool(const v1::Tool& tool) {
  if (!tool.other_json().empty()) return out_.Raw(tool.other_json());
  out_.BeginObject();
  out_.Member("type", tool.has_custom() ? "custom" : "function");
  if (tool.has_custom()) {
    WriteCustom(tool.custom(), out_);
  } else {
    WriteFunction(tool.function(), setting_.profile, out_);
  }
  if (!tool.extra_json().empty()) out_.RawMembers(tool.extra_json());
  out_.EndObject();
}

void ToolWriter::WriteTools(const ChatRequest& request) {
  const auto& tools = request.message.tools();
  if (WithholdsTools(request)) return;
  const RequestSource& source = request.source;
  const bool spans = source.dialect == "openai" &&
                     source.tools.size() == static_cast<size_t>(tools.size());
  for (int i = 0; i < tools.size(); ++i) {
    const v1::Tool& tool = tools[i];
    if (tool.has_custom() && !setting_.profile.custom_tools) {
      dropped_.Add("tools.custom");
      continue;
    }
    // An empty array is refused, so it opens with the first tool.
    if (!any_tools_) {
      out_.Key("tools");
      out_.BeginArray();
    }
    any_tools_ = true;
    const bool lax = tool.function().strict() && !setting_.profile.strict_tools;
    if (lax) dropped_.Add("tools.function.strict");
    const bool bend =
        lax || (!setting_.profile.schema_uri && HasSchemaUri(tool.function()));
    const std::string_view text =
        spans ? source.View(source.tools[static_cast<size_t>(i)])
              : std::string_view();
    if (text.empty() || bend) {
      WriteTool(tool);
    } else {
      out_.Raw(text);
    }
  }
  if (any_tools_) out_.EndArray();
}

bool ToolWriter::ForcedAllowed(const v1::ToolChoice& choice) const {
  if (!setting_.traits.forced_tool_choice) return false;
  switch (setting_.profile.tool_choice) {
    case ToolChoiceRule::kAll:
      return true;
    case ToolChoiceRule::kNotWhenThinking:
      return !setting_.thinking && choice.other_json().empty();
    case ToolChoiceRule::kNamedWhenNotThinking:
      return !setting_.thinking &&
             choice.kind_case() == v1::ToolChoice::kFunction;
    case ToolChoiceRule::kAutoOrNone:
    case ToolChoiceRule::kAutoOnly:
    case ToolChoiceRule::kUnsupported:
      return false;
  }
  return false;
}

bool ToolWriter::WithholdsTools(const ChatRequest& request) const {
  return setting_.profile.tool_choice == ToolChoiceRule::kAutoOnly &&
         request.message.tool_choice().mode() == "none";
}

void ToolWriter::WriteToolChoice(const ChatRequest& request) {
  const v1::ToolChoice& choice = request.message.tool_choice();
  if (choice.kind_case() == v1::ToolChoice::KIND_NOT_SET) return;
  if (!any_tools_ && request.message.tools_size() > 0) return;
  const bool free = choice.mode() == "auto" || choice.mode() == "none";
  if (setting_.profile.tool_choice == ToolChoiceRule::kUnsupported) {
    if (choice.mode() != "auto") dropped_.Add("tool_choice");
    return;
  }
  out_.Key("tool_choice");
  if (!free && !ForcedAllowed(choice)) {
    dropped_.Add("tool_choice");
    return out_.String("auto");
  }
  if (choice.mode() == "required") {
    return out_.String(setting_.profile.required_word);
  }
  const std::string_view source = request.source.dialect == "openai"
                                      ? request.source.Member("tool_choice")
                                      : std::string_view();
  if (!source.empty()) return out_.Raw(source);
  switch (choice.kind_case()) {
    case v1::ToolChoice::kFunction:
      return WriteNamed("function", choice.function(), out_);
    case v1::ToolChoice::kCustom:
      return WriteNamed("custom", choice.custom(), out_);
    case v1::ToolChoice::kOtherJson:
      return out_.Raw(choice.other_json());
    default:
      return out_.String(choice.mode());
  }
}

void ToolWriter::WriteParallelCalls(const ChatRequest& request) {
  const bool taken =
      TakesField(setting_.profile, setting_.model, "parallel_tool_calls");
  const v1::ChatCompletionRequest& message = request.message;
  if (!taken) {
    const bool asked =
        message.has_parallel_tool_calls() && !message.parallel_tool_calls();
    if (asked) dropped_.Add("parallel_tool_calls");
    return;
  }
  const bool by_default = setting_.profile.explicit_parallel_calls &&
                          setting_.traits.parallel_tools;
  // Refused without tools, where it says nothing anyway.
  if (!any_tools_) return;
  if (!message.has_parallel_tool_calls() && !by_default) return;
  out_.Key("parallel_tool_calls");
  out_.Bool(message.has_parallel_tool_calls() ? message.parallel_tool_calls()
                                              : true);
}

bool ToolWriter::FormatMeetsTools(const ChatRequest& request) const {
  return setting_.profile.format_rule == FormatRule::kWholeWithoutTools &&
         request.message.tools_size() > 0;
}

bool ToolWriter::DowngradesSchema(const ChatRequest& request) const {
  return request.message.response_format().type() == "json_schema" &&
         (!setting_.profile.json_schema || !setting_.traits.json_schema ||
          FormatMeetsTools(request));
}

std::string ToolWriter::SchemaInstruction(const ChatRequest& request) const {
  if (!DowngradesSchema(request)) return {};
  const v1::JsonSchemaFormat& format =
      request.message.response_format().json_schema();
  return absl::StrCat(
      "Answer with one JSON object and nothing else, no code fence. It must "
      "conform to this JSON schema",
      format.name().empty() ? "" : absl::StrCat(" (", format.name(), ")"),
      ":\n", format.schema());
}

void ToolWriter::WriteResponseFormat(const ChatRequest& request) {
  if (!request.message.has_response_format()) return;
  const v1::ResponseFormat& format = request.message.response_format();
  if (DowngradesSchema(request)) {
    dropped_.Add("response_format.json_schema");
    if (setting_.traits.json_object && !FormatMeetsTools(request)) {
      out_.MemberRaw("response_format", R"({"type":"json_object"})");
    }
    return;
  }
  if (format.type() == "json_object" &&
      (!setting_.traits.json_object || FormatMeetsTools(request))) {
    return dropped_.Add("response_format");
  }
  const std::string_view source = request.source.dialect == "openai"
                                      ? request.source.Member("response_format")
                                      : std::string_view();
  if (!source.empty()) return out_.MemberRaw("response_format", source);
  WriteFormat(format, out_);
}

}  // namespace llm::openai
