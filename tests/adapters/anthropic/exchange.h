// One scripted exchange through the provider, start to end.
#ifndef LLM_TESTS_ADAPTERS_ANTHROPIC_EXCHANGE_H_
#define LLM_TESTS_ADAPTERS_ANTHROPIC_EXCHANGE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/anthropic/anthropic_provider.h"
#include "adapters/anthropic/anthropic_request.h"
#include "server/http/parse_chat_request.h"
#include "tests/support/event_recorder.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run_task.h"
#include "tests/support/scripted_transport.h"

namespace llm {

struct Exchange {
  AttemptResult result;
  std::vector<v1::ChatCompletionChunk> chunks;
  std::map<int, CollectedChoice> choices;
  std::vector<HttpRequest> requests;

  // The choice in one line; see Describe.
  std::string Line() const {
    return choices.empty() ? "" : Describe(choices.begin()->second);
  }
};

struct ExchangeSetting {
  AttemptContext context = {};
  Cut cut = {};
  ChatRequest request = {};
  std::string base_url = "https://upstream.test/";
};

inline Exchange RunExchange(ScriptedTransport::Script script,
                            const ExchangeSetting& setting = {}) {
  boost::asio::io_context io;
  FakeClock clock;
  ScriptedTransport transport(std::move(script));
  transport.cut = setting.cut;
  ProviderSettings settings;
  settings.base_url = setting.base_url;
  AttemptContext context = setting.context;
  if (context.provider.value.empty()) context.provider.value = "acme";
  if (context.attempt_id.value.empty()) context.attempt_id.value = "attempt-1";
  if (context.upstream_model.value.empty()) {
    context.upstream_model.value = "claude-sonnet-4-5";
  }
  AnthropicProvider provider(settings, transport, clock);
  EventRecorder sink;
  Exchange out;
  out.result = RunTask(io, provider.Chat(setting.request, context, sink));
  out.chunks = sink.chunks;
  out.choices = Collect(sink.chunks);
  out.requests = transport.requests;
  return out;
}

// Every way of cutting that a test of bytes goes through.
inline std::vector<Cut> AllCuts() {
  return {{Cut::Kind::kWhole},
          {Cut::Kind::kEveryByte},
          {Cut::Kind::kRandom, 1},
          {Cut::Kind::kRandom, 2},
          {Cut::Kind::kRandom, 3}};
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
