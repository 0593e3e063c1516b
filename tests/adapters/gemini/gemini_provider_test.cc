#include <catch2/catch.hpp>

#include "adapters/registry.h"
#include "tests/adapters/gemini/exchange.h"

namespace llm {
namespace {

constexpr char kVertex[] =
    "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/l";

std::string UrlFor(const std::string& base, const std::string& model) {
  ExchangeSetting setting;
  setting.base_url = base;
  setting.context.upstream_model.value = model;
  const Exchange got = RunExchange(
      {.body = Sse({Response(R"([{"text":"x"}])", "STOP")})}, setting);
  return got.requests.empty() ? "" : got.requests[0].url;
}

TEST_CASE("the address comes from settings and model alone",
          "[adapters][gemini][provider][SEC-1]") {
  const std::string studio = "https://upstream.test/v1beta";
  const std::string vertex = kVertex;
  const std::string ask = ":streamGenerateContent?alt=sse";
  const auto [base, model, url] =
      GENERATE_COPY(table<std::string, std::string, std::string>({
          {studio, "gemini-x", studio + "/models/gemini-x" + ask},
          {studio + "/", "gemini-x", studio + "/models/gemini-x" + ask},
          {studio, "models/gemini-x", studio + "/models/gemini-x" + ask},
          {studio, "tunedModels/t-1", studio + "/tunedModels/t-1" + ask},
          {studio, "a b?c#d", studio + "/models/a%20b%3Fc%23d" + ask},
          // A name is no address: what looks escaped is escaped, once.
          {studio, "a%20b", studio + "/models/a%2520b" + ask},
          {vertex, "gemini@001",
           vertex + "/publishers/google/models/gemini@001" + ask},
          {vertex, "gemini-x",
           vertex + "/publishers/google/models/gemini-x" + ask},
          {vertex + "/publishers/google", "gemini-x",
           vertex + "/publishers/google/models/gemini-x" + ask},
          {vertex + "/publishers/google", "endpoints/123",
           vertex + "/endpoints/123" + ask},
          // Another path than the one that is meant.
          {studio, "..", ""},
          {studio, "models/../secret", ""},
          {studio, "a//b", ""},
          {studio, "a\nb", ""},
      }));
  CAPTURE(base, model);
  CHECK(UrlFor(base, model) == url);
}

TEST_CASE("the key goes in the header of its kind",
          "[adapters][gemini][provider][SEC-1]") {
  const auto [base, name, value] =
      GENERATE(table<std::string, std::string, std::string>({
          {"https://upstream.test/v1beta", "x-goog-api-key", "secret"},
          {kVertex, "authorization", "Bearer secret"},
      }));
  ExchangeSetting setting;
  setting.base_url = base;
  setting.context.api_key = ApiKey("secret");
  const Exchange got = RunExchange(
      {.body = Sse({Response(R"([{"text":"x"}])", "STOP")})}, setting);
  REQUIRE(got.requests.size() == 1);
  const std::string* header = FindHeader(got.requests[0].headers, name);
  REQUIRE(header != nullptr);
  CHECK(*header == value);
  CHECK(got.requests[0].url.find("secret") == std::string::npos);
}

TEST_CASE("whole answers are streamed from upstream too",
          "[adapters][gemini][provider]") {
  const Exchange got =
      RunExchange({.body = Sse({Response(R"([{"text":"x"}])", "STOP")})});
  CHECK(got.result.streamed_upstream);
  CHECK(got.result.thinking);
  CHECK(got.result.request_bytes > 0);
}

TEST_CASE("a strict caller is refused before anything is sent",
          "[adapters][gemini][provider][TRN-6]") {
  ExchangeSetting setting;
  v1::Message* message = setting.request.message.add_messages();
  message->set_role("user");
  message->add_parts()->mutable_text()->set_text("hi");
  setting.request.message.set_verbosity("low");
  setting.context.strict = true;
  const Exchange got = RunExchange({.body = ""}, setting);
  CHECK(got.result.failure.failure == FailureClass::kUnsupported);
  CHECK_FALSE(got.result.dispatched);
  CHECK(got.requests.empty());
}

TEST_CASE("what cannot be left out is not sent at all",
          "[adapters][gemini][provider][TRN-6]") {
  ExchangeSetting setting;
  v1::Message* message = setting.request.message.add_messages();
  message->set_role("user");
  message->add_parts()->mutable_media()->set_url("https://a.test/x.png");
  const Exchange got = RunExchange({.body = ""}, setting);
  CHECK(got.result.failure.failure == FailureClass::kUnsupported);
  CHECK(got.result.failure.param == "messages.content.image_url");
  CHECK(got.requests.empty());
}

TEST_CASE("a name that no URL can hold is refused before the fields are",
          "[adapters][gemini][provider][ERR-1]") {
  ExchangeSetting setting;
  setting.context.upstream_model = ModelId{".."};
  v1::Message* message = setting.request.message.add_messages();
  message->set_role("user");
  message->add_parts()->mutable_media()->set_url("https://a.test/x.png");
  setting.request.message.set_verbosity("low");
  setting.context.strict = true;
  const Exchange got = RunExchange({.body = ""}, setting);
  CHECK(got.result.failure.failure == FailureClass::kModelNotFound);
  CHECK(got.result.dropped.empty());
  CHECK_FALSE(got.result.dispatched);
  CHECK(got.requests.empty());
}

TEST_CASE("the list of models says whether Google answers",
          "[adapters][gemini][probe][HLT-1]") {
  const auto [base, url, verdict] =
      GENERATE(table<std::string, std::string, ProbeVerdict>({
          {"https://upstream.test/v1beta",
           "https://upstream.test/v1beta/models?pageSize=1", ProbeVerdict::kUp},
          // No list that could be looked at.
          {kVertex, "", ProbeVerdict::kUnknown},
      }));
  boost::asio::io_context io;
  FakeClock clock;
  ScriptedTransport transport({.body = R"({"models":[]})"});
  ProviderSettings settings;
  settings.dialect = "gemini";
  settings.base_url = base;
  GeminiProvider provider(settings, transport, clock);
  const ProbeResult got = RunTask(io, provider.Probe({}));
  CHECK(got.verdict == verdict);
  CHECK(transport.requests.size() == (url.empty() ? 0u : 1u));
  if (!url.empty()) CHECK(transport.requests[0].url == url);
}

TEST_CASE("the registry knows the dialect", "[adapters][gemini][registry]") {
  FakeClock clock;
  ScriptedTransport transport({});
  ProviderSettings settings;
  settings.dialect = "gemini";
  settings.base_url = "https://upstream.test/v1beta";
  CHECK(MakeProvider(settings, transport, clock).ok());
}

}  // namespace
}  // namespace llm
