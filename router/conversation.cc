#include "router/conversation.h"

#include <initializer_list>

#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"

namespace llm {
namespace {

// A history may hold hundreds of answers; the latest ones decide.
constexpr size_t kMaxAnsweredCalls = 8;

// The caller's words stand behind their lengths, so that one cannot be spelt
// to look like two.
std::string Words(std::initializer_list<std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    absl::StrAppend(&text, word.size(), ":", ToAbsl(word));
  }
  return text;
}

std::string RunThread(const Conversation& conversation) {
  return Words({"run", conversation.run_id, conversation.agent,
                conversation.model, conversation.task});
}

std::string CallThread(const Conversation& conversation, std::string_view id) {
  return Words({"call", id, conversation.model, conversation.task});
}

std::string_view TaskOf(const v1::ChatCompletionRequest& request,
                        std::string_view path_task) {
  if (!request.task_type().empty()) return request.task_type();
  if (!path_task.empty()) return path_task;
  const auto it = request.metadata().find("task_type");
  return it == request.metadata().end() ? std::string_view() : it->second;
}

}  // namespace

Conversation ConversationOf(std::string_view tenant,
                            const CallIdentity& identity,
                            std::string_view path_task,
                            const v1::ChatCompletionRequest& request) {
  Conversation conversation;
  conversation.tenant = std::string(tenant);
  conversation.run_id = identity.run_id;
  conversation.agent = identity.agent;
  conversation.model = request.model();
  conversation.task = std::string(TaskOf(request, path_task));
  for (int i = request.messages_size() - 1; i >= 0; --i) {
    const std::string& id = request.messages(i).tool_call_id();
    if (id.empty()) continue;
    conversation.first_call = id;
    if (conversation.answered_calls.size() < kMaxAnsweredCalls) {
      conversation.answered_calls.push_back(id);
    }
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
    auto found =
        state.Deployment(conversation.tenant, CallThread(conversation, id));
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
    state.Remember(conversation.tenant, CallThread(conversation, id),
                   deployment);
  }
}

std::string StickyKey(const Conversation& conversation, const CallId& call_id) {
  if (!conversation.run_id.empty()) {
    return Words(
        {conversation.tenant, "run", conversation.run_id, conversation.agent});
  }
  if (!conversation.first_call.empty()) {
    return Words({conversation.tenant, "call", conversation.first_call});
  }
  return call_id.value;
}

}  // namespace llm
