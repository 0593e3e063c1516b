// Renders one request for one vendor's model.
#ifndef LLM_TESTS_ADAPTERS_OPENAI_VENDOR_REQUEST_H_
#define LLM_TESTS_ADAPTERS_OPENAI_VENDOR_REQUEST_H_

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "adapters/core/json.h"
#include "adapters/openai/openai_request.h"
#include "server/http/parse_chat_request.h"

namespace llm::openai {

inline ChatRequest Parse(const std::string& json) {
  auto request =
      server::ParseChatRequest(std::make_shared<const std::string>(json));
  REQUIRE(request.ok());
  return *std::move(request);
}

inline ChatRequest With(const std::string& members) {
  return Parse(R"({"model":"x","messages":[{"role":"user","content":"hi"}])" +
               (members.empty() ? "" : "," + members) + "}");
}

struct Asked {
  std::string profile;
  std::string model = "m";
  bool stream = false;
};

inline RenderedRequest Render(const ChatRequest& request, const Asked& asked) {
  AttemptContext context;
  context.provider.value = "acme";
  context.upstream_model.value = asked.model;
  context.stream = asked.stream;
  return RenderRequest(request, context, FindProfile(asked.profile));
}

inline std::string Member(const RenderedRequest& rendered,
                          const std::string& name) {
  const auto doc = JsonDocument::Parse(rendered.body);
  REQUIRE(doc.ok());
  return std::string(doc->root().Find(name).raw());
}

inline std::string Joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ",") + name;
  return out;
}

}  // namespace llm::openai

#endif  // LLM_TESTS_ADAPTERS_OPENAI_VENDOR_REQUEST_H_
