#include "server/http/render_reports.h"

#include <map>
#include <string_view>

#include "adapters/core/json.h"

namespace llm::server {
namespace {

void WriteStrings(std::string_view key,
                  const google::protobuf::RepeatedPtrField<std::string>& texts,
                  JsonWriter& json) {
  json.Key(key);
  json.BeginArray();
  for (const std::string& text : texts) json.String(text);
  json.EndArray();
}

// --- models

void WritePricing(const v1::ModelPricing& pricing, JsonWriter& json) {
  json.Key("pricing");
  json.BeginObject();
  json.Member("prompt", pricing.prompt());
  json.Member("completion", pricing.completion());
  if (!pricing.input_cache_read().empty()) {
    json.Member("input_cache_read", pricing.input_cache_read());
  }
  if (!pricing.input_cache_write().empty()) {
    json.Member("input_cache_write", pricing.input_cache_write());
  }
  json.EndObject();
}

void WriteModel(const v1::Model& model, JsonWriter& json) {
  json.BeginObject();
  json.Member("id", model.id());
  json.Member("object", "model");
  json.MemberInt("created", model.created());
  json.Member("owned_by", model.owned_by());
  if (model.context_length() > 0) {
    json.MemberInt("context_length", model.context_length());
  }
  if (model.max_output_tokens() > 0) {
    json.MemberInt("max_output_tokens", model.max_output_tokens());
  }
  if (model.has_pricing()) WritePricing(model.pricing(), json);
  WriteStrings("capabilities", model.capabilities(), json);
  json.Member("health", model.health().empty() ? "unknown" : model.health());
  WriteStrings("aliases", model.aliases(), json);
  WriteStrings("providers", model.providers(), json);
  json.EndObject();
}

// --- usage

// The digits of `text`, without trailing zeros beyond the first decimal.
std::string DecimalNumber(std::string_view text) {
  std::string number(text.empty() ? "0" : text);
  if (number.find('.') == std::string::npos) return number + ".0";
  while (number.back() == '0' && number[number.size() - 2] != '.') {
    number.pop_back();
  }
  return number;
}

void WriteDecimal(std::string_view key, std::string_view text,
                  JsonWriter& json) {
  json.MemberRaw(key, DecimalNumber(text));
}

// Protobuf maps have no order of their own; reports should not change theirs.
template <typename Map>
auto Sorted(const Map& entries) {
  std::map<std::string, typename Map::mapped_type> sorted;
  for (const auto& [key, value] : entries) sorted[key] = value;
  return sorted;
}

void WriteTotals(const v1::GetUsageResponse& usage, JsonWriter& json) {
  json.Key("total");
  json.BeginObject();
  json.MemberInt("requests", usage.total().requests());
  json.MemberInt("tokens", usage.total().tokens());
  WriteDecimal("cost", usage.total().cost(), json);
  json.EndObject();
  json.Key("models");
  json.BeginObject();
  for (const auto& [model, total] : Sorted(usage.models())) {
    json.Key(model);
    json.BeginObject();
    json.MemberInt("requests", total.requests());
    WriteDecimal("cost", total.cost(), json);
    json.EndObject();
  }
  json.EndObject();
}

void WriteGroup(const v1::UsageGroup& group, JsonWriter& json) {
  json.BeginObject();
  json.Key("keys");
  json.BeginObject();
  for (const auto& [key, value] : Sorted(group.keys())) json.Member(key, value);
  json.EndObject();
  json.MemberInt("requests", group.requests());
  json.MemberInt("attempts", group.attempts());
  json.Key("tokens");
  json.BeginObject();
  json.MemberInt("input", group.tokens().input());
  json.MemberInt("cached_input", group.tokens().cached_input());
  json.MemberInt("output", group.tokens().output());
  json.MemberInt("reasoning", group.tokens().reasoning());
  json.EndObject();
  WriteDecimal("cost", group.cost(), json);
  json.Key("cost_native");
  json.BeginObject();
  for (const auto& [currency, cost] : Sorted(group.cost_native())) {
    WriteDecimal(currency, cost, json);
  }
  json.EndObject();
  json.MemberInt("unpriced_requests", group.unpriced_requests());
  json.MemberInt("estimated_requests", group.estimated_requests());
  json.MemberInt("unconverted_requests", group.unconverted_requests());
  json.EndObject();
}

// --- routes

void WriteTarget(const RouteTarget& target, JsonWriter& json) {
  json.Member("model", target.public_model().value);
  json.Member("provider", target.deployment->provider.value);
  json.Member("deployment", target.deployment->id);
  json.Member("upstream_model", target.deployment->upstream_model.value);
}

// --- keys

void WriteKey(const v1::VirtualKey& key, JsonWriter& json) {
  json.BeginObject();
  json.Member("id", key.id());
  json.Member("name", key.name());
  json.Member("org", key.org());
  json.Member("team", key.team());
  json.Member("user", key.user());
  WriteStrings("models", key.models(), json);
  json.Member("created_at", key.created_at());
  json.Member("expires_at", key.expires_at());
  json.Member("revoked_at", key.revoked_at());
  json.Key("org_admin");
  json.Bool(key.org_admin());
  json.Member("prefix", key.prefix());
  json.EndObject();
}

}  // namespace

std::string RenderModel(const v1::Model& model) {
  std::string out;
  JsonWriter json(&out);
  WriteModel(model, json);
  return out;
}

std::string RenderModels(const v1::ListModelsResponse& models) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.Member("object", "list");
  json.Key("data");
  json.BeginArray();
  for (const v1::Model& model : models.data()) WriteModel(model, json);
  json.EndArray();
  json.EndObject();
  return out;
}

std::string RenderUsage(const v1::GetUsageResponse& usage) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  WriteTotals(usage, json);
  json.Member("currency", usage.currency());
  json.Key("groups");
  json.BeginArray();
  for (const v1::UsageGroup& group : usage.groups()) WriteGroup(group, json);
  json.EndArray();
  json.EndObject();
  return out;
}

std::string RenderPlan(const RoutePlan& plan) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  if (!plan.targets.empty()) WriteTarget(plan.targets.front(), json);
  json.Member("task_type", plan.task_type);
  json.Member("task_source", plan.task_source);
  json.Member("reason", plan.reason);
  json.Member("config_version", plan.config_version);
  json.Member("variant", plan.variant);
  json.Key("candidates");
  json.BeginArray();
  for (const RouteTarget& target : plan.targets) {
    json.BeginObject();
    WriteTarget(target, json);
    json.Member("tier", target.fallback() ? "fallback" : "primary");
    json.Member("reason", ReasonOf(plan, target));
    json.EndObject();
  }
  json.EndArray();
  json.Key("excluded");
  json.BeginArray();
  for (const std::string& why : plan.excluded) json.String(why);
  json.EndArray();
  json.EndObject();
  return out;
}

std::string RenderCreatedKey(const v1::CreateKeyResponse& created) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.Key("key");
  WriteKey(created.key(), json);
  json.Member("secret", created.secret());
  json.EndObject();
  return out;
}

std::string RenderKeys(const v1::ListKeysResponse& keys) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.Key("keys");
  json.BeginArray();
  for (const v1::VirtualKey& key : keys.keys()) WriteKey(key, json);
  json.EndArray();
  json.EndObject();
  return out;
}

std::string RenderRevokedKey(const v1::RevokeKeyResponse& revoked) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.Key("key");
  WriteKey(revoked.key(), json);
  json.EndObject();
  return out;
}

}  // namespace llm::server
