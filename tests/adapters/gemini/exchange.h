// Scripted exchanges of this dialect.
#ifndef LLM_TESTS_ADAPTERS_GEMINI_EXCHANGE_H_
#define LLM_TESTS_ADAPTERS_GEMINI_EXCHANGE_H_

#include <string>
#include <utility>
#include <vector>

#include "adapters/gemini/gemini_provider.h"
#include "tests/support/chat_run.h"

namespace llm {

inline Exchange RunExchange(ScriptedTransport::Script script,
                            const ExchangeSetting& setting = {}) {
  ProviderSettings usual;
  usual.dialect = "gemini";
  usual.base_url = "https://upstream.test/v1beta/";
  return RunChat<GeminiProvider>(std::move(script), setting, std::move(usual),
                                 "gemini-2.5-flash");
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
