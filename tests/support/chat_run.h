// One scripted exchange through a dialect's provider, start to end.
#ifndef LLM_TESTS_SUPPORT_CHAT_RUN_H_
#define LLM_TESTS_SUPPORT_CHAT_RUN_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adapters/core/provider_settings.h"
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

// What is left empty is the dialect's usual.
struct ExchangeSetting {
  std::string profile = {};
  AttemptContext context = {};
  Cut cut = {};
  ChatRequest request = {};
  std::string base_url = {};
  absl::Status sink_answer = absl::OkStatus();
};

// `usual` says dialect, base URL and model of tests that do not.
template <typename DialectProvider>
Exchange RunChat(ScriptedTransport::Script script,
                 const ExchangeSetting& setting, ProviderSettings usual,
                 const char* model) {
  boost::asio::io_context io;
  FakeClock clock;
  ScriptedTransport transport(std::move(script));
  transport.cut = setting.cut;
  if (!setting.base_url.empty()) usual.base_url = setting.base_url;
  usual.profile = setting.profile;
  AttemptContext context = setting.context;
  if (context.provider.value.empty()) context.provider.value = "acme";
  if (context.attempt_id.value.empty()) context.attempt_id.value = "attempt-1";
  if (context.upstream_model.value.empty()) {
    context.upstream_model.value = model;
  }
  DialectProvider provider(usual, transport, clock);
  EventRecorder sink;
  sink.answer = setting.sink_answer;
  Exchange out;
  out.result =
      std::move(*RunTask(io, provider.Chat(setting.request, context, sink)));
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

}  // namespace llm

#endif  // LLM_TESTS_SUPPORT_CHAT_RUN_H_
