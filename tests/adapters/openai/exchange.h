// One scripted exchange through the provider, start to end.
#ifndef LLM_TESTS_ADAPTERS_OPENAI_EXCHANGE_H_
#define LLM_TESTS_ADAPTERS_OPENAI_EXCHANGE_H_

#include <map>
#include <string>
#include <vector>

#include "adapters/openai/openai_provider.h"
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
  std::vector<BodyProgress> progress;

  // The first choice in one line; see Describe.
  std::string Line() const {
    return choices.empty() ? "" : Describe(choices.begin()->second);
  }
};

struct ExchangeSetting {
  std::string profile;
  AttemptContext context = {};
  Cut cut = {};
  ChatRequest request = {};
  absl::Status sink_answer = absl::OkStatus();
};

inline Exchange RunExchange(ScriptedTransport::Script script,
                            const ExchangeSetting& setting = {}) {
  boost::asio::io_context io;
  FakeClock clock;
  ScriptedTransport transport(std::move(script));
  transport.cut = setting.cut;
  ProviderSettings settings;
  settings.profile = setting.profile;
  settings.base_url = "https://upstream.test/v1/";
  AttemptContext context = setting.context;
  if (context.provider.value.empty()) context.provider.value = "acme";
  if (context.attempt_id.value.empty()) context.attempt_id.value = "attempt-1";
  if (context.upstream_model.value.empty()) {
    context.upstream_model.value = "model-1";
  }
  OpenAiProvider provider(settings, transport, clock);
  EventRecorder sink;
  sink.answer = setting.sink_answer;
  Exchange out;
  out.result = RunTask(io, provider.Chat(setting.request, context, sink));
  out.chunks = sink.chunks;
  out.choices = Collect(sink.chunks);
  out.requests = transport.requests;
  out.progress = transport.progress;
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

// A stream of the given chunks, each one JSON object, then [DONE].
inline std::string Sse(const std::vector<std::string>& events,
                       bool done = true) {
  std::string out;
  for (const std::string& event : events) out += "data: " + event + "\n\n";
  if (done) out += "data: [DONE]\n\n";
  return out;
}

// A chunk of choice 0 with this delta and finish reason ("" for null).
inline std::string Delta(const std::string& delta,
                         const std::string& finish = "") {
  return R"({"id":"c1","object":"chat.completion.chunk","created":7,)"
         R"("model":"m","choices":[{"index":0,"delta":)" +
         delta + R"(,"finish_reason":)" +
         (finish.empty() ? "null" : "\"" + finish + "\"") + "}]}";
}

// A whole answer with this message and finish reason.
inline std::string Whole(const std::string& message,
                         const std::string& finish = "\"stop\"",
                         const std::string& more = "") {
  return R"({"id":"c1","object":"chat.completion","created":7,"model":"m",)"
         R"("choices":[{"index":0,"message":)" +
         message + R"(,"finish_reason":)" + finish + "}]" + more + "}";
}

}  // namespace llm

#endif  // LLM_TESTS_ADAPTERS_OPENAI_EXCHANGE_H_
