#include "adapters/openai/openai_provider.h"

#include <catch2/catch.hpp>
#include <set>

#include "adapters/registry.h"
#include "tests/adapters/openai/exchange.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

const std::string kHi = Sse({Delta(R"({"content":"hi"})", "stop")});

TEST_CASE("the request goes where the settings say, with our headers only",
          "[adapters][openai][SEC-1]") {
  ExchangeSetting setting;
  setting.context.api_key = ApiKey("k-1");
  setting.context.deadlines.idle = absl::Seconds(9);
  const Exchange got = RunExchange({.body = kHi}, setting);
  REQUIRE(got.requests.size() == 1);
  const HttpRequest& sent = got.requests[0];
  CHECK(sent.method == "POST");
  CHECK(sent.url == "https://upstream.test/v1/chat/completions");
  CHECK(*FindHeader(sent.headers, "Authorization") == "Bearer k-1");
  CHECK(*FindHeader(sent.headers, "content-type") == "application/json");
  CHECK(FindHeader(sent.headers, "user-agent")->starts_with("llm-service/"));
  CHECK(sent.headers.size() == 4);
  CHECK(sent.deadlines.idle == absl::Seconds(9));
  CHECK(got.result.request_bytes == static_cast<int64_t>(sent.body.size()));
}

TEST_CASE("without a key there is no authorization",
          "[adapters][openai][SEC-1]") {
  const Exchange got = RunExchange({.body = kHi});
  CHECK(FindHeader(got.requests[0].headers, "authorization") == nullptr);
}

TEST_CASE("a repeat after a dead connection asks for a fresh one",
          "[adapters][openai][RTY-2]") {
  ExchangeSetting setting;
  setting.context.fresh_connection = GENERATE(false, true);
  const Exchange got = RunExchange({.body = kHi}, setting);
  CHECK(got.requests[0].fresh_connection == setting.context.fresh_connection);
}

TEST_CASE("the result says whether thinking was asked for",
          "[adapters][openai][COST-1]") {
  const auto [model, effort, thinking] =
      GENERATE(table<std::string, std::string, bool>({
          {"qwen-plus", "high", true},
          {"qwen-plus", "none", false},
          {"qwen-plus", "", false},
          {"qwq-plus", "", true},
          // Has no switch: the wish does nothing.
          {"qwen3-coder-plus", "high", false},
      }));
  CAPTURE(model, effort);
  ExchangeSetting setting;
  setting.profile = "qwen";
  setting.context.upstream_model.value = model;
  if (!effort.empty()) setting.request.message.set_reasoning_effort(effort);
  // Also where the provider fails, and tells no usage.
  const Exchange got = RunExchange({.end = absl::UnavailableError("gone"),
                                    .no_head = true,
                                    .phase = HttpPhase::kWait},
                                   setting);
  CHECK(got.result.thinking == thinking);
}

TEST_CASE("a strict caller is refused before anything is sent",
          "[adapters][openai][TRN-6]") {
  ExchangeSetting setting;
  setting.profile = "deepseek";
  setting.request.message.set_seed(7);
  SECTION("strict") {
    setting.context.strict = true;
    const Exchange got = RunExchange({.body = kHi}, setting);
    CHECK(got.requests.empty());
    CHECK_FALSE(got.result.dispatched);
    CHECK(got.result.failure.failure == FailureClass::kUnsupported);
    CHECK(got.result.failure.param == "seed");
    CHECK_THAT(got.result.status, HasCode(absl::StatusCode::kInvalidArgument));
  }
  SECTION("lenient") {
    const Exchange got = RunExchange({.body = kHi}, setting);
    CHECK_THAT(got.result.status, IsOk());
    CHECK(got.result.dispatched);
    CHECK(got.result.dropped == std::vector<std::string>{"seed"});
  }
}

TEST_CASE("the result names who answered", "[adapters][openai][LED-1]") {
  const Exchange got = RunExchange({.body = kHi});
  CHECK(got.result.served_model.value == "m");
  CHECK(got.result.provider_request_id == "c1");
  CHECK(got.result.usage_source == UsageSource::kNone);
}

TEST_CASE("every row of the table can be told apart and says where it is from",
          "[adapters][openai][profiles]") {
  std::set<std::string_view> ids;
  for (const openai::Profile& profile : openai::AllProfiles()) {
    CHECK(ids.insert(profile.id).second);
    if (profile.id.empty()) continue;
    CHECK(profile.page.starts_with("https://"));
    CHECK(profile.date.size() == 10);
    // One vendor's older contract has no site of its own.
    CHECK(profile.sites.empty() == (profile.id == "azure-2024"));
    CHECK(&openai::FindProfile(profile.id) == &profile);
  }
  CHECK(openai::FindProfile("nobody").id.empty());
}

