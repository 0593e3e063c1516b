// Where a conversation is kept: by run and agent where the caller names them,
// else by the ids of the tool calls it answers, since clients that were not
// changed for us send nothing more. Each task or model that a run asks for is
// a conversation of its own: a quick question's model never answers a deep
// one.
//
// Threads: Any event loop (the state's own promise).
#ifndef LLM_ROUTER_CONVERSATION_H_
#define LLM_ROUTER_CONVERSATION_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/v1/chat.pb.h"
#include "router/conversation_state.h"
#include "router/usage_ledger.h"

namespace llm {

struct Conversation {
  std::string tenant;
  std::string run_id;
  std::string agent;
  // What the request asks for in its own words: model and task.
  std::string model;
  std::string task;
  // Ids of the tool calls that the request answers, latest first.
  std::vector<std::string> answered_calls;
  // The first tool call of the whole history: the same in every later call.
  std::string first_call;
};

// `path_task` is the task of the URL or headers, if any.
Conversation ConversationOf(std::string_view tenant,
                            const CallIdentity& identity,
                            std::string_view path_task,
                            const v1::ChatCompletionRequest& request);

// The remembered deployment, if any.
std::optional<std::string> RecallDeployment(const Conversation& conversation,
                                            ConversationState& state);
// Keeps `deployment` for the conversation and for the calls just made.
void RememberDeployment(const Conversation& conversation,
                        const std::vector<std::string>& tool_call_ids,
                        std::string_view deployment, ConversationState& state);

// What equals are spread by: run and agent, else the first tool call of the
// history, else the call itself. The same on every replica.
std::string StickyKey(const Conversation& conversation, const CallId& call_id);

}  // namespace llm

#endif  // LLM_ROUTER_CONVERSATION_H_
