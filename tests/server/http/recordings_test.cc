// Every recorded OpenAI chat request parses, and its spans are its bytes.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "adapters/core/json.h"
#include "server/http/parse_chat_request.h"

namespace llm::server {
namespace {

std::filesystem::path Recordings() {
  const char* shared = std::getenv("LLM_SHARED");
  const std::filesystem::path root =
      shared != nullptr ? std::filesystem::path(shared)
                        : std::filesystem::path(LLM_SOURCE_DIR) / "../shared";
  return root / "recordings/openai.chat";
}

std::string Read(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void CheckSpans(const JsonValue& body, const ChatRequest& request) {
  size_t index = 0;
  const JsonValue messages = body.Find("messages");
  REQUIRE(request.source.messages.size() == messages.size());
  for (JsonValue m = messages.First(); m; m = m.Next(), ++index) {
    CHECK(request.source.View(request.source.messages[index]) == m.raw());
  }
  for (JsonValue v = body.First(); v; v = v.Next()) {
    const std::string key = v.Key();
    if (key == "messages" || key == "tools") continue;
    CHECK(request.source.Member(key) == v.raw());
  }
}

TEST_CASE("recorded chat requests parse, and their spans are their bytes",
          "[server][http][parse][recordings]") {
  std::error_code missing;
  std::filesystem::directory_iterator files(Recordings(), missing);
  if (missing) {
    WARN("skipped: no recordings at " << Recordings().string());
    return;
  }
  int parsed = 0;
  for (const auto& file : files) {
    CAPTURE(file.path().filename().string());
    const std::string text = Read(file.path());
    const auto doc = JsonDocument::Parse(text);
    REQUIRE(doc.ok());
    const JsonValue body = doc->root().Find("request").Find("body");
    if (!body.is_object()) continue;
    const auto request =
        ParseChatRequest(std::make_shared<const std::string>(body.raw()));
    INFO(request.status().ToString());
    REQUIRE(request.ok());
    CheckSpans(body, *request);
    ++parsed;
  }
  CHECK(parsed > 150);
}

}  // namespace
}  // namespace llm::server
