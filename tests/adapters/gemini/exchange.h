// One scripted exchange through the provider, start to end.
#ifndef LLM_TESTS_ADAPTERS_GEMINI_EXCHANGE_H_
#define LLM_TESTS_ADAPTERS_GEMINI_EXCHANGE_H_

#include <map>
#include <string>
#include <vector>

#include "adapters/gemini/gemini_provider.h"
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
  AttemptContext context = {};
  Cut cut = {};
  ChatRequest request = {};
  std::string base_url = "https://upstream.test/v1beta/";
  absl::Status sink_answer = absl::OkStatus();
};

inline Exchange RunExchange(ScriptedTransport::Script script,
                            const ExchangeSetting& setting = {}) {
  boost::asio::io_context io;
  FakeClock clock;
  ScriptedTransport transport(std::move(script));
  transport.cut = setting.cut;
  ProviderSettings settings;
  settings.dialect = "gemini";
  settings.base_url = setting.base_url;
  AttemptContext context = setting.context;
  if (context.provider.value.empty()) context.provider.value = "google";
  if (context.attempt_id.value.empty()) context.attempt_id.value = "attempt-1";
  if (context.upstream_model.value.empty()) {
    context.upstream_model.value = "gemini-2.5-flash";
  }
  GeminiProvider provider(settings, transport, clock);
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

// A stream of the given responses, framed as Google does it.
inline std::string Sse(const std::vector<std::string>& events) {
  std::string out;
  for (const std::string& event : events) out += "data: " + event + "\r\n\r\n";
  return out;
}

// A response with one candidate of these parts ("[…]") and this finish reason
// ("" for none); `more` are further members, with a comma before them.
inline std::string Response(const std::string& parts,
                            const std::string& finish = "",
                            const std::string& more = "") {
  std::string out = R"({"candidates":[{"content":{"role":"model","parts":)";
  out += parts + "}";
  if (!finish.empty()) out += R"(,"finishReason":")" + finish + "\"";
  return out + R"(}],"modelVersion":"gemini-x","responseId":"r1")" + more + "}";
}

}  // namespace llm

#endif  // LLM_TESTS_ADAPTERS_GEMINI_EXCHANGE_H_
