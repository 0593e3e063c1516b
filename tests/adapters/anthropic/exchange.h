// Scripted exchanges of this dialect.
#ifndef LLM_TESTS_ADAPTERS_ANTHROPIC_EXCHANGE_H_
#define LLM_TESTS_ADAPTERS_ANTHROPIC_EXCHANGE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/anthropic/anthropic_provider.h"
#include "adapters/anthropic/anthropic_request.h"
#include "server/http/parse_chat_request.h"
#include "tests/support/chat_run.h"

namespace llm {

inline Exchange RunExchange(ScriptedTransport::Script script,
                            const ExchangeSetting& setting = {}) {
  ProviderSettings usual;
  usual.dialect = "anthropic";
  usual.base_url = "https://upstream.test/";
  return RunChat<AnthropicProvider>(std::move(script), setting,
                                    std::move(usual), "claude-sonnet-4-5");
}

// A stream of the given events; each is the JSON of its data.
inline std::string Sse(const std::vector<std::string>& events) {
  std::string out;
  for (const std::string& event : events) out += "data: " + event + "\n\n";
  return out;
}

inline std::string Start(const std::string& usage = R"({"input_tokens":10,)"
                                                    R"("output_tokens":1})") {
  return R"({"type":"message_start","message":{"id":"msg_1","type":"message",)"
         R"("role":"assistant","model":"claude-x","content":[],)"
         R"("stop_reason":null,"usage":)" +
         usage + "}}";
}
inline std::string BlockStart(int index, const std::string& block) {
  return R"({"type":"content_block_start","index":)" + std::to_string(index) +
         R"(,"content_block":)" + block + "}";
}
inline std::string BlockDelta(int index, const std::string& delta) {
  return R"({"type":"content_block_delta","index":)" + std::to_string(index) +
         R"(,"delta":)" + delta + "}";
}
inline std::string BlockStop(int index) {
  return R"({"type":"content_block_stop","index":)" + std::to_string(index) +
         "}";
}
inline std::string Stop(const std::string& reason,
                        const std::string& usage = R"({"output_tokens":5})") {
  return R"({"type":"message_delta","delta":{"stop_reason":")" + reason +
         R"("},"usage":)" + usage + "}";
}
inline std::string End() { return R"({"type":"message_stop"})"; }
inline std::string Text(const std::string& text) {
  return R"({"type":"text_delta","text":")" + text + "\"}";
}

// A whole answer with this content and stop reason.
inline std::string Whole(const std::string& content,
                         const std::string& reason = "end_turn",
                         const std::string& more = "") {
  return R"({"id":"msg_1","type":"message","role":"assistant",)"
         R"("model":"claude-x","content":)" +
         content + R"(,"stop_reason":")" + reason + "\"" + more +
         R"(,"usage":{"input_tokens":10,"output_tokens":5}})";
}

// What a request that comes in by the OpenAI door goes out as.
struct Rendering {
  std::string model = "claude-sonnet-4-5";
  AttemptContext context = {};
};

inline anthropic::RenderedRequest RenderJson(const std::string& body,
                                             const Rendering& how = {}) {
  auto request =
      server::ParseChatRequest(std::make_shared<const std::string>(body));
  if (!request.ok()) {
    anthropic::RenderedRequest refused;
    refused.body = request.status().ToString();
    return refused;
  }
  AttemptContext context = how.context;
  context.upstream_model.value = how.model;
  return anthropic::RenderRequest(*request, context);
}

}  // namespace llm

#endif  // LLM_TESTS_ADAPTERS_ANTHROPIC_EXCHANGE_H_
