// Providers and what a test of one came to.
#include "adapters/core/json.h"
#include "server/http/render_reports.h"

namespace llm::server {
namespace {

void WriteCheck(const v1::ProviderCheck& check, JsonWriter& json) {
  json.BeginObject();
  json.Member("name", check.name());
  json.Member("outcome", check.outcome());
  if (!check.message().empty()) json.Member("message", check.message());
  if (check.outcome() == "skipped") return json.EndObject();
  json.Member("failure", check.failure());
  json.MemberInt("upstream_status", check.upstream_status());
  if (!check.upstream_code().empty()) {
    json.Member("upstream_code", check.upstream_code());
  }
  json.MemberInt("latency_ms", check.latency_ms());
  if (check.has_first_content_ms()) {
    json.MemberInt("first_content_ms", check.first_content_ms());
  }
  json.Member("served_model", check.served_model());
  json.Key("tokens");
  json.BeginObject();
  json.MemberInt("input", check.input_tokens());
  json.MemberInt("output", check.output_tokens());
  json.EndObject();
  json.Member("usage_source", check.usage_source());
  json.Key("cost");
  if (check.cost().empty()) {
    json.Null();
  } else {
    json.BeginObject();
    json.Member("amount", check.cost());
    json.Member("currency", check.currency());
    json.EndObject();
  }
  json.Key("dropped");
  json.BeginArray();
  for (const std::string& name : check.dropped()) json.String(name);
  json.EndArray();
  json.Member("request_id", check.request_id());
  json.Member("provider_request_id", check.provider_request_id());
  json.EndObject();
}

}  // namespace

std::string RenderProviders(const v1::ListProvidersResponse& providers) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.Key("providers");
  json.BeginArray();
  for (const v1::ProviderInfo& info : providers.providers()) {
    json.BeginObject();
    json.Member("id", info.id());
    json.Member("dialect", info.dialect());
    json.Member("host", info.host());
    json.MemberInt("keys", info.keys());
    json.MemberInt("models", info.models());
    json.Member("health", info.health());
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return out;
}

std::string RenderTestedProvider(const v1::TestProviderResponse& tested) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.Member("provider", tested.provider());
  json.Member("model", tested.model());
  json.Key("ok");
  json.Bool(tested.ok());
  json.Key("checks");
  json.BeginArray();
  for (const v1::ProviderCheck& check : tested.checks()) {
    WriteCheck(check, json);
  }
  json.EndArray();
  json.EndObject();
  return out;
}

}  // namespace llm::server
