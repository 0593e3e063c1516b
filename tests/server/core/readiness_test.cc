#include "server/core/readiness.h"

#include <catch2/catch.hpp>
#include <string>

namespace llm::server {
namespace {

TEST_CASE("Readiness says where calls go and why not elsewhere",
          "[server][readiness][RTY-5]") {
  RouteTable table;
  ProviderSettings& provider = table.providers["a"];
  provider.id.value = "a";
  for (const char* key : {"secret-0", "secret-1"}) {
    provider.api_keys.emplace_back(key);
  }
  PublicModel& model = table.models["m"];
  table.model_order = {"m"};
  model.id.value = "m";
  for (const char* upstream : {"good", "bad"}) {
    Deployment& deployment = model.deployments.emplace_back();
    deployment.id = std::string("a/") + upstream;
    deployment.provider.value = "a";
  }
  HealthBoard board;
  Instant now{absl::Seconds(1000)};
  board.ReportKey("a", provider.api_keys[1],
                  {FailureClass::kBadKey, {}, now, now});
  {
    const auto pass = board.Enter({"a/good", "a", provider.api_keys}, {}, now);
    REQUIRE(pass);
    board.Answering(*pass, absl::Seconds(0.5), now);
    board.Report(*pass, provider.api_keys, {FailureClass::kNone, {}, now, now});
  }
  for (int i = 0; i < 5; ++i) {
    now = now + absl::Milliseconds(1);
    board.Report("a/bad", {FailureClass::kConnect, {}, now, now});
  }
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  WriteHealth(table, board, now, json);
  json.EndObject();
  const auto document = JsonDocument::Parse(text);
  CAPTURE(text);
  REQUIRE(document.ok());
  const JsonValue root = document->root();
  CHECK(root.Find("deployments").Find("a/good").Equals("healthy"));
  CHECK(root.Find("deployments").Find("a/bad").Equals("unavailable"));
  const JsonValue bad = root.Find("detail").Find("a/bad");
  CHECK(bad.Find("breaker").Equals("open"));
  CHECK(
      bad.Find("why").Equals("open after 5 failures (connect), "
                             "back in 5.0 s"));
  CHECK(root.Find("detail").Find("a/good").Find("breaker").Equals("closed"));
  const JsonValue keys = root.Find("providers").Find("a");
  CHECK(keys.Find("keys").AsInt64() == 2);
  CHECK(keys.Find("keys_out").Find("bad_key").AsInt64() == 1);
  CHECK(text.find("secret") == std::string::npos);
}

}  // namespace
}  // namespace llm::server
