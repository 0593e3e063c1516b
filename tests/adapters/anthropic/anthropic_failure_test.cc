// How attempts fail, and what of them is still known.
#include <catch2/catch.hpp>

#include "adapters/anthropic/error_table.h"
#include "tests/adapters/anthropic/exchange.h"

namespace llm {
namespace {

const char kText[] = R"({"type":"text","text":"a"})";

FailureClass FailureOf(const std::string& body) {
  ScriptedTransport::Script script;
  script.body = body;
  FailureClass first = FailureClass::kNone;
  for (const Cut& cut : AllCuts()) {
    ExchangeSetting setting;
    setting.cut = cut;
    const FailureClass now =
        RunExchange(script, setting).result.failure.failure;
    if (cut.kind == Cut::Kind::kWhole) first = now;
    CHECK(now == first);
  }
  return first;
}

TEST_CASE("each status and error type is one class",
          "[adapters][anthropic][errors][RTY-2]") {
  using enum FailureClass;
  const auto [status, body,
              want] = GENERATE(table<int, std::string, FailureClass>({
      {400, R"({"type":"invalid_request_error","message":"bad"})",
       kInvalidRequest},
      {400,
       R"({"type":"invalid_request_error","message":)"
       R"("prompt is too long: 210000 tokens > 200000 maximum"})",
       kContextLength},
      {400,
       R"({"type":"invalid_request_error","message":)"
       R"("input length and `max_tokens` exceed context limit: 1 + 2"})",
       kContextLength},
      {400,
       R"({"type":"invalid_request_error","message":)"
       R"("Your credit balance is too low to access the API"})",
       kOutOfMoney},
      {400,
       R"({"type":"invalid_request_error","message":)"
       R"("You have reached your specified API usage limits."})",
       kOutOfMoney},
      {401, R"({"type":"authentication_error","message":"x"})", kBadKey},
      {402, R"({"type":"billing_error","message":"x"})", kOutOfMoney},
      {403, R"({"type":"permission_error","message":"x"})", kPermission},
      {404, R"({"type":"not_found_error","message":"model: x"})",
       kModelNotFound},
      {409, R"({"type":"conflict_error","message":"x"})", kInvalidRequest},
      {413, R"({"type":"request_too_large","message":"x"})", kInvalidRequest},
      {429, R"({"type":"rate_limit_error","message":"x"})", kRateLimited},
      {429,
       R"({"type":"rate_limit_error","message":"x","details":)"
       R"({"error_code":"enforced_spend_limit_reached"}})",
       kOutOfMoney},
      {500, R"({"type":"api_error","message":"x"})", kServerError},
      {503, R"({"type":"api_error","message":"x"})", kOverloaded},
      {504, R"({"type":"timeout_error","message":"x"})", kServerError},
      {529, R"({"type":"overloaded_error","message":"x"})", kOverloaded},
  }));
  CAPTURE(status, body);
  ScriptedTransport::Script script;
  script.status = status;
  script.headers = {{"content-type", "application/json"},
                    {"request-id", "req_1"},
                    {"retry-after", "7"}};
  script.body = R"({"type":"error","error":)" + body + "}";
  const Exchange got = RunExchange(script);
  CHECK(got.result.failure.failure == want);
  CHECK(got.result.failure.http_status == status);
  CHECK(got.result.provider_request_id == "req_1");
  CHECK(got.result.failure.retry_after == absl::Seconds(7));
}

TEST_CASE("a page of a CDN is judged by its status",
          "[adapters][anthropic][errors]") {
  ScriptedTransport::Script script;
  script.status = 413;
  script.headers = {{"content-type", "text/html"}};
  script.body = "<html>too large</html>";
  CHECK(RunExchange(script).result.failure.failure ==
        FailureClass::kInvalidRequest);
}

TEST_CASE("an error in mid-stream ends the answer; its tokens still count",
          "[adapters][anthropic][errors][STR-5]") {
  ScriptedTransport::Script script;
  script.body = Sse({Start(), BlockStart(0, kText),
                     R"({"type":"error","error":{"type":"overloaded_error",)"
                     R"("message":"Overloaded"},"request_id":"req_2"})"});
  const Exchange got = RunExchange(script);
  CHECK(got.result.failure.failure == FailureClass::kOverloaded);
  CHECK(got.result.content_seen);
  CHECK(got.result.usage.fresh_input == 10);
  CHECK(got.result.usage_source == UsageSource::kPartial);
}

TEST_CASE("what is no whole answer is a failure",
          "[adapters][anthropic][errors][STR-4][STR-7]") {
  using enum FailureClass;
  const auto [body, want] = GENERATE(table<std::string, FailureClass>({
      {Sse({Start(), BlockStart(0, kText), BlockStop(0), Stop("end_turn")}),
       kIncomplete},
      {Sse({Start(), BlockStart(0, kText)}), kIncomplete},
      {Sse({Start()}), kIncomplete},
      {"", kBadAnswer},
      {Sse({Start(), Stop("end_turn"), End()}), kEmptyAnswer},
      {Sse({Start(), BlockStart(0, R"({"type":"text","text":""})"),
            BlockStop(0), Stop("end_turn"), End()}),
       kEmptyAnswer},
      {Sse({Start(), BlockStart(0, R"({"type":"thinking","thinking":"I"})"),
            BlockStop(0), Stop("end_turn"), End()}),
       kEmptyAnswer},
      {Sse({Start(), "{broken"}), kBadAnswer},
      {Sse({Start(), "[]"}), kBadAnswer},
      {Whole("[]"), kEmptyAnswer},
      {R"({"object":"chat.completion","choices":[]})", kBadAnswer},
      {"[1]", kBadAnswer},
      {R"({"error":{"type":"overloaded_error"}})", kOverloaded},
      // The turn is over and says so: these are answers.
      {Sse({Start(), BlockStart(0, R"({"type":"server_tool_use","id":"s"})"),
            BlockStop(0), Stop("pause_turn"), End()}),
       kNone},
      {Sse({Start(), Stop("refusal"), End()}), kNone},
  }));
  CAPTURE(body);
  CHECK(FailureOf(body) == want);
}

TEST_CASE("a budget that went to thinking is told, not failed",
          "[adapters][anthropic][TRN-8]") {
  ScriptedTransport::Script script;
  script.body =
      Sse({Start(), BlockStart(0, R"({"type":"thinking","thinking":"I"})"),
           BlockStop(0), Stop("max_tokens"), End()});
  const Exchange got = RunExchange(script);
  CHECK(got.result.status.ok());
  CHECK(got.result.reasoning_exhausted);
}

TEST_CASE("who asked for no tokens has its answer without any",
          "[adapters][anthropic]") {
  ExchangeSetting setting;
  v1::Message* user = setting.request.message.add_messages();
  user->set_role("user");
  user->add_parts()->mutable_text()->set_text("hi");
  const auto run = [&](const std::string& reason) {
    ScriptedTransport::Script script;
    script.body = Sse({Start(), Stop(reason, R"({"output_tokens":0})"), End()});
    return RunExchange(script, setting);
  };
  CHECK(run("max_tokens").result.failure.failure == FailureClass::kEmptyAnswer);
  const bool newer = GENERATE(false, true);
  if (newer) {
    setting.request.message.set_max_completion_tokens(0);
  } else {
    setting.request.message.set_max_tokens(0);
  }
  const Exchange got = run("max_tokens");
  CHECK(got.result.status.ok());
  CHECK(got.result.usage.fresh_input == 10);
  CHECK_FALSE(got.result.reasoning_exhausted);
  CHECK(got.choices.at(0).finish == "length");
  CHECK(run("end_turn").result.failure.failure == FailureClass::kEmptyAnswer);
}

TEST_CASE("headers carry version, key and betas; the base may end in /v1",
          "[adapters][anthropic][SEC-1]") {
  const auto [base, want] = GENERATE(table<std::string, std::string>({
      {"https://api.anthropic.com", "https://api.anthropic.com/v1/messages"},
      {"https://a/v1/", "https://a/v1/messages"},
      {"https://a/anthropic/", "https://a/anthropic/v1/messages"},
  }));
  ExchangeSetting setting;
  setting.base_url = base;
  setting.context.api_key = ApiKey("sk-ant-1");
  setting.request.message.set_extra_json(R"({"betas":["b-1"]})");
  ScriptedTransport::Script script;
  script.body = Whole(R"([{"type":"text","text":"a"}])");
  const Exchange got = RunExchange(script, setting);
  REQUIRE(got.requests.size() == 1);
  CHECK(got.requests[0].url == want);
  const auto header = [&](const char* name) {
    const std::string* value = FindHeader(got.requests[0].headers, name);
    return value == nullptr ? std::string() : *value;
  };
  CHECK(header("x-api-key") == "sk-ant-1");
  CHECK(header("anthropic-version") == "2023-06-01");
  CHECK(header("anthropic-beta") == "b-1");
  CHECK(header("authorization").empty());
  CHECK(got.result.streamed_upstream);
}

TEST_CASE("a strict caller is refused what would be dropped",
          "[adapters][anthropic][TRN-6]") {
  ExchangeSetting setting;
  setting.context.strict = true;
  setting.request.message.set_seed(1);
  v1::Message* user = setting.request.message.add_messages();
  user->set_role("user");
  user->add_parts()->mutable_text()->set_text("hi");
  const Exchange got = RunExchange({}, setting);
  CHECK_FALSE(got.result.dispatched);
  CHECK(got.result.failure.param == "seed");
  CHECK(got.requests.empty());
}

TEST_CASE("the list of models is asked for, and costs nothing",
          "[adapters][anthropic][HLT-1]") {
  boost::asio::io_context io;
  FakeClock clock;
  ScriptedTransport::Script script;
  script.headers = {{"content-type", "application/json"}};
  script.body = R"({"data":[]})";
  ScriptedTransport transport(script);
  ProviderSettings settings;
  settings.base_url = "https://a/v1";
  AnthropicProvider provider(settings, transport, clock);
  ProbeContext context;
  context.api_key = ApiKey("k");
  const ProbeResult result = RunTask(io, provider.Probe(context));
  CHECK(result.verdict == ProbeVerdict::kUp);
  CHECK(transport.requests.at(0).url == "https://a/v1/models");
  CHECK(FindHeader(transport.requests[0].headers, "x-api-key") != nullptr);
}

}  // namespace
}  // namespace llm
