#include "tests/adapters/anthropic/native_reader.h"

#include <algorithm>
#include <map>
#include <span>
#include <string_view>
#include <vector>

namespace llm {
namespace {

using sv = std::string_view;

std::string Rest(JsonValue object, std::span<const sv> known) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  for (JsonValue v = object.First(); v; v = v.Next()) {
    if (std::find(known.begin(), known.end(), v.Key()) == known.end()) {
      json.MemberRaw(v.Key(), v.raw());
    }
  }
  json.EndObject();
  return out == "{}" ? std::string() : out;
}

void ReadSource(JsonValue source, v1::MediaPart* out) {
  if (source.Find("type").Equals("url")) {
    out->set_url(source.Find("url").StringOr());
  } else if (source.Find("type").Equals("file")) {
    out->set_file_id(source.Find("file_id").StringOr());
  } else if (source.Find("type").Equals("text")) {
    out->set_data(source.Find("data").StringOr());
    out->set_mime_type("text/plain");
  } else {
    out->set_url("data:" + source.Find("media_type").StringOr() + ";base64," +
                 source.Find("data").StringOr());
  }
}

void ReadBlock(JsonValue block, v1::Part* out) {
  const std::string type = block.Find("type").StringOr();
  if (type == "text") {
    constexpr sv kKnown[] = {"type", "text"};
    out->mutable_text()->set_text(block.Find("text").StringOr());
    out->set_extra_json(Rest(block, kKnown));
  } else if (type == "image" || type == "document") {
    constexpr sv kKnown[] = {"type", "source"};
    out->mutable_media()->set_kind(type == "image" ? v1::MediaPart::IMAGE
                                                   : v1::MediaPart::FILE);
    ReadSource(block.Find("source"), out->mutable_media());
    out->set_extra_json(Rest(block, kKnown));
  } else if (type == "thinking" || type == "redacted_thinking") {
    v1::ReasoningPart* part = out->mutable_reasoning();
    part->set_text(block.Find("thinking").StringOr());
    part->set_signature(block.Find("signature").StringOr());
    part->set_redacted_data(block.Find("data").StringOr());
    part->set_origin("anthropic");
  } else if (type == "tool_use") {
    constexpr sv kKnown[] = {"type", "id", "name", "input"};
    v1::ToolCall* call = out->mutable_tool_call();
    call->set_id(block.Find("id").StringOr());
    call->mutable_function()->set_name(block.Find("name").StringOr());
    call->mutable_function()->set_arguments(
        std::string(block.Find("input").raw()));
    call->set_extra_json(Rest(block, kKnown));
  } else {
    out->mutable_opaque()->set_origin("anthropic");
    out->mutable_opaque()->set_json(std::string(block.raw()));
  }
}

void ReadContent(JsonValue content, v1::Message* out) {
  if (content.is_string()) {
    out->add_parts()->mutable_text()->set_text(content.StringOr());
  }
  for (JsonValue v = content.is_array() ? content.First() : JsonValue(); v;
       v = v.Next()) {
    ReadBlock(v, out->add_parts());
  }
}

void ReadMessage(JsonValue message, v1::ChatCompletionRequest* out) {
  const JsonValue content = message.Find("content");
  v1::Message rest;
  rest.set_role(message.Find("role").StringOr());
  if (content.is_string()) ReadContent(content, &rest);
  for (JsonValue v = content.is_array() ? content.First() : JsonValue(); v;
       v = v.Next()) {
    if (!v.Find("type").Equals("tool_result")) {
      ReadBlock(v, rest.add_parts());
      continue;
    }
    constexpr sv kKnown[] = {"type", "tool_use_id", "content"};
    v1::Message* result = out->add_messages();
    result->set_role("tool");
    result->set_tool_call_id(v.Find("tool_use_id").StringOr());
    ReadContent(v.Find("content"), result);
    result->set_extra_json(Rest(v, kKnown));
  }
  if (rest.parts_size() > 0) *out->add_messages() = std::move(rest);
}

void ReadTool(JsonValue tool, v1::Tool* out) {
  if (tool.Find("type").has_value()) {
    out->set_type(tool.Find("type").StringOr());
    out->set_other_json(std::string(tool.raw()));
    return;
  }
  constexpr sv kKnown[] = {"name", "description", "input_schema", "strict"};
  v1::FunctionTool* function = out->mutable_function();
  function->set_name(tool.Find("name").StringOr());
  if (tool.Find("description")) {
    function->set_description(tool.Find("description").StringOr());
  }
  function->set_parameters(std::string(tool.Find("input_schema").raw()));
  if (tool.Find("strict")) {
    function->set_strict(tool.Find("strict").AsBool() == true);
  }
  function->set_extra_json(Rest(tool, kKnown));
}

void ReadChoice(JsonValue choice, v1::ChatCompletionRequest* out) {
  if (!choice.is_object()) return;
  if (choice.Find("disable_parallel_tool_use").AsBool() == true) {
    out->set_parallel_tool_calls(false);
  }
  const std::string type = choice.Find("type").StringOr();
  if (type == "tool") {
    out->mutable_tool_choice()->set_function(choice.Find("name").StringOr());
  } else {
    out->mutable_tool_choice()->set_mode(type == "any" ? "required" : type);
  }
}

// `format` has a canonical field; effort and budgets have none.
std::string ReadOutputConfig(JsonValue config, v1::ChatCompletionRequest* out) {
  const JsonValue format = config.Find("format");
  if (format.is_object()) {
    out->mutable_response_format()->set_type("json_schema");
    out->mutable_response_format()->mutable_json_schema()->set_schema(
        std::string(format.Find("schema").raw()));
  }
  constexpr sv kKnown[] = {"format"};
  return Rest(config, kKnown);
}

}  // namespace

