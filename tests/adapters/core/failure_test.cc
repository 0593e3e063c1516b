#include "adapters/core/failure.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "adapters/core/json.h"

namespace llm {
namespace {

TEST_CASE("A failure class has its word and its status code",
          "[adapters][core][errors][RTY-2]") {
  using absl::StatusCode;
  using F = FailureClass;
  const auto [failure, word, code] =
      GENERATE(table<FailureClass, std::string, StatusCode>({
          {F::kNone, "none", StatusCode::kOk},
          {F::kInvalidRequest, "invalid_request", StatusCode::kInvalidArgument},
          {F::kUnsupported, "unsupported", StatusCode::kInvalidArgument},
          {F::kContextLength, "context_length", StatusCode::kInvalidArgument},
          {F::kContentFilter, "content_filter", StatusCode::kInvalidArgument},
          {F::kBadKey, "bad_key", StatusCode::kUnauthenticated},
          {F::kPermission, "permission", StatusCode::kUnauthenticated},
          {F::kOutOfMoney, "out_of_money", StatusCode::kUnauthenticated},
          {F::kModelNotFound, "model_not_found", StatusCode::kNotFound},
          {F::kRateLimited, "rate_limited", StatusCode::kResourceExhausted},
          {F::kOverloaded, "overloaded", StatusCode::kUnavailable},
          {F::kServerError, "server_error", StatusCode::kUnavailable},
          {F::kTimeout, "timeout", StatusCode::kDeadlineExceeded},
          {F::kConnect, "connect", StatusCode::kUnavailable},
          {F::kTransport, "transport", StatusCode::kUnavailable},
          {F::kBadAnswer, "bad_answer", StatusCode::kInternal},
          {F::kIncomplete, "incomplete", StatusCode::kUnavailable},
          {F::kEmptyAnswer, "empty_answer", StatusCode::kUnavailable},
          {F::kCancelled, "cancelled", StatusCode::kCancelled},
          {F::kSinkFailed, "sink_failed", StatusCode::kCancelled},
      }));
  CHECK(FailureClassName(failure) == word);
  CHECK(FailureStatusCode(failure) == code);
}

TEST_CASE("Provider words are made printable", "[adapters][core][errors]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
      {"", ""},
      {"plain words", "plain words"},
      {"two\r\nlines\tand\x1B[31m more", "two lines and [31m more"},
      {"trailing \n\n", "trailing"},
      {"\n leading", " leading"},
      {std::string("nul\0byte", 8), "nul byte"},
      {"caf\xC3\xA9 \xE4\xBD\xA0\xE5\xA5\xBD",
       "caf\xC3\xA9 "
       "\xE4\xBD\xA0\xE5\xA5\xBD"},
      {"bad\xFF\xC3(byte", "bad(byte"},
      {"half\xED\xA0\xBD", "half"},
      {"c1\xC2\x9B"
       "x",
       "c1 x"},
      {"line\xE2\x80\xA8separator", "line separator"},
  }));
  CAPTURE(text);
  CHECK(SanitiseUpstreamText(text, 512) == want);
}

TEST_CASE("Provider words are cut between characters",
          "[adapters][core][errors]") {
  CHECK(SanitiseUpstreamText("abcdef", 3) == "abc");
  CHECK(SanitiseUpstreamText("abc", 3) == "abc");
  CHECK(SanitiseUpstreamText("abc", 0).empty());
  CHECK(SanitiseUpstreamText("\xE4\xBD\xA0\xE5\xA5\xBD!", 2) ==
        "\xE4\xBD\xA0\xE5\xA5\xBD");
  CHECK(SanitiseUpstreamText("a\xF0\x9F\x98\x80z", 2) == "a\xF0\x9F\x98\x80");
}

TEST_CASE("Credentials in provider words are masked",
          "[adapters][core][errors][SEC-1]") {
  const std::string secret = "Abc123Def456Ghi789Jkl0";
  const auto [before, after] = GENERATE(table<std::string, std::string>({
      {"Incorrect API key provided: ",
       ". You can find your API key at "
       "https://platform.example/api-keys."},
      {"Incorrect API key provided: sk-", "."},
      {"sk-proj-", ""},
      {"authorization: Bearer ", " was refused"},
      {"BEARER ", ""},
      {"api_key=", "&x=1"},
      {"\"apiKey\":\"", "\""},
      {"Your api key: ", " is invalid"},
      {"token '", "'"},
      {"https://api.example/v1?key=", "&alt=sse"},
      {"xai-", ""},
      {"unknown AIza", "!"},
  }));
  CAPTURE(before, after);
  const std::string clean = SanitiseUpstreamText(before + secret + after, 512);
  CHECK(clean.find(secret) == std::string::npos);
  CHECK(clean.find(secret.substr(4)) == std::string::npos);
  CHECK(clean.find("***") != std::string::npos);
  if (!after.empty()) CHECK(clean.find(after.substr(0, 1)) != clean.npos);
}

TEST_CASE("A key whose end is cut off is masked all the same",
          "[adapters][core][errors][SEC-1]") {
  const std::string text = "bad key sk-" + std::string(48, 'x');
  for (size_t limit = 0; limit <= text.size(); ++limit) {
    CHECK(SanitiseUpstreamText(text, limit).find('x') == std::string::npos);
  }
}

TEST_CASE("Ordinary words are not masked", "[adapters][core][errors]") {
  const std::string text = GENERATE(values<std::string>({
      "The key parameter max_completion_tokens is not supported",
      "This model's maximum context length is 128000 tokens",
      "Unsupported value: 'messages[0].content' of risk-averse-assistants",
      "You can find your API key at https://platform.example/account/api-keys",
      "sk-short",
      "key: abc123",
  }));
  CHECK(SanitiseUpstreamText(text, 512) == text);
}

TEST_CASE("Any bytes give clean text within the limit",
          "[adapters][core][errors][fuzz]") {
  std::mt19937_64 random(99);
  for (int round = 0; round < 3000; ++round) {
    std::string text(random() % 80, ' ');
    for (char& c : text) c = static_cast<char>(random() & 0xFF);
    const size_t limit = random() % 40;
    const std::string clean = SanitiseUpstreamText(text, limit);
    REQUIRE(IsValidUtf8(clean));
    size_t characters = 0;
    for (const char c : clean) {
      REQUIRE((static_cast<unsigned char>(c) >= 0x20 && c != 0x7F));
      characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }
    REQUIRE(characters <= limit);
  }
}

}  // namespace
}  // namespace llm
