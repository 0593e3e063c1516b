// Every recorded request, read into the canonical form and rendered again: the
// same request, as far as the canonical form can hold it.
#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_replace.h>

#include <catch2/catch.hpp>
#include <iostream>
#include <map>
#include <set>

#include "adapters/core/json.h"
#include "adapters/gemini/gemini_decoder.h"
#include "adapters/gemini/gemini_request.h"
#include "tests/adapters/gemini/recordings.h"

namespace llm {
namespace {

// Both spellings occur.
JsonValue Get(JsonValue object, const std::string& camel) {
  if (const JsonValue found = object.Find(camel)) return found;
  std::string snake;
  for (const char c : camel) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c))) snake += '_';
    snake += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  return object.Find(snake);
}

std::string Camel(std::string_view name) {
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    const bool up = name[i] == '_' && i > 0 && i + 1 < name.size();
    out += up ? absl::ascii_toupper(static_cast<unsigned char>(name[++i]))
              : name[i];
  }
  return out;
}

// --- native to canonical

struct Reader {
  std::string model;
  v1::ChatCompletionRequest request;
  // Calls whose results are to come, by name where they have no id.
  std::vector<std::pair<std::string, std::string>> unnamed;
  int made = 0;

  void Sign(JsonValue part, std::string* signature, std::string* origin,
            std::string* origin_model) const {
    *signature = Get(part, "thoughtSignature").StringOr();
    if (signature->empty()) return;
    *origin = "gemini";
    *origin_model = model;
  }

  static bool ReadMedia(JsonValue part, v1::Part* out) {
    v1::MediaPart* media = out->mutable_media();
    if (const JsonValue data = Get(part, "inlineData")) {
      std::string bytes;
      const std::string text = data.Find("data").StringOr();
      if (!absl::WebSafeBase64Unescape(text, &bytes)) {
        absl::Base64Unescape(text, &bytes);
      }
      media->set_data(bytes);
      media->set_mime_type(Get(data, "mimeType").StringOr());
    } else if (const JsonValue file = Get(part, "fileData")) {
      media->set_url(Get(file, "fileUri").StringOr());
      media->set_mime_type(Get(file, "mimeType").StringOr());
    } else {
      out->clear_media();
      return false;
    }
    const std::string& type = media->mime_type();
    media->set_kind(type.starts_with("image")   ? v1::MediaPart::IMAGE
                    : type.starts_with("audio") ? v1::MediaPart::AUDIO
                    : type.starts_with("video") ? v1::MediaPart::VIDEO
                                                : v1::MediaPart::FILE);
    if (const JsonValue video = Get(part, "videoMetadata")) {
      out->set_extra_json("{\"videoMetadata\":" + std::string(video.raw()) +
                          "}");
    }
    return true;
  }

  void ReadCall(JsonValue part, v1::Part* out) {
    const JsonValue from = Get(part, "functionCall");
    v1::ToolCall* call = out->mutable_tool_call();
    call->set_id(from.Find("id").StringOr());
    call->mutable_function()->set_name(from.Find("name").StringOr());
    call->mutable_function()->set_arguments(
        std::string(from.Find("args").raw()));
    if (call->id().empty()) {
      // One that our own decoder would have made.
      std::string id = std::to_string(made++);
      call->set_id("call_g" + std::string(24 - id.size(), '0') + id);
      unnamed.emplace_back(call->function().name(), call->id());
    }
    Sign(part, call->mutable_signature(), call->mutable_signature_origin(),
         call->mutable_origin_model());
  }

  void ReadPart(JsonValue part, v1::Part* out) {
    if (Get(part, "functionCall")) return ReadCall(part, out);
    if (ReadMedia(part, out)) return;
    if (!part.Find("text")) {
      out->mutable_opaque()->set_origin("gemini");
      out->mutable_opaque()->set_json(std::string(part.raw()));
      return;
    }
    if (part.Find("thought").AsBool().value_or(false)) {
      v1::ReasoningPart* to = out->mutable_reasoning();
      to->set_text(part.Find("text").StringOr());
      Sign(part, to->mutable_signature(), to->mutable_origin(),
           to->mutable_origin_model());
      return;
    }
    v1::TextPart* to = out->mutable_text();
    to->set_text(part.Find("text").StringOr());
    Sign(part, to->mutable_signature(), to->mutable_signature_origin(),
         to->mutable_origin_model());
  }

