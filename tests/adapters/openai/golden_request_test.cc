// One full request, and what each vendor gets of it: tests/fixtures/openai/
// full.request.json and full.<profile>.txt, checked against the
// vendors' pages (profiles.cc). Two lines each: the body, then the dropped
// fields.
#include <catch2/catch.hpp>
#include <fstream>
#include <memory>
#include <sstream>

#include "adapters/openai/openai_request.h"
#include "server/http/parse_chat_request.h"

namespace llm::openai {
namespace {

std::string ReadFixture(const std::string& name) {
  std::string path = LLM_SOURCE_DIR "/tests/fixtures/openai/";
  path.append(name);
  std::ifstream in(path);
  REQUIRE(in.good());
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

TEST_CASE("one full request, and what each vendor gets of it",
          "[adapters][openai][request][TRN-6][TRN-7]") {
  const std::string profile = GENERATE(
      "plain", "openai", "deepseek", "qwen", "ollama", "vllm", "moonshot",
      "zhipu", "siliconflow", "openrouter", "groq", "mistral", "xai",
      "volcengine", "minimax", "azure", "azure-2024", "together", "fireworks");
  auto request = server::ParseChatRequest(
      std::make_shared<const std::string>(ReadFixture("full.request.json")));
  REQUIRE(request.ok());
  AttemptContext context;
  context.upstream_model.value = "the-model";
  context.stream = true;
  const RenderedRequest got = RenderRequest(
      *request, context, FindProfile(profile == "plain" ? "" : profile));
  std::string text = got.body + "\n";
  for (const std::string& name : got.dropped) text += name + " ";
  text += "\n";
  CAPTURE(profile);
  std::string file = "full.";
  file.append(profile).append(".txt");
  CHECK(text == ReadFixture(file));
}

}  // namespace
}  // namespace llm::openai
