#include "router/conversation.h"

#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"

namespace llm {
namespace {

// A history may hold hundreds of answers; the latest ones decide.
constexpr size_t kMaxAnsweredCalls = 8;

std::string RunThread(const Conversation& conversation) {
  return absl::StrCat("run\n", conversation.run_id, "\n", conversation.agent);
}

std::string CallThread(std::string_view id) {
  return absl::StrCat("call\n", ToAbsl(id));
}

}  // namespace

Conversation ConversationOf(std::string_view tenant,
                            const CallIdentity& identity,
                            const v1::ChatCompletionRequest& request) {
  Conversation conversation;
  conversation.tenant = std::string(tenant);
  conversation.run_id = identity.run_id;
  conversation.agent = identity.agent;
  for (int i = request.messages_size() - 1; i >= 0; --i) {
    const std::string& id = request.messages(i).tool_call_id();
    if (id.empty()) continue;
    conversation.answered_calls.push_back(id);
    if (conversation.answered_calls.size() == kMaxAnsweredCalls) break;
  }
  return conversation;
}

std::optional<std::string> RecallDeployment(const Conversation& conversation,
                                            ConversationState& state) {
  if (!conversation.run_id.empty()) {
    auto found = state.Deployment(conversation.tenant, RunThread(conversation));
    if (found) return found;
  }
  for (const std::string& id : conversation.answered_calls) {
    auto found = state.Deployment(conversation.tenant, CallThread(id));
    if (found) return found;
  }
  return std::nullopt;
}

void RememberDeployment(const Conversation& conversation,
                        const std::vector<std::string>& tool_call_ids,
                        std::string_view deployment, ConversationState& state) {
  if (!conversation.run_id.empty()) {
    state.Remember(conversation.tenant, RunThread(conversation), deployment);
  }
  for (const std::string& id : tool_call_ids) {
    state.Remember(conversation.tenant, CallThread(id), deployment);
  }
}

std::string StickyKey(const Conversation& conversation, const CallId& call_id) {
  if (!conversation.run_id.empty()) {
    return absl::StrCat(conversation.tenant, "\n", RunThread(conversation));
  }
  if (!conversation.answered_calls.empty()) {
    return absl::StrCat(conversation.tenant, "\n",
                        CallThread(conversation.answered_calls.back()));
  }
  return call_id.value;
}

}  // namespace llm
