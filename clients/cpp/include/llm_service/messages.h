// Short forms for what most requests are made of, and for reading answers.
//
//   v1::ChatCompletionRequest request;
//   AddMessage("user", "Is NVDA dear?", &request);
//   AddFunction("get_price", "Last price", R"({"type":"object",…})", &request);
//   auto answer = client.Chat(request);
//   // The tool loop: the answer goes back as it came, then the results.
//   *request.add_messages() = AnswerMessage(*answer);
//   for (const auto& call : ToolCalls(*answer)) {
//     AddToolResult(call, RunTool(call), &request);
//   }
//
// An answer goes back whole (AnswerMessage), not as its text: reasoning and
// signatures in it are what some models demand in the next turn.
//
// Threads: Pure; any.
// Errors:  None: a missing choice reads as an empty one.
#ifndef LLM_SERVICE_MESSAGES_H_
#define LLM_SERVICE_MESSAGES_H_

#include <string>
#include <vector>

#include "llm/v1/chat.pb.h"

namespace llm::client {

// `role`: system, developer, user or assistant.
void AddMessage(std::string role, std::string text,
                v1::ChatCompletionRequest* request);

// Offers a function. `parameters` is the JSON schema of its arguments as JSON
// text, empty for none; its name [A-Za-z0-9_-]{1,64}.
void AddFunction(std::string name, std::string description,
                 std::string parameters, v1::ChatCompletionRequest* request);

// What the tool gave, as text (JSON or prose), for the call that asked.
void AddToolResult(const v1::ToolCall& call, std::string result,
                   v1::ChatCompletionRequest* request);

// Of the first choice.
const v1::Message& AnswerMessage(const v1::ChatCompletionResponse& answer);
// Its visible text; empty where it only calls tools.
const std::string& AnswerText(const v1::ChatCompletionResponse& answer);
// The calls it asks for, in order; run all of them and add all their results.
std::vector<v1::ToolCall> ToolCalls(const v1::ChatCompletionResponse& answer);
// stop, length, tool_calls, content_filter; empty: the stream has not ended.
const std::string& FinishReason(const v1::ChatCompletionResponse& answer);

// The visible text that a chunk adds to the first choice; often empty.
std::string ChunkText(const v1::ChatCompletionChunk& chunk);

}  // namespace llm::client

#endif  // LLM_SERVICE_MESSAGES_H_
