#include "adapters/gemini/function_names.h"

#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "adapters/core/json.h"

namespace llm::gemini {
namespace {

using sv = std::string_view;

constexpr size_t kMaxName = 128;
// Room for the number that tells two apart.
constexpr size_t kMaxStem = 120;

bool MayStart(char c) {
  return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_';
}

bool MayFollow(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         sv("_.:-").find(c) != sv::npos;
}

bool IsTaken(sv name) {
  if (name.empty() || name.size() > kMaxName || !MayStart(name[0])) {
    return false;
  }
  for (const char c : name) {
    if (!MayFollow(c)) return false;
  }
  return true;
}

std::string Stem(sv name) {
  std::string out = MayStart(name[0]) ? "" : "_";
  for (const char c : name) out += MayFollow(c) ? c : '_';
  return out.substr(0, kMaxStem);
}

// Those that Google itself reads as declared.
void AddNative(const std::string& json, std::vector<std::string>& names) {
  const auto doc = JsonDocument::Parse(json);
  if (!doc.ok()) return;
  for (const sv key : {"functionDeclarations", "function_declarations"}) {
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

std::vector<std::string> NamesOf(const v1::ChatCompletionRequest& request) {
  std::vector<std::string> names;
  for (const v1::Tool& tool : request.tools()) {
    if (tool.other_json().empty()) {
      names.push_back(tool.function().name());
    } else {
      AddNative(tool.other_json(), names);
    }
  }
  for (const v1::Message& message : request.messages()) {
    AddCalls(message, names);
  }
  return names;
}

}  // namespace

FunctionNames::FunctionNames(const v1::ChatCompletionRequest& request) {
  const std::vector<std::string> names = NamesOf(request);
  const std::set<std::string> own(names.begin(), names.end());
  // By stem, so that many of one stem are not counted through again.
  std::map<std::string, int> last;
  for (const std::string& name : names) {
    if (name.empty() || IsTaken(name) || sent_.contains(name)) continue;
    const std::string stem = Stem(name);
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

}  // namespace llm::gemini
