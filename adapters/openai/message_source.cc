#include "adapters/openai/message_source.h"

#include "adapters/core/json.h"
#include "adapters/core/text.h"

namespace llm::openai {
namespace {

constexpr std::string_view kReasoning[] = {"reasoning_content", "reasoning",
                                           "reasoning_details"};

}  // namespace

bool ContentIsArray(std::string_view source) {
  constexpr std::string_view kName = "\"content\"";
  constexpr std::string_view kSpace = " \t\r\n";
  size_t at = source.find(kName);
  for (; at != std::string_view::npos; at = source.find(kName, at)) {
    at = source.find_first_not_of(kSpace, at + kName.size());
    if (at == std::string_view::npos) return false;
    // Not the name of a member but a text: {"name":"content"}.
    if (source[at] != ':') continue;
    at = source.find_first_not_of(kSpace, at + 1);
    if (at != std::string_view::npos && source[at] == '[') return true;
  }
  return false;
}

bool HasReasoningContent(std::string_view source) {
  const auto doc = JsonDocument::Parse(source);
  return doc.ok() && doc->root().Find("reasoning_content").is_string() &&
         !doc->root().Find("reasoning") &&
         !doc->root().Find("reasoning_details");
}

std::string WithoutReasoning(std::string_view source) {
  const auto doc = JsonDocument::Parse(source);
  const JsonValue root = doc.ok() ? doc->root() : JsonValue();
  const std::string_view text = root.raw();
  std::string out = "{";
  // Each member goes with what stands before it. One that becomes the first
  // leaves its comma behind.
  size_t before = 1;
  bool first = true;
  bool cut = false;
  for (JsonValue v = root.First(); v; v = v.Next()) {
    const auto start = static_cast<size_t>(v.RawKey().data() - text.data());
    const size_t end = v.offset() - root.offset() + v.raw().size();
    if (!Among(kReasoning, v.Key())) {
      const size_t from = first && cut ? start : before;
      out.append(text.substr(from, end - from));
      first = false;
    } else {
      cut = true;
    }
    before = end;
  }
  return out.append(text.substr(before));
}

}  // namespace llm::openai
