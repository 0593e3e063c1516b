// Anthropic, or who imitates it, may answer anything; and whatever a caller
// asks, what we render for Claude is JSON, the same each time, with a result
// for every call and no call twice.
#include <memory>
#include <set>
#include <string>

#include "adapters/anthropic/anthropic_decoder.h"
#include "adapters/anthropic/anthropic_request.h"
#include "server/http/parse_chat_request.h"
#include "tests/fuzz/answer_check.h"

namespace llm {
namespace {

constexpr const char* kModels[] = {"claude-sonnet-4-5", "claude-sonnet-4-0",
                                   "claude-opus-4-6",   "claude-opus-5",
                                   "claude-fable-5",    "other"};

// Calls of one turn, and the results in the next.
std::set<std::string> Ids(JsonValue turn, std::string_view type,
                          std::string_view member) {
  std::set<std::string> ids;
  const JsonValue content = turn.Find("content");
  for (JsonValue v = content.First(); v; v = v.Next()) {
    if (!v.Find("type").Equals(type)) continue;
    const bool fresh = ids.insert(v.Find(member).StringOr()).second;
    fuzz::Check(fresh, "an id once in a turn");
  }
  return ids;
}

void CheckTurns(JsonValue messages) {
  std::set<std::string> used;
  std::set<std::string> open;
  std::string last;
  for (JsonValue v = messages.First(); v; v = v.Next()) {
    const std::string role = v.Find("role").StringOr();
    fuzz::Check(role != last, "roles take turns");
    fuzz::Check(!last.empty() || role == "user", "the user begins");
    last = role;
    fuzz::Check(v.Find("content").size() > 0, "no turn is empty");
    fuzz::Check(Ids(v, "tool_result", "tool_use_id") == open,
                "a result for every call");
    open = Ids(v, "tool_use", "id");
    for (const std::string& id : open) {
      fuzz::Check(used.insert(id).second, "an id once in a conversation");
    }
  }
  fuzz::Check(open.empty(), "no call is left open");
}

void CheckRequest(std::string_view text, size_t model) {
  const auto request =
      server::ParseChatRequest(std::make_shared<const std::string>(text));
  if (!request.ok()) return;
  AttemptContext context;
  context.upstream_model.value = kModels[model % std::size(kModels)];
  const auto rendered = anthropic::RenderRequest(*request, context);
  fuzz::Check(anthropic::RenderRequest(*request, context).body == rendered.body,
              "the same bytes");
  const auto body = JsonDocument::Parse(rendered.body);
  fuzz::Check(body.ok(), "JSON for Claude");
  for (const std::string& beta : rendered.betas) {
    fuzz::Check(beta.find_first_of(" \r\n,") == std::string::npos,
                "a beta is one word");
  }
  // With its own blocks a caller can say anything.
  const bool native = text.find("_tool_result") != std::string_view::npos;
  if (!rendered.refusal && !native) CheckTurns(body->root().Find("messages"));
}

}  // namespace
}  // namespace llm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  llm::fuzz::Input input(data, size);
  const uint8_t flags = input.Byte();
  const uint8_t seed = input.Byte();
  if ((flags & 4) != 0) {
    llm::CheckRequest(input.rest(), seed);
    return 0;
  }
  const std::string tool = (flags & 8) != 0 ? "json" : "";
  llm::fuzz::CheckAnswer(
      [&] {
        return std::make_unique<llm::anthropic::AnthropicDecoder>("seed", tool);
      },
      input.rest(), flags, seed);
  return 0;
}
