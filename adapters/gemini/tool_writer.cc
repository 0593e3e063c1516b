#include "adapters/gemini/tool_writer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "adapters/core/text.h"
#include "adapters/gemini/config_writer.h"
#include "adapters/gemini/json_schema_writer.h"
#include "adapters/gemini/openapi_schema_writer.h"

namespace llm::gemini {
namespace {

using sv = std::string_view;

// Tools that Google runs, and a whole list of declarations in its own words.
constexpr sv kBuiltIn[] = {"googleSearch",        "googleSearchRetrieval",
                           "codeExecution",       "urlContext",
                           "fileSearch",          "computerUse",
                           "googleMaps",          "enterpriseWebSearch",
                           "retrieval",           "mcpServers",
                           "functionDeclarations"};
// Those that declare functions, or stand beside them in every generation.
constexpr sv kBesideFunctions[] = {"functionDeclarations", "computerUse"};
// Of a declaration, beside name, description and parameters.
constexpr sv kDeclaration[] = {"response", "responseJsonSchema", "behavior"};

// The name in {"function":{"name":…}} or {"name":…}.
std::string NameIn(JsonValue tool) {
  std::string name = tool.Find("function").Find("name").StringOr();
  return name.empty() ? tool.Find("name").StringOr() : name;
}

void WriteCalling(const std::string& mode,
                  const std::vector<std::string>& allowed,
                  const FunctionNames& names, JsonWriter& out) {
  out.Key("functionCallingConfig");
  out.BeginObject();
  out.Member("mode", mode);
  if (!allowed.empty()) {
    out.Key("allowedFunctionNames");
    out.BeginArray();
    for (const std::string& name : allowed) out.String(names.Sent(name));
    out.EndArray();
  }
  out.EndObject();
}

// The caller's own choice, whose functions go by the names they are declared
// by.
void WriteOwnCalling(JsonValue own, Rendering& to, JsonWriter& out) {
  out.Key("functionCallingConfig");
  out.BeginObject();
  for (const auto& [name, v] :
       ReadMembers(own, "toolConfig.functionCallingConfig", to)) {
    if (name != "allowedFunctionNames" || !v.is_array()) {
      out.MemberRaw(name, v.raw());
      continue;
    }
    out.Key(name);
    out.BeginArray();
    for (JsonValue f = v.First(); f; f = f.Next()) {
      if (f.is_string()) {
        out.String(to.names.Sent(f.StringOr()));
      } else {
        out.Raw(f.raw());
      }
    }
    out.EndArray();
  }
  out.EndObject();
}

}  // namespace

bool ToolWriter::Withheld(const std::string& name) const {
  return !only_.empty() &&
         std::find(only_.begin(), only_.end(), name) == only_.end();
}

void ToolWriter::Declare(const v1::FunctionTool& function) {
  if (Withheld(function.name())) return;
  SchemaLosses losses("tools.function.parameters", to_.dropped);
  std::string text;
  JsonWriter out(&text);
  out.BeginObject();
  out.Member("name", to_.names.Sent(function.name()));
  if (function.has_description()) {
    out.Member("description", function.description());
  }
  const auto given = JsonDocument::Parse(function.parameters());
  if (!function.parameters().empty() &&
      (!given.ok() || !given->root().is_object())) {
    to_.dropped.Add("tools.function.parameters");
  }
  const bool json_schema = to_.family.json_schema;
  const std::string schema =
      json_schema ? WriteJsonSchema(function.parameters(), {}, losses)
                  : WriteOpenApiSchema(function.parameters(), {}, losses);
  if (!schema.empty() && schema != "{}") {
    out.MemberRaw(json_schema ? "parametersJsonSchema" : "parameters", schema);
  }
  if (const auto extra = JsonDocument::Parse(function.extra_json());
      extra.ok()) {
    for (JsonValue v = extra->root().First(); v; v = v.Next()) {
      const std::string name = CamelCase(v.Key());
      if (Among(kDeclaration, name)) {
        out.MemberRaw(name, v.raw());
      } else if (!v.is_null()) {
        to_.dropped.Add("tools.function." + v.Key());
      }
    }
  }
  out.EndObject();
  declarations_.push_back(std::move(text));
  if (!function.strict()) return;
  strict_ = true;
  if (!to_.family.validated) to_.dropped.Add("tools.function.strict");
}

// Before the third generation a tool of Google's beside functions is refused;
// the functions are what the caller waits for.
bool ToolWriter::FunctionsStandAlone() const {
  if (to_.family.third_generation) return false;
  const auto declares = [](const v1::Tool& tool) {
    const auto doc = JsonDocument::Parse(tool.other_json());
    return doc.ok() && (doc->root().Find("functionDeclarations") ||
                        doc->root().Find("function_declarations"));
  };
  return !declarations_.empty() ||
         std::any_of(request_.tools().begin(), request_.tools().end(),
                     declares);
}

void ToolWriter::ReadBuiltIn(const std::string& json, bool functions_alone) {
  const std::string sent = to_.names.SentTool(json);
  const auto doc = JsonDocument::Parse(sent);
  if (!doc.ok() || !doc->root().is_object()) return to_.dropped.Add("tools");
  std::string text;
  JsonWriter out(&text);
  out.BeginObject();
  bool known = false;
  bool any = false;
  for (const auto& [name, v] : ReadMembers(doc->root(), "tools", to_)) {
    if (!Among(kBuiltIn, name)) continue;
    known = true;
    if (functions_alone && !Among(kBesideFunctions, name)) {
      to_.dropped.Add("tools." + v.Key());
      continue;
    }
    out.MemberRaw(name, v.raw());
    any = true;
  }
  out.EndObject();
  if (any) built_in_.push_back(std::move(text));
  if (known) return;
  // Another vendor's tool (OpenAI's web_search) has its name in `type`.
  const std::string type = doc->root().Find("type").StringOr();
  to_.dropped.Add(type.empty() ? "tools" : "tools." + type);
}

void ToolWriter::ReadTool(const v1::Tool& tool) {
  if (tool.has_custom()) {
    return to_.Refuse("tools.custom",
                      "tools that take free text are not offered");
  }
  Declare(tool.function());
  const auto extra = JsonDocument::Parse(tool.extra_json());
  if (!extra.ok()) return;
  for (JsonValue v = extra->root().First(); v; v = v.Next()) {
    if (!v.is_null()) to_.dropped.Add("tools." + v.Key());
  }
}

// {"type":"allowed_tools","allowed_tools":{mode, tools}}, or flat. A model
// that cannot be told to choose among some is given only those.
void ToolWriter::LimitDeclarations() {
  if (to_.family.validated) return;
  const auto doc = JsonDocument::Parse(request_.tool_choice().other_json());
  if (!doc.ok() || !doc->root().Find("type").Equals("allowed_tools")) return;
  JsonValue allowed = doc->root().Find("allowed_tools");
  if (!allowed.is_object()) allowed = doc->root();
  if (!allowed.Find("mode").Equals("auto")) return;
  const JsonValue tools = allowed.Find("tools");
  for (JsonValue v = tools.First(); v; v = v.Next()) {
    only_.push_back(NameIn(v));
  }
}

std::string ToolWriter::Tools(const std::vector<std::string>& called,
                              const NativeFields& native) {
  LimitDeclarations();
  for (const v1::Tool& tool : request_.tools()) {
    if (tool.other_json().empty()) ReadTool(tool);
  }
  const bool functions_alone = FunctionsStandAlone();
  for (const v1::Tool& tool : request_.tools()) {
    if (tool.other_json().empty()) continue;
    ReadBuiltIn(tool.other_json(), functions_alone);
  }
  // A history is taken without declarations too; an answer in JSON beside them
  // is not, and is what the caller asked for.
  const bool in_the_way =
      !to_.family.third_generation && AnswersInJson(request_, native, to_);
  if (request_.tools_size() == 0 && !in_the_way) {
    synthesised_ = !called.empty();
    for (const std::string& name : called) {
      declarations_.push_back("{\"name\":" + JsonQuote(to_.names.Sent(name)) +
                              "}");
    }
  }
  if (declarations_.empty() && built_in_.empty()) return {};
  std::string text;
  JsonWriter out(&text);
  out.BeginArray();
  if (!declarations_.empty()) {
    out.BeginObject();
    out.Key("functionDeclarations");
    out.BeginArray();
    for (const std::string& declaration : declarations_) out.Raw(declaration);
    out.EndArray();
    out.EndObject();
  }
  for (const std::string& tool : built_in_) out.Raw(tool);
  out.EndArray();
  return text;
}

ToolWriter::Choice ToolWriter::Forced(std::vector<std::string> allowed) {
  if (!to_.context.traits.forced_tool_choice) {
    to_.dropped.Add("tool_choice");
    return {"AUTO", {}};
  }
  return {"ANY", std::move(allowed)};
}

ToolWriter::Choice ToolWriter::ReadAllowed(JsonValue choice) {
  JsonValue allowed = choice.Find("allowed_tools");
  if (!allowed.is_object()) allowed = choice;
  std::vector<std::string> names;
  const JsonValue tools = allowed.Find("tools");
  for (JsonValue v = tools.First(); v; v = v.Next()) {
    std::string name = NameIn(v);
    if (!name.empty()) names.push_back(std::move(name));
  }
  if (allowed.Find("mode").Equals("required")) return Forced(std::move(names));
  if (to_.family.validated) return {"VALIDATED", std::move(names)};
  return {"AUTO", {}};
}

ToolWriter::Choice ToolWriter::ReadChoice() {
  const v1::ToolChoice& choice = request_.tool_choice();
  switch (choice.kind_case()) {
    case v1::ToolChoice::kMode:
      if (choice.mode() == "none") return {"NONE", {}};
      if (choice.mode() == "required") return Forced({});
      break;
    case v1::ToolChoice::kFunction:
      return Forced({choice.function()});
    case v1::ToolChoice::kCustom:
      to_.Refuse("tool_choice", "tools that take free text are not offered");
      return {};
    case v1::ToolChoice::kOtherJson: {
      const auto doc = JsonDocument::Parse(choice.other_json());
      if (doc.ok() && doc->root().Find("type").Equals("allowed_tools")) {
        return ReadAllowed(doc->root());
      }
      to_.Refuse("tool_choice", "this choice of a tool cannot be passed on");
      return {};
    }
    default:
      break;
  }
  if (strict_ && to_.family.validated) return {"VALIDATED", {}};
  return {choice.mode() == "auto" ? "AUTO" : "", {}};
}

// The caller's own toolConfig; true where it held something. Of two ways to
// choose among functions OpenAI's counts.
bool ToolWriter::WriteOwn(JsonValue members, bool chosen, JsonWriter& out) {
  bool any = false;
  for (const auto& [name, v] : ReadMembers(members, "toolConfig", to_)) {
    if (name == "functionCallingConfig" && chosen) {
      to_.dropped.Add("toolConfig.functionCallingConfig");
      continue;
    }
    any = true;
    if (name == "functionCallingConfig" && v.is_object()) {
      WriteOwnCalling(v, to_, out);
    } else {
      out.MemberRaw(name, v.raw());
    }
  }
  return any;
}

std::string ToolWriter::ToolConfig(const NativeFields& native) {
  if (request_.has_parallel_tool_calls() && !request_.parallel_tool_calls()) {
    to_.dropped.Add("parallel_tool_calls");
  }
  std::string text;
  JsonWriter out(&text);
  out.BeginObject();
  Choice choice = ReadChoice();
  if (declarations_.empty() && (choice.mode == "ANY" || built_in_.empty())) {
    // Nothing that could be called, so nothing to say but what was asked.
    if (choice.mode == "ANY") to_.dropped.Add("tool_choice");
    choice = {};
  }
  if (synthesised_) {
    // Declared for the history's sake; the caller offers nothing to call.
    if (!choice.allowed.empty() || choice.mode == "ANY") {
      to_.dropped.Add("tool_choice");
    }
    choice = {"NONE", {}};
  }
  const bool chosen = !choice.mode.empty();
  if (chosen) WriteCalling(choice.mode, choice.allowed, to_.names, out);
  const auto doc = JsonDocument::Parse(native.tool_config);
  const JsonValue own = doc.ok() ? doc->root() : JsonValue();
  bool any = WriteOwn(own, chosen, out) || chosen;
  // Server tools beside declarations have to be asked for; Vertex does not
  // know the word.
  const bool mixed = !declarations_.empty() && !built_in_.empty() &&
                     to_.family.third_generation && !to_.vertex;
  if (mixed && !own.Find("includeServerSideToolInvocations") &&
      !own.Find("include_server_side_tool_invocations")) {
    any = true;
    out.MemberRaw("includeServerSideToolInvocations", "true");
  }
  out.EndObject();
  return any ? text : std::string();
}

}  // namespace llm::gemini