ChatRequest ReadNativeRequest(JsonValue body) {
  ChatRequest request;
  v1::ChatCompletionRequest& out = request.message;
  out.set_model(body.Find("model").StringOr());
  // Anthropic's max_tokens caps thinking, too.
  if (const auto cap = body.Find("max_tokens").AsInt64()) {
    out.set_max_completion_tokens(*cap);
  }
  if (body.Find("system").has_value()) {
    v1::Message* system = out.add_messages();
    system->set_role("system");
    ReadContent(body.Find("system"), system);
  }
  const JsonValue messages = body.Find("messages");
  bool system_turns = false;
  for (JsonValue v = messages.First(); v; v = v.Next()) {
    system_turns = system_turns || v.Find("role").Equals("system");
    ReadMessage(v, &out);
  }
  const JsonValue tools = body.Find("tools");
  for (JsonValue v = tools.is_array() ? tools.First() : JsonValue(); v;
       v = v.Next()) {
    ReadTool(v, out.add_tools());
  }
  ReadChoice(body.Find("tool_choice"), &out);
  const JsonValue stops = body.Find("stop_sequences");
  for (JsonValue v = stops.is_array() ? stops.First() : JsonValue(); v;
       v = v.Next()) {
    out.add_stop(v.StringOr());
  }
  constexpr sv kKnown[] = {"model",    "max_tokens",    "system",
                           "messages", "tools",         "tool_choice",
                           "stream",   "output_config", "stop_sequences"};
  std::string extra = Rest(body, kKnown);
  if (extra.empty()) extra = "{}";
  extra.pop_back();
  const auto add = [&extra](sv member) {
    if (extra.size() > 1) extra += ',';
    extra += member;
  };
  const std::string config = ReadOutputConfig(body.Find("output_config"), &out);
  if (!config.empty()) add("\"output_config\":" + config);
  if (system_turns) {
    add(R"("betas":["mid-conversation-system-2026-04-07"])");
  }
  out.set_extra_json(extra + "}");
  return request;
}

// --- comparison

namespace {

std::string Compare(const std::string& at, JsonValue a, JsonValue b);

std::string CompareObjects(const std::string& at, JsonValue a, JsonValue b) {
  for (JsonValue v = a.First(); v; v = v.Next()) {
    if (v.is_null()) continue;
    std::string fault = Compare(at + "." + v.Key(), v, b.Find(v.Key()));
    if (!fault.empty()) return fault;
  }
  for (JsonValue v = b.First(); v; v = v.Next()) {
    if (!v.is_null() && !a.Find(v.Key())) return at + ": new " + v.Key();
  }
  return {};
}

// A text, or a list of one block of that text and nothing else.
std::string TextOf(JsonValue value) {
  if (value.is_string()) return value.StringOr();
  if (!value.is_array() || value.size() != 1) return {};
  const JsonValue block = value.First();
  return block.size() == 2 && block.Find("type").Equals("text")
             ? block.Find("text").StringOr()
             : std::string();
}

std::string Compare(const std::string& at, JsonValue a, JsonValue b) {
  if (!TextOf(a).empty() && TextOf(a) == TextOf(b)) return {};
  if (a.type() != b.type()) {
    return at + ": " + std::string(a.raw().substr(0, 80)) + " became " +
           std::string(b.raw().substr(0, 80));
  }
  if (a.is_object()) return CompareObjects(at, a, b);
  if (a.is_array()) {
    if (a.size() != b.size()) return at + ": another length";
    JsonValue other = b.First();
    int i = 0;
    for (JsonValue v = a.First(); v; v = v.Next(), other = other.Next(), ++i) {
      std::string fault = Compare(at + "[" + std::to_string(i) + "]", v, other);
      if (!fault.empty()) return fault;
    }
    return {};
  }
  const bool same =
      a.is_string() ? a.StringOr() == b.StringOr() : a.raw() == b.raw();
  return same ? ""
              : at + ": " + std::string(a.raw().substr(0, 80)) + " became " +
                    std::string(b.raw().substr(0, 80));
}

}  // namespace

std::string DifferenceOfBodies(JsonValue before, JsonValue after) {
  for (JsonValue v = before.First(); v; v = v.Next()) {
    if (v.KeyEquals("stream") || v.is_null()) continue;
    const bool empty_list = v.is_array() && v.size() == 0;
    if (empty_list) continue;
    std::string fault = Compare(v.Key(), v, after.Find(v.Key()));
    if (!fault.empty()) return fault;
  }
  for (JsonValue v = after.First(); v; v = v.Next()) {
    if (v.KeyEquals("stream")) continue;
    if (!before.Find(v.Key())) return "new " + v.Key();
  }
  return {};
}

}  // namespace llm