  void ReadResult(JsonValue from) {
    v1::Message* message = request.add_messages();
    message->set_role("tool");
    message->set_tool_call_id(from.Find("id").StringOr());
    if (message->tool_call_id().empty()) {
      for (auto it = unnamed.begin(); it != unnamed.end(); ++it) {
        if (it->first != from.Find("name").StringOr()) continue;
        message->set_tool_call_id(it->second);
        unnamed.erase(it);
        break;
      }
    }
    const JsonValue parts = from.Find("parts");
    const JsonValue response = from.Find("response");
    if (response.size() > 0 || parts.size() == 0) {
      message->add_parts()->mutable_text()->set_text(
          std::string(response.raw()));
    }
    for (JsonValue v = parts.First(); v; v = v.Next()) {
      ReadMedia(v, message->add_parts());
    }
  }

  void ReadContent(JsonValue content) {
    const bool assistant = content.Find("role").Equals("model");
    v1::Message* message = nullptr;
    JsonValue parts = content.Find("parts");
    for (JsonValue v = parts.First(); v; v = v.Next()) {
      if (const JsonValue result = Get(v, "functionResponse")) {
        ReadResult(result);
        message = nullptr;
        continue;
      }
      if (message == nullptr) {
        message = request.add_messages();
        message->set_role(assistant ? "assistant" : "user");
      }
      ReadPart(v, message->add_parts());
    }
  }

  void ReadTool(JsonValue tool) {
    const JsonValue declarations = Get(tool, "functionDeclarations");
    if (!declarations) {
      request.add_tools()->set_other_json(std::string(tool.raw()));
      return;
    }
    for (JsonValue v = declarations.First(); v; v = v.Next()) {
      v1::FunctionTool* to = request.add_tools()->mutable_function();
      to->set_name(v.Find("name").StringOr());
      to->set_description(v.Find("description").StringOr());
      JsonValue schema = Get(v, "parametersJsonSchema");
      if (!schema) schema = v.Find("parameters");
      to->set_parameters(std::string(schema.raw()));
    }
  }

  void ReadChoice(JsonValue config) {
    const JsonValue calling = Get(config, "functionCallingConfig");
    const std::string mode = calling.Find("mode").StringOr();
    const JsonValue names = Get(calling, "allowedFunctionNames");
    if (mode == "AUTO") request.mutable_tool_choice()->set_mode("auto");
    if (mode == "NONE") request.mutable_tool_choice()->set_mode("none");
    if (mode == "VALIDATED") {
      request.mutable_tools(0)->mutable_function()->set_strict(true);
    }
    if (mode != "ANY") return;
    if (names.size() == 0) {
      request.mutable_tool_choice()->set_mode("required");
      return;
    }
    std::string tools;
    for (JsonValue v = names.First(); v; v = v.Next()) {
      tools += std::string(tools.empty() ? "" : ",") +
               R"({"type":"function","function":{"name":)" +
               std::string(v.raw()) + "}}";
    }
    request.mutable_tool_choice()->set_other_json(
        R"({"type":"allowed_tools","allowed_tools":{"mode":"required",)"
        R"("tools":[)" +
        tools + "]}}");
  }

  // Returns what stays native.
  std::string ReadGeneration(JsonValue config) {
    std::string rest;
    JsonWriter out(&rest);
    out.BeginObject();
    for (JsonValue v = config.First(); v; v = v.Next()) {
      const std::string name = Camel(v.Key());
      if (name == "temperature") {
        request.set_temperature(*v.AsDouble());
      } else if (name == "maxOutputTokens") {
        request.set_max_completion_tokens(*v.AsInt64());
      } else if (name == "stopSequences") {
        for (JsonValue s = v.First(); s; s = s.Next()) {
          request.add_stop(s.StringOr());
        }
      } else if (name == "responseLogprobs") {
        request.set_logprobs(true);
      } else if (name == "logprobs") {
        request.set_top_logprobs(static_cast<int>(*v.AsInt64()));
      } else if (name == "responseMimeType") {
        if (request.response_format().type().empty()) {
          request.mutable_response_format()->set_type("json_object");
        }
      } else if (name == "responseJsonSchema") {
        request.mutable_response_format()->set_type("json_schema");
        request.mutable_response_format()->mutable_json_schema()->set_schema(
            std::string(v.raw()));
      } else if (name != "responseModalities") {
        out.MemberRaw(v.Key(), v.raw());
      } else {
        for (JsonValue m = v.First(); m; m = m.Next()) {
          request.add_modalities(absl::AsciiStrToLower(m.StringOr()));
        }
      }
    }
    out.EndObject();
    return rest;
  }

