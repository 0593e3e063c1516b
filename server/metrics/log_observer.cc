#include "server/metrics/log_observer.h"

#include <spdlog/logger.h>

#include "adapters/core/json.h"

namespace llm::server {
namespace {

// Callers may send long names; a line stays a line.
constexpr size_t kMaxValue = 200;
// A reason names candidates; it is ours but for a model that a caller named.
constexpr size_t kMaxReason = 600;

void Add(std::string_view name, std::string_view text, JsonWriter* json) {
  if (!text.empty()) json->Member(name, text.substr(0, kMaxValue));
}

void AddCount(std::string_view name, const std::optional<TokenCount>& count,
              JsonWriter* json) {
  if (count.has_value()) json->MemberInt(name, *count);
}

void AddIdentity(const CallIdentity& identity, JsonWriter* json) {
  Add("request_id", identity.request_id.value, json);
  Add("door", identity.door, json);
  Add("key_id", identity.key_id.value, json);
  Add("org", identity.org, json);
  Add("run_id", identity.run_id, json);
  Add("agent", identity.agent, json);
  Add("task_type", identity.task_type, json);
  Add("trace_id", identity.trace_id, json);
  Add("client_request_id", identity.client_request_id, json);
}

void AddUsage(const RequestRecord& record, JsonWriter* json) {
  AddCount("input_tokens", record.usage.TotalInput(), json);
  AddCount("cached_tokens", record.usage.cache_read, json);
  AddCount("output_tokens", record.usage.output, json);
  AddCount("reasoning_tokens", record.usage.reasoning, json);
  json->Key("cost");
  json->BeginObject();
  for (const Money& money : record.cost) {
    json->Member(money.currency.code, FormatPico(money.pico));
  }
  json->EndObject();
  if (record.unpriced) {
    json->Key("unpriced");
    json->Bool(true);
  }
}

}  // namespace

std::string RequestLogLine(const RequestRecord& record,
                           const absl::Duration* first_content,
                           absl::Duration overhead) {
  std::string line;
  JsonWriter json(&line);
  json.BeginObject();
  json.Member("event", "request");
  AddIdentity(record.identity, &json);
  Add("requested_model", record.requested_model.value, &json);
  Add("model", record.public_model.value, &json);
  Add("provider", record.provider.value, &json);
  json.MemberInt("attempts", record.attempts);
  json.MemberInt("status", record.http_status);
  Add("outcome", record.outcome, &json);
  json.Member("reason", std::string_view(record.reason).substr(0, kMaxReason));
  json.Key("stream");
  json.Bool(record.stream);
  json.MemberInt("duration_ms", absl::ToInt64Milliseconds(record.duration));
  if (first_content != nullptr) {
    json.MemberInt("ttft_ms", absl::ToInt64Milliseconds(*first_content));
  }
  if (record.queued > absl::ZeroDuration()) {
    json.MemberInt("queue_ms", absl::ToInt64Milliseconds(record.queued));
  }
  AddUsage(record, &json);
  json.MemberInt("overhead_us", absl::ToInt64Microseconds(overhead));
  Add("config_version", record.config_version, &json);
  json.EndObject();
  return line;
}

void LogObserver::OnFirstContent(const AttemptIntent& intent,
                                 absl::Duration since_dispatch) {
  first_content_.try_emplace(intent.identity.request_id.value, since_dispatch);
}

void LogObserver::OnCallFinished(const RequestRecord& record,
                                 absl::Duration overhead) {
  const auto it = first_content_.find(record.identity.request_id.value);
  const bool known = it != first_content_.end();
  if (logger_->should_log(spdlog::level::info)) {
    logger_->info(
        "{}", RequestLogLine(record, known ? &it->second : nullptr, overhead));
  }
  if (known) first_content_.erase(it);
}

std::string ReplayLogLine(const ReplayedCall& call) {
  std::string line;
  JsonWriter json(&line);
  json.BeginObject();
  json.Member("event", "replay");
  Add("request_id", call.request_id, &json);
  Add("replay_of", call.replay_of, &json);
  Add("door", call.door, &json);
  Add("key_id", call.key_id, &json);
  Add("client_request_id", call.client_request_id, &json);
  json.MemberInt("status", call.http_status);
  Add("outcome", call.code, &json);
  json.EndObject();
  return line;
}

std::string RefusalLogLine(const RefusedCall& refused) {
  std::string line;
  JsonWriter json(&line);
  json.BeginObject();
  json.Member("event", "refused");
  Add("request_id", refused.request_id, &json);
  Add("door", refused.door, &json);
  Add("key_id", refused.key_id, &json);
  Add("trace_id", refused.trace_id, &json);
  Add("client_request_id", refused.client_request_id, &json);
  json.MemberInt("status", refused.http_status);
  Add("outcome", refused.code, &json);
  json.EndObject();
  return line;
}

std::string KeyLogLine(std::string_view event, std::string_view key_id,
                       std::string_view name) {
  std::string line;
  JsonWriter json(&line);
  json.BeginObject();
  json.Member("event", event);
  Add("key_id", key_id, &json);
  Add("name", name, &json);
  json.EndObject();
  return line;
}

void LogObserver::OnReplayed(const ReplayedCall& call) {
  if (logger_->should_log(spdlog::level::info)) {
    logger_->info("{}", ReplayLogLine(call));
  }
}

void LogObserver::OnRefused(const RefusedCall& refused) {
  if (logger_->should_log(spdlog::level::info)) {
    logger_->info("{}", RefusalLogLine(refused));
  }
}

}  // namespace llm::server
