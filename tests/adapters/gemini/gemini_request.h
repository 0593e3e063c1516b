// Renders one request, written as OpenAI's JSON, for one of Google's models.
#ifndef LLM_TESTS_ADAPTERS_GEMINI_GEMINI_REQUEST_H_
#define LLM_TESTS_ADAPTERS_GEMINI_GEMINI_REQUEST_H_

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/core/json.h"
#include "adapters/gemini/gemini_request.h"
#include "server/http/parse_chat_request.h"

namespace llm::gemini {

inline ChatRequest Parse(const std::string& json) {
  auto request =
      server::ParseChatRequest(std::make_shared<const std::string>(json));
  INFO(json << " " << request.status().ToString());
  REQUIRE(request.ok());
  return *std::move(request);
}

// A user who says "hi", and these further members.
inline ChatRequest With(const std::string& members) {
  return Parse(R"({"model":"x","messages":[{"role":"user","content":"hi"}])" +
               (members.empty() ? "" : "," + members) + "}");
}

inline ChatRequest Talk(const std::string& messages) {
  return Parse(R"({"model":"x","messages":[)" + messages + "]}");
}

struct Asked {
  std::string model = "gemini-2.5-flash";
  bool vertex = false;
  ReasoningSwitch reasoning = ReasoningSwitch::kAsAsked;
  ModelTraits traits = {};
};

inline RenderedRequest Render(const ChatRequest& request,
                              const Asked& asked = {}) {
  AttemptContext context;
  context.provider.value = "google";
  context.upstream_model.value = asked.model;
  context.reasoning = asked.reasoning;
  context.traits = asked.traits;
  return RenderRequest(request, context, asked.vertex);
}

// The raw JSON at a dotted path of members; empty where there is none.
inline std::string At(const std::string& json, std::string_view path) {
  const auto doc = JsonDocument::Parse(json);
  REQUIRE(doc.ok());
  JsonValue at = doc->root();
  while (true) {
    const size_t dot = path.find('.');
    at = at.Find(path.substr(0, dot));
    if (dot == std::string_view::npos) return std::string(at.raw());
    path.remove_prefix(dot + 1);
  }
}

inline std::string Contents(const RenderedRequest& rendered) {
  return At(rendered.body, "contents");
}

inline std::string Joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ",") + name;
  return out;
}

}  // namespace llm::gemini

#endif  // LLM_TESTS_ADAPTERS_GEMINI_GEMINI_REQUEST_H_
