#include "adapters/anthropic/tool_writer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "adapters/anthropic/schema_subset.h"

namespace llm::anthropic {
namespace {

using sv = std::string_view;

// Anthropic's own members of a tool, beside cache_control.
constexpr sv kToolExtra[] = {"defer_loading", "allowed_callers",
                             "eager_input_streaming", "input_examples"};
// The tools that Anthropic runs or knows, each with a date behind it. Not
// advisor_: it names a second model, for which the caller's key was not asked
// and whose tokens would not be charged [SEC-2].
constexpr sv kNativeTools[] = {
    "web_search_",  "web_fetch_", "code_execution_", "bash_",
    "text_editor_", "computer_",  "memory_",         "tool_search_tool_",
    "mcp_toolset",  "container_"};

bool IsNativeTool(JsonValue tool) {
  const std::string type = tool.Find("type").StringOr();
  if (type.empty() || type == "custom") {
    return tool.Find("name").is_string() && tool.Find("input_schema");
  }
  return std::any_of(std::begin(kNativeTools), std::end(kNativeTools),
                     [&](sv start) { return sv(type).starts_with(start); });
}

bool HasObjectRoot(sv schema) {
  const auto doc = JsonDocument::Parse(schema);
  if (!doc.ok() || !doc->root().is_object()) return false;
  const JsonValue root = doc->root();
  return root.Find("type").Equals("object") ||
         root.Find("properties").is_object();
}

}  // namespace

Block ToolWriter::FunctionBlock(const v1::Tool& tool) {
  const v1::FunctionTool& function = tool.function();
  const bool strict = function.strict() && model_.structured_output;
  if (function.strict() && !strict) {
    notes_.dropped.Add("tools.function.strict");
  }
  constexpr sv kName = "tools.function.parameters";
  Block block;
  JsonWriter json(&block.json);
  json.BeginObject();
  json.Member("name", sent_.Sent(function.name()));
  if (function.has_description()) {
    json.Member("description", function.description());
  }
  std::string schema =
      ToolSchema(function.parameters(), kName, &notes_.dropped);
  if (strict) schema = SchemaSubset(schema, kName, &notes_.dropped);
  json.MemberRaw("input_schema", schema);
  if (strict) {
    json.Key("strict");
    json.Bool(true);
  }
  for (const std::string& extra : {function.extra_json(), tool.extra_json()}) {
    content_.AddExtra(extra, kToolExtra, "tools", &json, &block.cache_control);
  }
  json.EndObject();
  return block;
}

void ToolWriter::AddNative(const v1::Tool& tool) {
  const auto given = JsonDocument::Parse(tool.other_json());
  if (!given.ok() || !IsNativeTool(given->root())) {
    return notes_.Refuse("tools", "Claude has no tool of this type");
  }
  const std::string json = sent_.SentTool(tool.other_json());
  const auto doc = JsonDocument::Parse(json);
  Block block;
  block.kind = Block::Kind::kOther;
  CopyNative(doc.ok() ? doc->root() : JsonValue(), json, &block);
  plan_.tools.push_back(std::move(block));
  names_.push_back(given->root().Find("name").StringOr());
}

void ToolWriter::AddTool(const v1::Tool& tool) {
  if (tool.has_custom()) {
    return notes_.Refuse("tools", "Claude has no custom (free text) tools");
  }
  if (!tool.other_json().empty()) return AddNative(tool);
  plan_.tools.push_back(FunctionBlock(tool));
  names_.push_back(tool.function().name());
}

// A forced call is a demand; where it is refused the model is left to choose.
void ToolWriter::Force(sv type, sv name) {
  if (model_.refuses_forced_choice || !traits_.forced_tool_choice) {
    notes_.dropped.Add("tool_choice");
    choice_type_ = "auto";
    return;
  }
  choice_type_ = std::string(type);
  choice_name_ = std::string(name);
}

// Of the tools only these: the others are not told of.
void ToolWriter::Allow(JsonValue allowed) {
  std::set<std::string> names;
  const JsonValue list = allowed.Find("tools");
  for (JsonValue v = list.First(); v; v = v.Next()) {
    std::string name = v.Find("function").Find("name").StringOr();
    if (name.empty()) name = v.Find("name").StringOr();
    names.insert(std::move(name));
  }
  std::vector<Block> kept;
  std::vector<std::string> kept_names;
  for (size_t i = 0; i < plan_.tools.size(); ++i) {
    if (!names.contains(names_[i])) continue;
    kept.push_back(std::move(plan_.tools[i]));
    kept_names.push_back(std::move(names_[i]));
  }
  if (kept.empty()) notes_.dropped.Add("tool_choice");
  plan_.tools = std::move(kept);
  names_ = std::move(kept_names);
  if (allowed.Find("mode").Equals("required")) {
    Force("any", "");
  } else {
    choice_type_ = "auto";
  }
}

void ToolWriter::ChooseOther(sv text) {
  const auto doc = JsonDocument::Parse(text);
  const JsonValue choice = doc.ok() ? doc->root() : JsonValue();
  const std::string type = choice.Find("type").StringOr();
  if (type == "allowed_tools") {
    const JsonValue inner = choice.Find("allowed_tools");
    return Allow(inner.is_object() ? inner : choice);
  }
  // Anthropic's own forms.
  alone_ = choice.Find("disable_parallel_tool_use").AsBool().value_or(false);
  if (type == "auto" || type == "none") {
    choice_type_ = type;
  } else if (type == "any" ||
             (type == "tool" && choice.Find("name").is_string())) {
    Force(type, choice.Find("name").StringOr());
  } else {
    notes_.Refuse("tool_choice", "Claude has no tool choice of this form");
  }
}

void ToolWriter::Choose(const v1::ChatCompletionRequest& request) {
  const v1::ToolChoice& choice = request.tool_choice();
  switch (choice.kind_case()) {
    case v1::ToolChoice::kFunction:
      return Force("tool", choice.function());
    case v1::ToolChoice::kCustom:
      return notes_.Refuse("tool_choice",
                           "Claude has no custom (free text) tools");
    case v1::ToolChoice::kOtherJson:
      return ChooseOther(choice.other_json());
    case v1::ToolChoice::kMode:
      if (choice.mode() == "required") return Force("any", "");
      choice_type_ = choice.mode() == "none" ? "none" : "auto";
      return;
    case v1::ToolChoice::KIND_NOT_SET:
      return;
  }
}

bool ToolWriter::SchemaByTool(const v1::ChatCompletionRequest& request) const {
  const v1::ResponseFormat& format = request.response_format();
  return format.type() == "json_schema" &&
         !(model_.structured_output && traits_.json_schema) &&
         HasObjectRoot(format.json_schema().schema()) &&
         !model_.refuses_forced_choice && traits_.forced_tool_choice;
}

// The answer as the input of a tool, where a schema cannot be had otherwise.
void ToolWriter::AddAnswerTool(const v1::ChatCompletionRequest& request) {
  const v1::JsonSchemaFormat& format = request.response_format().json_schema();
  if (choice_type_ == "tool" || choice_type_ == "any") {
    // The caller forces a call, so this turn is no answer yet.
    return notes_.dropped.Add("response_format.json_schema");
  }
  plan_.answer_tool = "json";
  while (std::any_of(names_.begin(), names_.end(), [&](const auto& name) {
    return sent_.Sent(name) == plan_.answer_tool;
  })) {
    plan_.answer_tool += '_';
  }
  const bool alone = plan_.tools.empty() || choice_type_ == "none";
  Block block;
  JsonWriter json(&block.json);
  json.BeginObject();
  json.Member("name", plan_.answer_tool);
  json.Member("description",
              format.has_description() && !format.description().empty()
                  ? sv(format.description())
                  : sv("Give the final answer with this tool."));
  json.MemberRaw("input_schema",
                 ToolSchema(format.schema(), "response_format.json_schema",
                            &notes_.dropped));
  json.EndObject();
  plan_.tools.push_back(std::move(block));
  choice_type_ = alone ? "tool" : "any";
  choice_name_ = alone ? plan_.answer_tool : "";
}

void ToolWriter::WriteChoice(const v1::ChatCompletionRequest& request) {
  const bool one_at_a_time =
      alone_ || !plan_.answer_tool.empty() ||
      (request.has_parallel_tool_calls() && !request.parallel_tool_calls());
  if (plan_.tools.empty()) return;
  if (choice_type_.empty() && one_at_a_time) choice_type_ = "auto";
  if (choice_type_.empty()) return;
  plan_.forced = choice_type_ == "tool" || choice_type_ == "any";
  JsonWriter json(&plan_.choice);
  json.BeginObject();
  json.Member("type", choice_type_);
  if (choice_type_ == "tool") json.Member("name", sent_.Sent(choice_name_));
  if (one_at_a_time && choice_type_ != "none") {
    json.Key("disable_parallel_tool_use");
    json.Bool(true);
  }
  json.EndObject();
}

ToolPlan ToolWriter::Plan(const v1::ChatCompletionRequest& request,
                          const std::vector<std::string>& called) {
  for (const v1::Tool& tool : request.tools()) AddTool(tool);
  Choose(request);
  const bool asked = choice_type_ == "tool" || choice_type_ == "any";
  if (asked && plan_.tools.empty()) {
    notes_.dropped.Add("tool_choice");
    choice_type_.clear();
  }
  if (plan_.tools.empty() && !called.empty()) {
    // A history of calls is refused without tools (anthropic.md 3.1).
    for (const std::string& name : called) {
      Block block;
      JsonWriter json(&block.json);
      json.BeginObject();
      json.Member("name", sent_.Sent(name));
      json.MemberRaw("input_schema", R"({"type":"object"})");
      json.EndObject();
      plan_.tools.push_back(std::move(block));
      names_.push_back(name);
    }
    choice_type_ = "none";
  }
  if (SchemaByTool(request)) AddAnswerTool(request);
  WriteChoice(request);
  return std::move(plan_);
}

}  // namespace llm::anthropic
