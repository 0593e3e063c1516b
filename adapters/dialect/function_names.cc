#include "adapters/dialect/function_names.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "adapters/core/json.h"

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

// Those that the provider itself reads as declared.
void AddNative(const std::string& json, const FunctionNameRule& rule,
               std::vector<std::string>& names) {
  const auto doc = JsonDocument::Parse(json);
  if (!doc.ok()) return;
  names.push_back(doc->root().Find("name").StringOr());
  for (const sv key : rule.native_lists) {
    const JsonValue list = doc->root().Find(key);
    for (JsonValue v = list.First(); v; v = v.Next()) {
      names.push_back(v.Find("name").StringOr());
    }
  }
}

void AddCalls(const v1::Message& message, std::vector<std::string>& names) {
  for (const v1::Part& part : message.parts()) {
    if (!part.has_tool_call()) continue;
    const v1::ToolCall& call = part.tool_call();
    names.push_back(call.has_custom() ? call.custom().name()
                                      : call.function().name());
  }
  if (message.function_call().empty()) return;
  const auto call = JsonDocument::Parse(message.function_call());
  if (call.ok()) names.push_back(call->root().Find("name").StringOr());
}

std::vector<std::string> NamesOf(const v1::ChatCompletionRequest& request,
                                 const FunctionNameRule& rule) {
  std::vector<std::string> names;
  for (const v1::Tool& tool : request.tools()) {
    if (tool.other_json().empty()) {
      names.push_back(tool.function().name());
    } else {
      AddNative(tool.other_json(), rule, names);
    }
  }
  for (const v1::Message& message : request.messages()) {
    AddCalls(message, names);
  }
  return names;
}

}  // namespace

FunctionNames::FunctionNames(const v1::ChatCompletionRequest& request,
                             const FunctionNameRule& rule) {
  const std::vector<std::string> names = NamesOf(request, rule);
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

std::string FunctionNames::Sent(std::string_view name) const {
  const auto it = sent_.find(name);
  return it == sent_.end() ? std::string(name) : it->second;
}

std::string FunctionNames::Given(std::string_view sent) const {
  const auto it = given_.find(sent);
  return it == given_.end() ? std::string(sent) : it->second;
}

}  // namespace llm
