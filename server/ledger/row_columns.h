// The columns of attempts and requests, each written once: a NameList makes
// the SQL of them, a RowBinder the parameters, in the same order.
#ifndef LLM_SERVER_LEDGER_ROW_COLUMNS_H_
#define LLM_SERVER_LEDGER_ROW_COLUMNS_H_

#include <string>
#include <string_view>

#include "absl/strings/str_join.h"
#include "router/usage_ledger.h"

namespace llm::server {

inline std::string_view UsageSourceText(UsageSource source) {
  switch (source) {
    case UsageSource::kNone:
      return "none";
    case UsageSource::kProvider:
      return "provider";
    case UsageSource::kPartial:
      return "partial";
    case UsageSource::kEstimated:
      return "estimated";
  }
  return "none";
}

inline std::string_view RoleText(AttemptRole role) {
  switch (role) {
    case AttemptRole::kPrimary:
      return "primary";
    case AttemptRole::kRetry:
      return "retry";
    case AttemptRole::kFallback:
      return "fallback";
    case AttemptRole::kHedge:
      return "hedge";
    case AttemptRole::kShadow:
      return "shadow";
    case AttemptRole::kProbe:
      return "probe";
  }
  return "primary";
}

template <typename Row>
void IdentityColumns(Row& row, const CallIdentity& v) {
  row("org", v.org), row("team", v.team), row("user", v.user);
  row("end_user", v.end_user), row("key_id", v.key_id.value);
  row("run_id", v.run_id), row("agent", v.agent);
  row("task_type", v.task_type), row("task_source", v.task_source);
  row("symbol", v.symbol), row("trace_id", v.trace_id);
  row("variant", v.variant), row("door", v.door);
}

template <typename Row>
void UsageColumns(Row& row, const TokenUsage& v, UsageSource source) {
  row("fresh_input", v.fresh_input), row("cache_read", v.cache_read);
  row("cache_write_5m", v.cache_write_5m);
  row("cache_write_1h", v.cache_write_1h);
  row("cache_read_explicit", v.cache_read_explicit);
  row("output", v.output), row("reasoning", v.reasoning);
  row("audio_input", v.audio_input);
  row("audio_cache_read", v.audio_cache_read);
  row("audio_output", v.audio_output), row("image_input", v.image_input);
  row("accepted_prediction", v.accepted_prediction);
  row("rejected_prediction", v.rejected_prediction);
  row("service_tier", v.service_tier), row("reported_cost", v.reported_cost);
  row("usage_source", UsageSourceText(source));
  row("video_input", v.video_input), row("web_searches", v.web_searches);
  row("geo", v.geo);
}

template <typename Row>
void IntentColumns(Row& row, const AttemptIntent& v) {
  row("attempt_id", v.attempt_id.value);
  row("request_id", v.identity.request_id.value);
  IdentityColumns(row, v.identity);
  row("role", RoleText(v.role)), row("ordinal", v.ordinal);
  row("provider", v.provider.value), row("deployment", v.deployment);
  row("public_model", v.public_model.value);
  row("upstream_model", v.upstream_model.value);
  row("started_us", v.started);
}

template <typename Row>
void AttemptColumns(Row& row, const AttemptRecord& v) {
  IntentColumns(row, v.intent);
  row("duration_us", v.duration);
  row("first_content_us", v.time_to_first_content);
  row("outcome", v.outcome), row("http_status", v.http_status);
  row("upstream_code", v.upstream_code);
  row("served_model", v.served_model.value);
  row("provider_request_id", v.provider_request_id);
  UsageColumns(row, v.usage, v.usage_source);
  row("raw_usage", v.raw_usage_json);
  std::optional<int64_t> pico;
  std::optional<std::string_view> currency;
  if (v.cost) {
    pico = v.cost->pico;
    currency = v.cost->currency.code;
  }
  row("cost_pico", pico), row("currency", currency);
  row("price_status", v.price_status), row("price_version", v.price_version);
  row("price_degraded", v.price_degraded);
  row("reason", v.reason), row("next", v.next);
  row("dropped", absl::StrJoin(v.dropped, ","));
  row("streamed_upstream", v.streamed_upstream);
}

template <typename Row>
void RequestColumns(Row& row, const RequestRecord& v) {
  row("request_id", v.identity.request_id.value);
  IdentityColumns(row, v.identity);
  row("started_us", v.started), row("duration_us", v.duration);
  row("outcome", v.outcome), row("http_status", v.http_status);
  row("requested_model", v.requested_model.value);
  row("public_model", v.public_model.value);
  row("provider", v.provider.value);
  row("attempts", v.attempts), row("stream", v.stream);
  UsageColumns(row, v.usage, v.usage_source);
  // The amounts are the attempts'; a report needs to know which currencies.
  row("currencies",
      absl::StrJoin(v.cost, ",", [](std::string* out, const Money& money) {
        out->append(money.currency.code);
      }));
  row("unpriced", v.unpriced), row("config_version", v.config_version);
  row("reason", v.reason), row("metadata_json", v.metadata_json);
  row("client_request_id", v.identity.client_request_id);
}

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_ROW_COLUMNS_H_