TEST_CASE("the registry knows its providers", "[adapters][registry]") {
  ScriptedTransport transport({.body = kHi});
  FakeClock clock;
  for (const BuiltInProvider& known : BuiltInProviders()) {
    ProviderSettings settings;
    settings.id.value = std::string(known.id);
    settings.dialect = std::string(known.dialect);
    settings.profile = std::string(known.profile);
    const auto made = MakeProvider(settings, transport, clock);
    CAPTURE(known.id);
    CHECK_THAT(made, IsOk());
    if (known.dialect == "openai") {
      CHECK(openai::FindProfile(known.profile).id == known.profile);
      CHECK_FALSE(known.base_url.ends_with("/"));
      // Only a customer's own address may be missing.
      CHECK(known.base_url.empty() != known.base_url_variable.empty());
    }
  }
  ProviderSettings settings;
  settings.dialect = "pigeon";
  CHECK_THAT(MakeProvider(settings, transport, clock),
             HasCode(absl::StatusCode::kUnimplemented));
}

TEST_CASE("five providers turn on by themselves, the others by configuration",
          "[adapters][registry]") {
  std::set<std::string_view> by_default;
  std::set<std::string_view> all;
  for (const BuiltInProvider& known : BuiltInProviders()) {
    CHECK(all.insert(known.id).second);
    if (known.on_by_default) by_default.insert(known.id);
    // Nobody answers for nothing but servers of one's own.
    const bool own =
        known.id == "ollama" || known.id == "vllm" || known.id == "simulated";
    CHECK(known.needs_key != own);
  }
  CHECK(by_default == std::set<std::string_view>{"anthropic", "deepseek",
                                                 "gemini", "openai", "qwen"});
  for (const char* id : {"moonshot", "moonshot-cn", "zhipu", "zai",
                         "siliconflow", "siliconflow-intl", "openrouter",
                         "groq", "mistral", "xai", "volcengine", "minimax",
                         "minimax-cn", "azure", "together", "fireworks"}) {
    CAPTURE(id);
    CHECK(all.contains(id));
  }
}

TEST_CASE("what is left of a limit is told by any answer",
          "[adapters][openai][limits]") {
  const std::vector<HttpHeader> headers = {
      {"content-type", "application/json"},
      {"x-ratelimit-limit-requests", "100"},
      {"x-ratelimit-remaining-requests", "0"},
      {"x-ratelimit-reset-requests", "6m0s"},
      {"x-ratelimit-remaining-tokens", "9000"},
      {"retry-after", "30"}};
  const Exchange answered =
      RunExchange({.headers = headers, .body = Whole(R"({"content":"hi"})")});
  REQUIRE(answered.result.status.ok());
  CHECK(answered.result.limits.limit_requests == 100);
  CHECK(answered.result.limits.remaining_requests == 0);
  CHECK(answered.result.limits.reset_requests == absl::Minutes(6));
  CHECK(answered.result.limits.remaining_tokens == 9000);
  // Of an answer it is no wait.
  CHECK_FALSE(answered.result.failure.retry_after);
  const Exchange refused =
      RunExchange({.status = 429, .headers = headers, .body = "{}"});
  CHECK(refused.result.limits.remaining_requests == 0);
  CHECK(refused.result.failure.retry_after == absl::Seconds(30));
  const Exchange unsaid = RunExchange({.body = Sse({})});
  CHECK_FALSE(unsaid.result.limits.remaining_requests);
}

TEST_CASE("a deployment that cannot be named is not asked for",
          "[adapters][openai][azure][SEC-1]") {
  boost::asio::io_context io;
  FakeClock clock;
  ScriptedTransport transport({.body = kHi});
  ProviderSettings settings;
  settings.profile = "azure";
  settings.base_url = "https://r.openai.azure.com";
  settings.api_version = "2024-10-21";
  OpenAiProvider provider(settings, transport, clock);
  AttemptContext context;
  context.upstream_model.value = "..";
  EventRecorder sink;
  const AttemptResult result =
      *RunTask(io, provider.Chat(ChatRequest{}, context, sink));
  CHECK_FALSE(result.dispatched);
  CHECK(result.failure.failure == FailureClass::kModelNotFound);
  CHECK(transport.requests.empty());
}

}  // namespace
}  // namespace llm
