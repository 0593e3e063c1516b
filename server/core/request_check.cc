#include "server/core/request_check.h"

#include <cmath>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "adapters/core/json.h"
#include "adapters/core/status_macros.h"
#include "router/call_error.h"
#include "server/core/envelope_check.h"
#include "server/core/read_request.h"

namespace llm::server {
namespace {

enum class Shape { kAny, kObject, kArray };

// Names a field only when something is wrong with it: most requests have no
// fault, and hundreds of fields.
struct Path {
  std::string_view list;  // "messages", "tools", or empty
  int index = 0;
  std::string_view field;

  std::string Text() const {
    if (list.empty()) return std::string(field);
    return absl::StrCat(std::string(list), "[", index, "].",
                        std::string(field));
  }
};

// The JSON texts of one request, which have kMaxRequestValues together.
class JsonTexts {
 public:
  // Empty text means absent.
  absl::Status Check(const std::string& text, Shape shape, Path path);

 private:
  size_t left_ = kMaxRequestValues;
};

absl::Status JsonTexts::Check(const std::string& text, Shape shape, Path path) {
  if (text.empty()) return absl::OkStatus();
  JsonDocument::Options options;
  options.max_values = left_;
  const auto parsed = JsonDocument::Parse(text, options);
  if (absl::IsResourceExhausted(parsed.status())) return RefuseTooManyValues();
  if (!parsed.ok()) return RefuseField(path.Text(), "this is not valid JSON");
  left_ -= parsed->values();
  const JsonValue root = parsed->root();
  if (shape == Shape::kObject && !root.is_object()) {
    return RefuseField(path.Text(), "this must be a JSON object");
  }
  if (shape == Shape::kArray && !root.is_array()) {
    return RefuseField(path.Text(), "this must be a JSON array");
  }
  return absl::OkStatus();
}

absl::Status CheckFinite(double value, std::string_view param) {
  if (std::isfinite(value)) return absl::OkStatus();
  return RefuseField(param, "the number must be finite");
}

absl::Status CheckNumbers(const v1::ChatCompletionRequest& request) {
  LLM_RETURN_IF_ERROR(CheckFinite(request.temperature(), "temperature"));
  LLM_RETURN_IF_ERROR(CheckFinite(request.top_p(), "top_p"));
  LLM_RETURN_IF_ERROR(
      CheckFinite(request.frequency_penalty(), "frequency_penalty"));
  LLM_RETURN_IF_ERROR(
      CheckFinite(request.presence_penalty(), "presence_penalty"));
  for (const auto& [token, bias] : request.logit_bias()) {
    LLM_RETURN_IF_ERROR(CheckFinite(bias, "logit_bias"));
  }
  return absl::OkStatus();
}

absl::Status CheckTopLevelJson(const v1::ChatCompletionRequest& request,
                               JsonTexts& json) {
  struct Field {
    const std::string& text;
    Shape shape;
    std::string_view name;
  };
  const Field fields[] = {
      {request.extra_json(), Shape::kObject, "extra_json"},
      {request.prompt_cache_options(), Shape::kAny, "prompt_cache_options"},
      {request.web_search_options(), Shape::kAny, "web_search_options"},
      {request.moderation(), Shape::kAny, "moderation"},
      {request.functions(), Shape::kArray, "functions"},
      {request.function_call(), Shape::kAny, "function_call"},
      {request.audio().voice(), Shape::kAny, "audio.voice"},
      {request.prediction().content(), Shape::kAny, "prediction.content"},
      {request.response_format().extra_json(), Shape::kObject,
       "response_format.extra_json"},
      {request.response_format().json_schema().schema(), Shape::kObject,
       "response_format.json_schema.schema"},
      {request.tool_choice().other_json(), Shape::kAny,
       "tool_choice.other_json"},
  };
  for (const Field& field : fields) {
    LLM_RETURN_IF_ERROR(
        json.Check(field.text, field.shape, {{}, 0, field.name}));
  }
  if (request.has_response_format() &&
      request.response_format().type().empty()) {
    return RefuseField("response_format.type",
                       "say text, json_object or "
                       "json_schema");
  }
  return absl::OkStatus();
}

absl::Status CheckTool(const v1::Tool& tool, int index, JsonTexts& json) {
  const auto at = [index](std::string_view field) {
    return Path{"tools", index, field};
  };
  LLM_RETURN_IF_ERROR(
      json.Check(tool.other_json(), Shape::kObject, at("other_json")));
  LLM_RETURN_IF_ERROR(
      json.Check(tool.extra_json(), Shape::kObject, at("extra_json")));
  if (tool.has_function()) {
    const v1::FunctionTool& function = tool.function();
    if (function.name().empty()) {
      return RefuseField(at("function.name").Text(), "a function needs a name");
    }
    LLM_RETURN_IF_ERROR(json.Check(function.parameters(), Shape::kObject,
                                   at("function.parameters")));
    return json.Check(function.extra_json(), Shape::kObject,
                      at("function.extra_json"));
  }
  if (tool.has_custom()) {
    if (tool.custom().name().empty()) {
      return RefuseField(at("custom.name").Text(),
                         "a custom tool needs a name");
    }
    return json.Check(tool.custom().format(), Shape::kObject,
                      at("custom.format"));
  }
  if (tool.other_json().empty()) {
    return RefuseField(at("function").Text(), "the tool is empty");
  }
  return absl::OkStatus();
}

absl::Status CheckMessage(const v1::Message& message, int index,
                          JsonTexts& json) {
  const auto at = [index](std::string_view field) {
    return Path{"messages", index, field};
  };
  LLM_RETURN_IF_ERROR(json.Check(message.audio(), Shape::kObject, at("audio")));
  LLM_RETURN_IF_ERROR(
      json.Check(message.annotations(), Shape::kArray, at("annotations")));
  LLM_RETURN_IF_ERROR(
      json.Check(message.function_call(), Shape::kObject, at("function_call")));
  LLM_RETURN_IF_ERROR(
      json.Check(message.extra_json(), Shape::kObject, at("extra_json")));
  for (const v1::ToolCall& call : message.tool_calls()) {
    LLM_RETURN_IF_ERROR(
        json.Check(call.extra_json(), Shape::kObject, at("tool_calls")));
  }
  for (const v1::Part& part : message.parts()) {
    LLM_RETURN_IF_ERROR(
        json.Check(part.extra_json(), Shape::kObject, at("parts")));
    LLM_RETURN_IF_ERROR(
        json.Check(part.tool_call().extra_json(), Shape::kObject, at("parts")));
    if (part.has_opaque() && part.opaque().json().empty()) {
      return RefuseField(at("parts").Text(), "an opaque part needs its JSON");
    }
    LLM_RETURN_IF_ERROR(
        json.Check(part.opaque().json(), Shape::kAny, at("parts")));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckRequest(const v1::ChatCompletionRequest& request) {
  LLM_RETURN_IF_ERROR(CheckEnvelope(request));
  LLM_RETURN_IF_ERROR(CheckNumbers(request));
  JsonTexts json;
  LLM_RETURN_IF_ERROR(CheckTopLevelJson(request, json));
  for (int i = 0; i < request.tools_size(); ++i) {
    LLM_RETURN_IF_ERROR(CheckTool(request.tools(i), i, json));
  }
  for (int i = 0; i < request.messages_size(); ++i) {
    LLM_RETURN_IF_ERROR(CheckMessage(request.messages(i), i, json));
  }
  return absl::OkStatus();
}

}  // namespace llm::server
