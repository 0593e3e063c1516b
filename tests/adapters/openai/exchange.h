// Scripted exchanges of this dialect.
#ifndef LLM_TESTS_ADAPTERS_OPENAI_EXCHANGE_H_
#define LLM_TESTS_ADAPTERS_OPENAI_EXCHANGE_H_

#include <string>
#include <utility>
#include <vector>

#include "adapters/openai/openai_provider.h"
#include "tests/support/chat_run.h"

namespace llm {

inline Exchange RunExchange(ScriptedTransport::Script script,
                            const ExchangeSetting& setting = {}) {
  ProviderSettings usual;
  usual.dialect = "openai";
  usual.base_url = "https://upstream.test/v1/";
  return RunChat<OpenAiProvider>(std::move(script), setting, std::move(usual),
                                 "model-1");
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