  void Read(JsonValue body) {
    JsonValue parts = Get(body, "systemInstruction").Find("parts");
    for (JsonValue v = parts.First(); v; v = v.Next()) {
      v1::Message* message = request.add_messages();
      message->set_role("system");
      message->add_parts()->mutable_text()->set_text(v.Find("text").StringOr());
    }
    for (JsonValue v = body.Find("contents").First(); v; v = v.Next()) {
      ReadContent(v);
    }
    const JsonValue tools = body.Find("tools");
    if (tools.is_object()) ReadTool(tools);
    for (JsonValue v = tools.First(); tools.is_array() && v; v = v.Next()) {
      ReadTool(v);
    }
    std::string extra;
    JsonWriter out(&extra);
    out.BeginObject();
    for (JsonValue v = body.First(); v; v = v.Next()) {
      const std::string name = Camel(v.Key());
      if (name == "generationConfig") {
        out.MemberRaw(name, ReadGeneration(v));
      } else if (name == "toolConfig") {
        ReadChoice(v);
        const JsonValue told = Get(v, "includeServerSideToolInvocations");
        if (told) {
          out.MemberRaw(name, "{\"includeServerSideToolInvocations\":" +
                                  std::string(told.raw()) + "}");
        }
      } else if (name != "contents" && name != "tools" &&
                 name != "systemInstruction") {
        out.MemberRaw(v.Key(), v.raw());
      }
    }
    out.EndObject();
    request.set_extra_json(extra);
  }
};

// --- comparing

// Google's documented stand-ins for a signature, plain and in base64.
bool IsStandIn(const std::string& text) {
  return text == "skip_thought_signature_validator" ||
         text == "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=" ||
         text.starts_with("Y29udGV4dF9lbmdpbmVlcmluZ19pc190aGVfd2F5");
}

// One spelling for what means the same: camelCase outside of the caller's own
// JSON, sorted members, one base64 alphabet, types in lower case.
std::string Normal(JsonValue value, bool own, const std::string& key) {
  if (value.is_string()) {
    std::string text = value.StringOr();
    if (key == "type" || key == "thinkingLevel")
      text = absl::AsciiStrToLower(text);
    if (key == "data") {
      text = absl::StrReplaceAll(text, {{"-", "+"}, {"_", "/"}});
    }
    if (key == "thoughtSignature" && IsStandIn(text)) text = "stand-in";
    return JsonQuote(text);
  }
  if (value.is_number()) return std::to_string(*value.AsDouble());
  if (value.is_array()) {
    std::string out = "[";
    for (JsonValue v = value.First(); v; v = v.Next()) {
      out += Normal(v, own, key) + ",";
    }
    return out + "]";
  }
  if (!value.is_object()) return std::string(value.raw());
  static const std::set<std::string> kOwn = {
      "args",       "response", "parametersJsonSchema",
      "parameters", "labels",   "responseJsonSchema"};
  std::map<std::string, std::string> members;
  for (JsonValue v = value.First(); v; v = v.Next()) {
    std::string name = own ? v.Key() : Camel(v.Key());
    const bool below = own || kOwn.count(name) != 0;
    if (name == "parameters" && !own) name = "parametersJsonSchema";
    members[name] = Normal(v, below, name);
  }
  std::string out = "{";
  for (const auto& [name, text] : members) out += name + ":" + text + ",";
  return out + "}";
}

