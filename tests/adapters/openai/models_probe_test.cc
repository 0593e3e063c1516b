#include <catch2/catch.hpp>

#include "adapters/openai/openai_provider.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run_task.h"
#include "tests/support/scripted_transport.h"

namespace llm {
namespace {

struct Probed {
  ProbeResult result;
  std::vector<HttpRequest> requests;
};

Probed RunProbe(ScriptedTransport::Script script,
                const std::string& profile = "", const std::string& key = "") {
  boost::asio::io_context io;
  FakeClock clock;
  ScriptedTransport transport(std::move(script));
  ProviderSettings settings;
  settings.profile = profile;
  settings.base_url = "https://upstream.test/v1";
  OpenAiProvider provider(settings, transport, clock);
  ProbeContext context;
  if (!key.empty()) context.api_key = ApiKey(key);
  return {RunTask(io, provider.Probe(context)), transport.requests};
}

TEST_CASE("A list of models says whether a provider answers",
          "[adapters][openai][probe][HLT-1][HLT-2]") {
  struct Row {
    int status;
    std::string body;
    ProbeVerdict want;
  };
  const Row row = GENERATE(values<Row>({
      {200, R"({"object":"list","data":[]})", ProbeVerdict::kUp},
      // Together's bare array; the body is not looked at.
      {200, R"([{"id":"m"}])", ProbeVerdict::kUp},
      {200, "not json", ProbeVerdict::kUp},
      {301, "", ProbeVerdict::kUnknown},
      {401, R"({"error":{"message":"Incorrect API key"}})",
       ProbeVerdict::kUnknown},
      {404, "404 page not found", ProbeVerdict::kUnknown},
      {429, "", ProbeVerdict::kUnknown},
      {500, "", ProbeVerdict::kDown},
      {503, "", ProbeVerdict::kDown},
  }));
  CAPTURE(row.status, row.body);
  const Probed probed = RunProbe({.status = row.status, .body = row.body});
  CHECK(probed.result.verdict == row.want);
  CHECK(probed.result.http_status == row.status);
  CHECK(probed.result.message.empty() == (row.want == ProbeVerdict::kUp));
}

TEST_CASE("No answer is down, a cancelled look says nothing",
          "[adapters][openai][probe]") {
  const auto [end, want] = GENERATE(table<absl::Status, ProbeVerdict>({
      {absl::UnavailableError("refused"), ProbeVerdict::kDown},
      {absl::DeadlineExceededError("total"), ProbeVerdict::kDown},
      {absl::CancelledError("cancelled"), ProbeVerdict::kUnknown},
      {absl::InternalError("framing"), ProbeVerdict::kUnknown},
  }));
  const Probed probed = RunProbe({.end = end, .no_head = true});
  CHECK(probed.result.verdict == want);
  CHECK(probed.result.http_status == 0);
}

TEST_CASE("A look at a provider is a GET with its key and generates nothing",
          "[adapters][openai][probe][HLT-1]") {
  const Probed probed = RunProbe({.body = "{}"}, "deepseek", "sk-planted");
  REQUIRE(probed.requests.size() == 1);
  const HttpRequest& request = probed.requests[0];
  CHECK(request.method == "GET");
  CHECK(request.url == "https://upstream.test/v1/models");
  CHECK(request.body.empty());
  CHECK(*FindHeader(request.headers, "authorization") == "Bearer sk-planted");
  CHECK(request.deadlines.total < Instant::Never());
  const Probed azure = RunProbe({.body = "{}"}, "azure", "planted");
  CHECK(*FindHeader(azure.requests[0].headers, "api-key") == "planted");
}

TEST_CASE("A vendor without a list is not asked", "[adapters][openai][probe]") {
  const Probed probed = RunProbe({.body = "{}"}, "minimax", "sk-planted");
  CHECK(probed.requests.empty());
  CHECK(probed.result.verdict == ProbeVerdict::kUnknown);
  CHECK(probed.result.http_status == 0);
}

TEST_CASE("A refusal that quotes the key is masked",
          "[adapters][openai][probe][SEC-5]") {
  const Probed probed = RunProbe(
      {.status = 401, .body = R"({"error":{"message":"bad key plantedkey"}})"},
      "", "plantedkey");
  CHECK(probed.result.message == "bad key ***");
}

}  // namespace
}  // namespace llm
