#include "llm_service/messages.h"

#include <utility>

namespace llm::client {

void AddMessage(std::string role, std::string text,
                v1::ChatCompletionRequest* request) {
  v1::Message& message = *request->add_messages();
  message.set_role(std::move(role));
  message.set_content(std::move(text));
}

void AddFunction(std::string name, std::string description,
                 std::string parameters, v1::ChatCompletionRequest* request) {
  v1::Tool& tool = *request->add_tools();
  tool.set_type("function");
  v1::FunctionTool& function = *tool.mutable_function();
  function.set_name(std::move(name));
  if (!description.empty()) function.set_description(std::move(description));
  function.set_parameters(std::move(parameters));
}

void AddToolResult(const v1::ToolCall& call, std::string result,
                   v1::ChatCompletionRequest* request) {
  v1::Message& message = *request->add_messages();
  message.set_role("tool");
  message.set_tool_call_id(call.id());
  message.set_content(std::move(result));
}

const v1::Message& AnswerMessage(const v1::ChatCompletionResponse& answer) {
  return answer.choices().empty() ? v1::Message::default_instance()
                                  : answer.choices(0).message();
}

const std::string& AnswerText(const v1::ChatCompletionResponse& answer) {
  return AnswerMessage(answer).content();
}

std::vector<v1::ToolCall> ToolCalls(const v1::ChatCompletionResponse& answer) {
  const auto& calls = AnswerMessage(answer).tool_calls();
  return {calls.begin(), calls.end()};
}

const std::string& FinishReason(const v1::ChatCompletionResponse& answer) {
  return answer.choices().empty()
             ? v1::Choice::default_instance().finish_reason()
             : answer.choices(0).finish_reason();
}

std::string ChunkText(const v1::ChatCompletionChunk& chunk) {
  std::string text;
  for (const v1::ChunkChoice& choice : chunk.choices()) {
    if (choice.index() == 0) text += choice.delta().content();
  }
  return text;
}

}  // namespace llm::client