// A request as named pieces that can be compared one by one.
std::map<std::string, std::string> Pieces(JsonValue body, bool vertex) {
  std::map<std::string, std::string> out;
  std::string role;
  int turn = -1;
  for (JsonValue c = body.Find("contents").First(); c; c = c.Next()) {
    JsonValue parts = c.Find("parts");
    for (JsonValue p = parts.First(); p; p = p.Next()) {
      std::string text = Normal(p, false, "");
      if (text == "{text:\"\",}") continue;
      // Unsigned thoughts are not sent back; see the room's README.
      const bool thought = p.Find("thought").AsBool().value_or(false) &&
                           !Get(p, "thoughtSignature");
      if (thought) continue;
      if (vertex) {
        for (const char* call : {"functionCall", "functionResponse"}) {
          const std::string id = Get(p, call).Find("id").StringOr();
          const std::string member = "id:" + JsonQuote(id) + ",";
          text = absl::StrReplaceAll(text, {{member, ""}});
        }
      }
      if (c.Find("role").StringOr() != role) {
        role = c.Find("role").StringOr();
        ++turn;
      }
      out["content " + std::to_string(turn) + " " + role] += text + "\n";
    }
  }
  for (JsonValue v = body.First(); v; v = v.Next()) {
    const std::string name = Camel(v.Key());
    if (name == "contents") continue;
    if (name == "systemInstruction") {
      out[name] = Normal(v.Find("parts"), false, "");
      continue;
    }
    if (name == "tools") {
      // One list of declarations; the order of the tools says nothing.
      std::set<std::string> tools;
      const bool list = v.is_array();
      for (JsonValue t = list ? v.First() : v; t;
           t = list ? t.Next() : JsonValue()) {
        JsonValue declarations = Get(t, "functionDeclarations");
        for (JsonValue d = declarations.First(); d; d = d.Next()) {
          tools.insert(Normal(d, false, ""));
        }
        if (!declarations) tools.insert(Normal(t, false, ""));
      }
      for (const std::string& tool : tools) out[name] += tool + "\n";
      continue;
    }
    if (name == "generationConfig") {
      for (JsonValue g = v.First(); g; g = g.Next()) {
        const std::string member = Camel(g.Key());
        const std::string text = Normal(g, member == "responseJsonSchema", "");
        // The default.
        if (member == "responseModalities" && text == "[\"TEXT\",]") continue;
        out[name + "." + member] = text;
      }
      continue;
    }
    out[name] = Normal(v, false, name);
  }
  return out;
}

std::string Differs(const std::map<std::string, std::string>& want,
                    const std::map<std::string, std::string>& got) {
  for (const auto& [name, text] : want) {
    const auto it = got.find(name);
    if (it == got.end()) return name + " is gone: " + text;
    if (it->second != text) {
      return name + "\n   was " + text.substr(0, 700) + "\n   is  " +
             it->second.substr(0, 700);
    }
  }
  for (const auto& [name, text] : got) {
    if (want.count(name) == 0) return name + " is new: " + text;
  }
  return {};
}

// What the canonical form, or this gateway, does otherwise; see the room's
// README.
std::string_view Reason(std::string_view fault) {
  const std::pair<std::string_view, std::string_view> table[] = {
      {"systemInstruction is gone",
       "instructions beside an empty user text become the user's text"},
  };
  for (const auto& [part, reason] : table) {
    if (fault.find(part) != std::string_view::npos) return reason;
  }
  return {};
}

std::string RoundTrip(JsonValue recording) {
  const bool vertex = recording.Find("provider").Equals("google-vertex");
  Reader reader;
  reader.model = recording.Find("model").StringOr();
  const JsonValue body = recording.Find("request").Find("body");
  reader.Read(body);
  AttemptContext context;
  context.upstream_model.value = reader.model;
  ChatRequest request;
  request.message = reader.request;
  const gemini::RenderedRequest rendered =
      gemini::RenderRequest(request, context, vertex);
  if (rendered.refusal) {
    return "refused: " + rendered.refusal->param + ": " +
           rendered.refusal->message;
  }
  const auto after = JsonDocument::Parse(rendered.body);
  if (!after.ok()) return "rendered body is not JSON";
  std::string out =
      Differs(Pieces(body, vertex), Pieces(after->root(), vertex));
  if (out.empty() && !rendered.dropped.empty()) {
    out = "dropped " + rendered.dropped[0];
  }
  return out;
}

