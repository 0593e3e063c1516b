#include "adapters/dialect/function_names.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "adapters/core/json.h"
#include "adapters/core/text.h"

namespace llm {
namespace {

using sv = std::string_view;

// Room for the number that tells two apart.
constexpr size_t kRoom = 8;

bool MayStart(char c, const FunctionNameRule& rule) {
  return absl::ascii_isalpha(static_cast<unsigned char>(c)) ||
         rule.first.find(c) != sv::npos;
}

bool MayFollow(char c, const FunctionNameRule& rule) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         rule.following.find(c) != sv::npos;
}

bool IsTaken(sv name, const FunctionNameRule& rule) {
  if (name.empty() || name.size() > rule.max_length ||
      !MayStart(name[0], rule)) {
    return false;
  }
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return MayFollow(c, rule); });
}

std::string Stem(sv name, const FunctionNameRule& rule) {
  std::string out = MayStart(name[0], rule) ? "" : "_";
  for (const char c : name) out += MayFollow(c, rule) ? c : '_';
  return out.substr(0, rule.max_length - kRoom);
}

using NameSink = absl::FunctionRef<void(const std::string&)>;

// Those that the provider itself reads as declared.
void VisitNative(const std::string& json, const FunctionNameRule& rule,
                 NameSink visit) {
  const auto doc = JsonDocument::Parse(json);
  if (!doc.ok()) return;
  visit(doc->root().Find("name").StringOr());
  for (const sv key : rule.native_lists) {
    const JsonValue list = doc->root().Find(key);
    for (JsonValue v = list.First(); v; v = v.Next()) {
      visit(v.Find("name").StringOr());
    }
  }
}

void VisitCalls(const v1::Message& message, NameSink visit) {
  for (const v1::Part& part : message.parts()) {
    if (!part.has_tool_call()) continue;
    const v1::ToolCall& call = part.tool_call();
    visit(call.has_custom() ? call.custom().name() : call.function().name());
  }
  if (message.function_call().empty()) return;
  const auto call = JsonDocument::Parse(message.function_call());
  if (call.ok()) visit(call->root().Find("name").StringOr());
}

void VisitNames(const v1::ChatCompletionRequest& request,
                const FunctionNameRule& rule, NameSink visit) {
  for (const v1::Tool& tool : request.tools()) {
    if (tool.other_json().empty()) {
      visit(tool.function().name());
    } else {
      VisitNative(tool.other_json(), rule, visit);
    }
  }
  for (const v1::Message& message : request.messages()) {
    VisitCalls(message, visit);
  }
}

// Nearly all requests: nothing is gathered for them.
bool AllTaken(const v1::ChatCompletionRequest& request,
              const FunctionNameRule& rule) {
  bool taken = true;
  VisitNames(request, rule, [&](const std::string& name) {
    taken = taken && (name.empty() || IsTaken(name, rule));
  });
  return taken;
}

}  // namespace

FunctionNames::FunctionNames(const v1::ChatCompletionRequest& request,
                             const FunctionNameRule& rule)
    : native_lists_(rule.native_lists) {
  if (AllTaken(request, rule)) return;
  std::vector<std::string> names;
  VisitNames(request, rule,
             [&](const std::string& name) { names.push_back(name); });
  const std::set<std::string> own(names.begin(), names.end());
  // By stem, so that many of one stem are not counted through again.
  std::map<std::string, int> last;
  for (const std::string& name : names) {
    if (name.empty() || IsTaken(name, rule) || sent_.contains(name)) continue;
    const std::string stem = Stem(name, rule);
    std::string other = stem;
    for (int& at = last.try_emplace(stem, 1).first->second;
         own.contains(other) || given_.contains(other);) {
      other = stem + "_" + std::to_string(++at);
    }
    sent_[name] = other;
    given_[other] = name;
  }
}

void FunctionNames::WriteRenamed(JsonValue declaration,
                                 JsonWriter& json) const {
  json.BeginObject();
  for (JsonValue v = declaration.First(); v; v = v.Next()) {
    json.Key(v.Key());
    if (v.KeyEquals("name") && v.is_string()) {
      json.String(Sent(v.StringOr()));
    } else if (v.is_array() && Among(native_lists_, v.Key())) {
      json.BeginArray();
      for (JsonValue one = v.First(); one; one = one.Next()) {
        if (one.is_object()) {
          WriteRenamed(one, json);
        } else {
          json.Raw(one.raw());
        }
      }
      json.EndArray();
    } else {
      json.Raw(v.raw());
    }
  }
  json.EndObject();
}

std::string FunctionNames::SentTool(std::string_view tool) const {
  if (sent_.empty()) return std::string(tool);
  const auto doc = JsonDocument::Parse(tool);
  if (!doc.ok() || !doc->root().is_object()) return std::string(tool);
  std::string out;
  JsonWriter json(&out);
  WriteRenamed(doc->root(), json);
  return out;
}

std::string FunctionNames::Sent(std::string_view name) const {
  const auto it = sent_.find(name);
  return it == sent_.end() ? std::string(name) : it->second;
}

std::string FunctionNames::Given(std::string_view sent) const {
  const auto it = given_.find(sent);
  return it == given_.end() ? std::string(sent) : it->second;
}

}  // namespace llm
