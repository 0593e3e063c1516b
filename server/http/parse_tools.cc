#include "server/http/parse_tools.h"

namespace llm::server {
namespace {

using v1::CustomTool;
using v1::FunctionTool;
using v1::JsonSchemaFormat;
using v1::ResponseFormat;
using v1::Tool;

constexpr JsonField<FunctionTool> kFunctionFields[] = {
    {"name", ReadString<&FunctionTool::mutable_name, FunctionTool>},
    {"description",
     ReadString<&FunctionTool::mutable_description, FunctionTool>},
    {"parameters", ReadRaw<&FunctionTool::mutable_parameters, FunctionTool>},
    {"strict", ReadBool<&FunctionTool::set_strict, FunctionTool>},
};
constexpr JsonField<CustomTool> kCustomFields[] = {
    {"name", ReadString<&CustomTool::mutable_name, CustomTool>},
    {"description", ReadString<&CustomTool::mutable_description, CustomTool>},
    {"format", ReadRaw<&CustomTool::mutable_format, CustomTool>},
};

absl::Status ReadFunction(const JsonValue& v, const JsonPath& path, Tool* out) {
  FunctionTool* function = out->mutable_function();
  LLM_RETURN_IF_ERROR(ReadFields<FunctionTool>(
      v, path, kFunctionFields, function, function->mutable_extra_json()));
  if (function->name().empty()) {
    return BadField(JsonPath(path, "name"), "is missing");
  }
  return absl::OkStatus();
}

absl::Status ReadCustom(const JsonValue& v, const JsonPath& path, Tool* out) {
  LLM_RETURN_IF_ERROR(ReadFields<CustomTool>(v, path, kCustomFields,
                                             out->mutable_custom(), nullptr));
  if (out->custom().name().empty()) {
    return BadField(JsonPath(path, "name"), "is missing");
  }
  return absl::OkStatus();
}

constexpr JsonField<Tool> kFunctionToolFields[] = {
    {"type", ReadString<&Tool::mutable_type, Tool>},
    {"function", ReadFunction},
};
constexpr JsonField<Tool> kCustomToolFields[] = {
    {"type", ReadString<&Tool::mutable_type, Tool>},
    {"custom", ReadCustom},
};

constexpr JsonField<JsonSchemaFormat> kSchemaFields[] = {
    {"name", ReadString<&JsonSchemaFormat::mutable_name, JsonSchemaFormat>},
    {"description",
     ReadString<&JsonSchemaFormat::mutable_description, JsonSchemaFormat>},
    {"schema", ReadRaw<&JsonSchemaFormat::mutable_schema, JsonSchemaFormat>},
    {"strict", ReadBool<&JsonSchemaFormat::set_strict, JsonSchemaFormat>},
};

absl::Status ReadSchema(const JsonValue& v, const JsonPath& path,
                        ResponseFormat* out) {
  return ReadFields<JsonSchemaFormat>(v, path, kSchemaFields,
                                      out->mutable_json_schema(), nullptr);
}

constexpr JsonField<ResponseFormat> kFormatFields[] = {
    {"type", ReadString<&ResponseFormat::mutable_type, ResponseFormat>},
    {"json_schema", ReadSchema},
};

}  // namespace

absl::Status ParseTool(const JsonValue& json, const JsonPath& path,
                       v1::Tool* out) {
  if (!json.is_object()) return BadField(path, "must be an object");
  const JsonValue type = json.Find("type");
  if (type.has_value() && !type.is_string()) {
    return BadField(JsonPath(path, "type"), "must be a string");
  }
  const bool untyped = !type.has_value();
  if (type.Equals("function") || (untyped && json.Find("function"))) {
    LLM_RETURN_IF_ERROR(ReadFields<Tool>(json, path, kFunctionToolFields, out,
                                         out->mutable_extra_json()));
    out->set_type("function");
    if (out->has_function()) return absl::OkStatus();
    return BadField(JsonPath(path, "function"), "is missing");
  }
  if (type.Equals("custom")) {
    LLM_RETURN_IF_ERROR(ReadFields<Tool>(json, path, kCustomToolFields, out,
                                         out->mutable_extra_json()));
    if (out->has_custom()) return absl::OkStatus();
    return BadField(JsonPath(path, "custom"), "is missing");
  }
  out->set_type(type.StringOr());
  out->mutable_other_json()->assign(json.raw());
  return RefuseRepeated(json, path);
}

absl::Status ParseToolChoice(const JsonValue& json, const JsonPath& path,
                             v1::ToolChoice* out) {
  if (json.is_string()) {
    out->set_mode(json.StringOr());
    return absl::OkStatus();
  }
  if (!json.is_object()) {
    return BadField(path, "must be a string or an object");
  }
  const JsonValue type = json.Find("type");
  LLM_RETURN_IF_ERROR(RefuseRepeated(json, path));
  for (const std::string_view inner : {"function", "custom"}) {
    LLM_RETURN_IF_ERROR(
        RefuseRepeated(json.Find(inner), JsonPath(path, inner)));
  }
  const JsonValue function = json.Find("function").Find("name");
  const JsonValue custom = json.Find("custom").Find("name");
  if (type.Equals("function") && function.is_string()) {
    out->set_function(function.StringOr());
  } else if (type.Equals("custom") && custom.is_string()) {
    out->set_custom(custom.StringOr());
  } else {
    out->mutable_other_json()->assign(json.raw());
  }
  return absl::OkStatus();
}

absl::Status ParseResponseFormat(const JsonValue& json, const JsonPath& path,
                                 v1::ResponseFormat* out) {
  LLM_RETURN_IF_ERROR(ReadFields<ResponseFormat>(json, path, kFormatFields, out,
                                                 out->mutable_extra_json()));
  if (out->type().empty()) {
    return BadField(JsonPath(path, "type"), "is missing");
  }
  return absl::OkStatus();
}

}  // namespace llm::server
