// What holds of every dialect, tested over all of them.
#include <catch2/catch.hpp>

#include "server/http/parse_chat_request.h"
#include "tests/adapters/contract/contract_exchange.h"

namespace llm {
namespace {

using Script = ScriptedTransport::Script;

Playing Asked(Cut cut = {}) {
  Playing how;
  how.request = PlainQuestion();
  how.cut = cut;
  return how;
}

const DialectSample& EachDialect() {
  const size_t at = GENERATE(range(size_t{0}, AllDialects().size()));
  return AllDialects()[at];
}

Script Json(std::string body, int status = 200) {
  Script script;
  script.status = status;
  script.headers = {{"content-type", "application/json"}};
  script.body = std::move(body);
  return script;
}

void CheckUsage(const TokenUsage& usage) {
  CHECK(usage.fresh_input.value_or(-1) == 6);
  CHECK(usage.cache_read.value_or(-1) == 4);
  CHECK(usage.TotalInput().value_or(-1) == 10);
  CHECK(usage.output.value_or(-1) == 6);
}

TEST_CASE("an answer is the same whole or streamed, however it is cut",
          "[adapters][contract][STR-1][STR-3]") {
  const DialectSample& sample = EachDialect();
  CAPTURE(sample.dialect);
  for (const Cut& cut : EveryCut()) {
    for (const bool whole : {true, false}) {
      const Played got =
          Play(TargetOf(sample),
               whole ? Json(sample.whole) : Script{.body = sample.Stream()},
               Asked(cut));
      CAPTURE(whole, static_cast<int>(cut.kind), cut.seed);
      CHECK(got.result.status.ok());
      CHECK(got.Line() == "R:Think. T:Hello there F:stop");
      REQUIRE(got.choices.size() == 1);
      CHECK(got.choices.at(0).role == "assistant");
      CHECK(got.choices.at(0).finishes == 1);
      CHECK(got.result.content_seen);
      CHECK(got.result.usage_source == UsageSource::kProvider);
      CheckUsage(got.result.usage);
      CHECK_FALSE(got.result.served_model.value.empty());
      CHECK_FALSE(got.result.raw_usage_json.empty());
    }
  }
}

TEST_CASE("a tool call is one JSON object with an id and a name",
          "[adapters][contract][TRN-4]") {
  const DialectSample& sample = EachDialect();
  CAPTURE(sample.dialect);
  for (const Cut& cut : EveryCut()) {
    for (const bool whole : {true, false}) {
      const Played got = Play(
          TargetOf(sample),
          whole ? Json(sample.whole_call) : Script{.body = sample.CallStream()},
          Asked(cut));
      CAPTURE(whole, got.result.status.ToString());
      CHECK(got.Line() == R"(C:call_1/look({"a": 1}) F:tool_calls)");
      CHECK(got.choices.at(0).finishes == 1);
    }
  }
}

TEST_CASE("a stream that ends without its terminal event is incomplete",
          "[adapters][contract][STR-4]") {
  const DialectSample& sample = EachDialect();
  CAPTURE(sample.dialect);
  for (size_t kept = 0; kept + sample.terminal_events <= sample.events.size();
       ++kept) {
    std::string body;
    const size_t end = sample.events.size() - sample.terminal_events;
    for (size_t i = 0; i < std::min(kept, end); ++i) body += sample.events[i];
    const bool cut_off = GENERATE(false, true);
    const Played got = Play(
        TargetOf(sample),
        {.body = body,
         .end = cut_off ? absl::UnavailableError("broke") : absl::OkStatus(),
         .phase = cut_off ? HttpPhase::kBody : HttpPhase::kComplete},
        Asked());
    CAPTURE(kept, cut_off, body);
    CHECK_FALSE(got.result.status.ok());
    if (!body.empty()) {
      CHECK(got.result.failure.failure == FailureClass::kIncomplete);
    }
    for (const auto& [index, choice] : got.choices) CHECK(choice.finishes == 0);
  }
}

TEST_CASE("an error in mid-stream is the provider's, and what came counts",
          "[adapters][contract][STR-5]") {
  const DialectSample& sample = EachDialect();
  CAPTURE(sample.dialect);
  std::string body;
  for (size_t i = 0; i + sample.terminal_events < sample.events.size(); ++i) {
    body += sample.events[i];
  }
  const Played got =
      Play(TargetOf(sample), {.body = body + sample.error_event}, Asked());
  CHECK(got.result.failure.failure == sample.error_class);
  CHECK(got.result.content_seen);
  const Played first =
      Play(TargetOf(sample), {.body = sample.error_event}, Asked());
  CHECK(first.result.failure.failure == sample.error_class);
  CHECK_FALSE(first.result.content_seen);
}

TEST_CASE("events of a kind that nobody knows are passed over",
          "[adapters][contract]") {
  const DialectSample& sample = EachDialect();
  CAPTURE(sample.dialect);
  std::string body;
  for (const std::string& event : sample.events) {
    body += sample.unknown_event + event;
  }
  const Played got = Play(TargetOf(sample), {.body = body}, Asked());
  CHECK(got.result.status.ok());
  CHECK(got.Line() == "R:Think. T:Hello there F:stop");
}

TEST_CASE("a success without content is a failure",
          "[adapters][contract][STR-7]") {
  const DialectSample& sample = EachDialect();
  CAPTURE(sample.dialect);
  const Played got = Play(TargetOf(sample), Json(sample.empty), Asked());
  CHECK(got.result.failure.failure == FailureClass::kEmptyAnswer);
}

TEST_CASE("what is no answer of the dialect is a bad answer",
          "[adapters][contract]") {
  const DialectSample& sample = EachDialect();
  const std::string body = GENERATE("<html>", "[]", "{}", "null", "{\"a\":");
  CAPTURE(sample.dialect, body);
  const Played got = Play(TargetOf(sample), Json(body), Asked());
  CHECK_FALSE(got.result.status.ok());
  CHECK((got.result.failure.failure == FailureClass::kBadAnswer ||
         got.result.failure.failure == FailureClass::kEmptyAnswer ||
         got.result.failure.failure == FailureClass::kIncomplete));
}

TEST_CASE("a refusal is classed by the provider's own words",
          "[adapters][contract][errors][RTY-2]") {
  const DialectSample& sample = EachDialect();
  for (const RefusalSample& refusal : sample.refusals) {
    CAPTURE(sample.dialect, refusal.status, refusal.body);
    const Played got =
        Play(TargetOf(sample), Json(refusal.body, refusal.status), Asked());
    CHECK(FailureClassName(got.result.failure.failure) ==
          FailureClassName(refusal.want));
    CHECK(got.result.failure.http_status == refusal.status);
    CHECK(got.result.usage_source == UsageSource::kNone);
    CHECK(got.chunks.empty());
  }
}

TEST_CASE("a caller who left, or who refuses a chunk, ends the attempt",
          "[adapters][contract]") {
  const DialectSample& sample = EachDialect();
  CAPTURE(sample.dialect);
  Playing how = Asked();
  how.sink_answer = absl::CancelledError("left");
  CHECK(Play(TargetOf(sample), {.body = sample.Stream()}, how)
            .result.failure.failure == FailureClass::kCancelled);
  how.sink_answer = absl::InternalError("cannot");
  CHECK(Play(TargetOf(sample), {.body = sample.Stream()}, how)
            .result.failure.failure == FailureClass::kSinkFailed);
}

TEST_CASE("a deadline and a broken connection are told apart",
          "[adapters][contract]") {
  const DialectSample& sample = EachDialect();
  CAPTURE(sample.dialect);
  CHECK(Play(TargetOf(sample),
             {.end = absl::DeadlineExceededError("idle"),
              .phase = HttpPhase::kWait},
             Asked())
            .result.failure.failure == FailureClass::kTimeout);
  CHECK(Play(TargetOf(sample),
             {.end = absl::UnavailableError("refused"),
              .no_head = true,
              .phase = HttpPhase::kConnect},
             Asked())
            .result.failure.failure == FailureClass::kConnect);
}

TEST_CASE("the key is in its header and nowhere else",
          "[adapters][contract][SEC-1][SEC-5]") {
  const DialectSample& sample = EachDialect();
  CAPTURE(sample.dialect);
  const Played got = Play(TargetOf(sample), {.body = sample.Stream()}, Asked());
  REQUIRE(got.requests.size() == 1);
  const HttpRequest& sent = got.requests[0];
  CHECK(sent.url.starts_with(sample.base_url));
  CHECK(sent.url.find("planted") == std::string::npos);
  CHECK(sent.body.find("planted") == std::string::npos);
  const std::string* header = FindHeader(sent.headers, sample.key_header);
  REQUIRE(header != nullptr);
  CHECK(*header == sample.key_value);
  // A provider that quotes it gives nothing away.
  const Played quoted = Play(
      TargetOf(sample),
      Json(R"({"error":{"message":"key sk-planted is bad","code":400}})", 400),
      Asked());
  CHECK(quoted.result.failure.message.find("planted") == std::string::npos);
}

// A tool loop into which the router put back what another maker wants.
ChatRequest RestoredLoop() {
  ChatRequest request = PlainQuestion();
  v1::Message& turn = *request.message.add_messages();
  turn.set_role("assistant");
  v1::ReasoningPart& hidden = *turn.add_parts()->mutable_reasoning();
  hidden.set_redacted_data("blob");
  hidden.set_origin("elsewhere");
  v1::OpaquePart& opaque = *turn.add_parts()->mutable_opaque();
  opaque.set_origin("elsewhere");
  opaque.set_json(R"({"type":"server_tool_use"})");
  v1::ToolCall& call = *turn.add_parts()->mutable_tool_call();
  call.set_id("call_1");
  call.set_type("function");
  call.mutable_function()->set_name("look");
  call.mutable_function()->set_arguments("{}");
  call.set_signature("proof");
  call.set_signature_origin("elsewhere");
  v1::Message& result = *request.message.add_messages();
  result.set_role("tool");
  result.set_tool_call_id("call_1");
  result.add_parts()->mutable_text()->set_text("found");
  v1::FunctionTool& tool = *request.message.add_tools()->mutable_function();
  tool.set_name("look");
  tool.set_parameters(R"({"type":"object","properties":{}})");
  return request;
}

TEST_CASE("what was put back for another maker is left out without a word",
          "[adapters][contract][TRN-2][TRN-6]") {
  const DialectSample& sample = EachDialect();
  CAPTURE(sample.dialect);
  Playing how;
  how.request = RestoredLoop();
  how.strict = true;
  const Played named = Play(TargetOf(sample), {.body = sample.Stream()}, how);
  CHECK(named.requests.empty());
  how.request.restored = {false, true, false};
  const Played quiet = Play(TargetOf(sample), {.body = sample.Stream()}, how);
  CHECK(quiet.result.dropped.empty());
  REQUIRE(quiet.requests.size() == 1);
  for (const char* left : {"blob", "server_tool_use", "proof"}) {
    CHECK(quiet.requests[0].body.find(left) == std::string::npos);
  }
}

TEST_CASE("a signature that a caller brings back reaches its maker only",
          "[adapters][contract][TRN-2][RTY-8]") {
  const std::string body =
      R"({"model":"m","messages":[{"role":"user","content":"Hi"},)"
      R"({"role":"assistant","content":null,"tool_calls":[{"id":"call_1",)"
      R"("type":"function","function":{"name":"look","arguments":"{}"},)"
      R"("extra_content":{"google":{"thought_signature":"proof"},)"
      R"("llm_service":{"origin":"gemini","model":"gemini-3-pro-preview"}}}],)"
      R"("opaque_parts":[{"origin":"gemini","part":{"executableCode":{}}}]},)"
      R"({"role":"tool","tool_call_id":"call_1","content":"found"}]})";
  Playing how;
  auto request =
      server::ParseChatRequest(std::make_shared<const std::string>(body));
  REQUIRE(request.ok());
  how.request = *std::move(request);
  const std::string profile = GENERATE("openai", "qwen", "vllm", "deepseek");
  CAPTURE(profile);
  const Played other = Play({.dialect = "openai",
                             .profile = profile,
                             .base_url = "https://upstream.test/v1",
                             .model = "m-1"},
                            {}, how);
  REQUIRE(other.requests.size() == 1);
  for (const char* ours :
       {"proof", "llm_service", "opaque_parts", "executableCode"}) {
    CHECK(other.requests[0].body.find(ours) == std::string::npos);
  }
  const Played maker = Play({.dialect = "gemini",
                             .base_url = "https://upstream.test/v1beta",
                             .model = "gemini-3-pro-preview"},
                            {}, how);
  REQUIRE(maker.requests.size() == 1);
  CHECK(maker.requests[0].body.find("proof") != std::string::npos);
  CHECK(maker.requests[0].body.find("executableCode") != std::string::npos);
}

TEST_CASE("the same request is the same bytes", "[adapters][contract][TRN-7]") {
  const DialectSample& sample = EachDialect();
  CAPTURE(sample.dialect);
  const auto body = [&] {
    return Play(TargetOf(sample), {.body = sample.Stream()}, Asked())
        .requests.at(0)
        .body;
  };
  CHECK(body() == body());
}

}  // namespace
}  // namespace llm