// The parts of one content as they are compared: what is not sent back is left
// out, and so are ids that the model did not give.
std::vector<std::string> ModelParts(JsonValue parts) {
  std::vector<std::string> out;
  for (JsonValue p = parts.First(); p; p = p.Next()) {
    const bool thought = p.Find("thought").AsBool().value_or(false);
    const bool is_signed = p.Find("thoughtSignature").is_string();
    std::string text = Normal(p, false, "");
    if (text == "{text:\"\",}" || (thought && !is_signed)) continue;
    // Left out by the model where there are none.
    const JsonValue call = p.Find("functionCall");
    if (call && !call.Find("args")) {
      text = absl::StrReplaceAll(
          text, {{"{functionCall:{", "{functionCall:{args:{},"}});
    }
    out.push_back(text);
  }
  return out;
}

// A whole answer, decoded and sent back as history to the model that made it.
std::string ThereAndBack(const std::string& model, JsonValue body) {
  gemini::GeminiDecoder decoder(model, "seed");
  AnswerDecoder::Chunks chunks;
  decoder.OnWhole(body.raw(), &chunks);
  ChatRequest request;
  request.message.add_messages()->set_role("user");
  request.message.mutable_messages(0)->add_parts()->mutable_text()->set_text(
      "hi");
  v1::Message* answer = request.message.add_messages();
  answer->set_role("assistant");
  for (const v1::ChatCompletionChunk& chunk : chunks) {
    answer->MergeFrom(chunk.choices(0).delta());
  }
  answer->set_role("assistant");
  answer->clear_extra_json();
  AttemptContext context;
  context.upstream_model.value = model;
  const gemini::RenderedRequest rendered =
      gemini::RenderRequest(request, context, false);
  for (const std::string& name : rendered.dropped) {
    // Nobody answers its calls here.
    if (name != "messages.tool_calls.result") return "dropped " + name;
  }
  const auto after = JsonDocument::Parse(rendered.body);
  const auto want =
      ModelParts(body.Find("candidates").First().Find("content").Find("parts"));
  const auto got =
      ModelParts(after->root().Find("contents").First().Next().Find("parts"));
  if (want == got) return {};
  std::string out = "was\n";
  for (const std::string& part : want) out += part.substr(0, 300) + "\n";
  out += "is\n";
  for (const std::string& part : got) out += part.substr(0, 300) + "\n";
  return out;
}

TEST_CASE("every recorded answer goes back to its model as it came",
          "[adapters][gemini][recordings][TRN-1][TRN-2]") {
  size_t right = 0;
  size_t all = 0;
  for (const auto& path : GeminiRecordings()) {
    const std::string text = ReadFile(path);
    const auto doc = JsonDocument::Parse(text);
    REQUIRE(doc.ok());
    const JsonValue body = doc->root().Find("response").Find("body");
    if (!body.Find("candidates").is_array()) continue;
    ++all;
    const std::string fault =
        ThereAndBack(doc->root().Find("model").StringOr(), body);
    if (fault.empty()) ++right;
    if (!fault.empty()) {
      std::cout << path.filename().string() << ": " << fault << "\n";
    }
  }
  if (all > 0) std::cout << right << " of " << all << " answers come back\n";
  CHECK(right == all);
}

TEST_CASE("every recorded request survives the canonical form",
          "[adapters][gemini][recordings][TRN-1]") {
  size_t right = 0;
  size_t all = 0;
  size_t explained = 0;
  for (const auto& path : GeminiRecordings()) {
    const std::string text = ReadFile(path);
    const auto doc = JsonDocument::Parse(text);
    REQUIRE(doc.ok());
    if (!doc->root().Find("request").Find("body").is_object()) continue;
    ++all;
    const std::string fault = RoundTrip(doc->root());
    if (fault.empty()) ++right;
    if (fault.empty()) continue;
    const std::string_view reason = Reason(fault);
    if (!reason.empty()) ++explained;
    std::cout << path.filename().string() << ": "
              << (reason.empty() ? std::string_view(fault) : reason) << "\n";
  }
  if (all > 0) {
    std::cout << right << " of " << all << " requests without loss\n";
  }
  CHECK(right + explained == all);
}

}  // namespace
}  // namespace llm
