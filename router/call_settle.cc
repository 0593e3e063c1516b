// The end of a call: rows first, then the last bytes.
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/json_writer.h"
#include "adapters/core/text.h"
#include "router/call.h"
#include "router/call_identity.h"
#include "router/wire_usage.h"

namespace llm {
namespace {

// The caller's error knows whose call it was, also where it was refused
// before there was an attempt.
absl::Status WithCallFacts(const absl::Status& status,
                           std::string_view request_id, int attempts) {
  v1::UpstreamError detail = CallErrorDetail(status);
  detail.set_request_id(std::string(request_id));
  detail.set_attempts(attempts);
  return MakeCallError(status.code(), std::move(detail));
}

// In the order of names, so that equal metadata gives equal rows; what a
// caller sends beyond the bounds is not recorded.
std::string MetadataJson(const v1::ChatCompletionRequest& request) {
  const std::map<std::string, std::string> pairs(request.metadata().begin(),
                                                 request.metadata().end());
  if (pairs.empty()) return {};
  std::string json;
  JsonWriter writer(&json);
  writer.BeginObject();
  size_t written = 0;
  for (const auto& [name, value] : pairs) {
    if (written == kMaxMetadata) break;
    if (name.size() > kMaxMetadataName) continue;
    // A cut may split a character; cleaning mends it.
    std::string clean_name = name;
    std::string clean_value = value.substr(0, kMaxMetadataValue);
    ReplaceInvalidUtf8(&clean_name);
    ReplaceInvalidUtf8(&clean_value);
    writer.Member(clean_name, clean_value);
    ++written;
  }
  writer.EndObject();
  return json;
}

}  // namespace

std::string Router::Call::Reason() const {
  std::string reason = plan_.reason;
  if (embed_ != nullptr && embed_->cached() > 0) {
    absl::StrAppend(&reason, "; ", embed_->cached(), " of ", embed_->inputs(),
                    " inputs were remembered");
  }
  if (failed_.empty()) return reason;
  absl::StrAppend(&reason,
                  winner_ == nullptr ? "; nobody answered" : "; answered by ",
                  winner_ == nullptr ? "" : winner_->deployment->id, " after ",
                  failed_.size(), " failed: ");
  for (size_t i = 0; i < failed_.size(); ++i) {
    absl::StrAppend(&reason, i == 0 ? "" : ", ", failed_[i].provider.value, " ",
                    ToAbsl(FailureClassName(failed_[i].failure.failure)));
  }
  return reason;
}

v1::ServiceInfo Router::Call::Info() const {
  v1::ServiceInfo info;
  info.set_request_id(context_.call_id.value);
  const RouteTarget* target = winner_;
  if (target != nullptr) {
    info.set_model(target->public_model().value);
    info.set_provider(target->deployment->provider.value);
  } else if (asked_ != nullptr) {
    // Nobody answered; who was asked last is what can be said.
    info.set_model(asked_->public_model().value);
    info.set_provider(asked_->deployment->provider.value);
  }
  info.set_task_type(plan_.task_type);
  info.set_attempts(dispatched_);
  info.set_reason(Reason());
  const auto cost = totals_.SingleCost();
  if (cost) *info.mutable_cost() = *cost;
  info.set_usage_source(std::string(
      WireUsageSource(answer_ ? answer_->usage_source : totals_.usage_source)));
  if (reasoning_exhausted_) info.set_warning("reasoning_exhausted_output");
  if (answer_) {
    for (const std::string& field : answer_->dropped) info.add_dropped(field);
  }
  if (embed_ != nullptr) {
    info.set_cached_inputs(embed_->cached());
    if (winner_ != nullptr && !answer_) {
      // Nobody was asked, so this is known.
      info.mutable_cost()->set_amount(FormatPico(0));
      info.mutable_cost()->set_currency(parts_.table->compare_currency);
    }
  }
  info.set_overhead_us(absl::ToInt64Microseconds(Overhead()));
  return info;
}

RequestRecord Router::Call::DescribeRequest(const absl::Status& status) const {
  RequestRecord record;
  record.identity = identity_;
  record.started = context_.received_wall;
  record.duration = parts_.clock->Monotonic() - context_.received;
  record.outcome = status.ok() ? "ok" : CallErrorDetail(status).code();
  record.http_status = CallErrorHttpStatus(status);
  record.requested_model = ModelId{request_.message.model()};
  if (winner_ != nullptr) {
    record.public_model = winner_->public_model();
    record.provider = winner_->deployment->provider;
  }
  record.attempts = dispatched_;
  record.stream = sink_ != nullptr;
  record.usage = totals_.usage;
  record.usage_source = totals_.usage_source;
  record.cost = totals_.cost;
  record.unpriced = totals_.unpriced;
  record.config_version = plan_.config_version.empty() ? parts_.table->version
                                                       : plan_.config_version;
  record.reason = Reason();
  record.metadata_json = MetadataJson(request_.message);
  record.queued = queued_;
  return record;
}

Task<CallResult> Router::Call::Settle(absl::Status status) {
  if (!status.ok()) {
    status = WithCallFacts(status, context_.call_id.value, dispatched_);
  }
  RequestRecord record = DescribeRequest(status);
  std::vector<LedgerEntry> entries;
  entries.reserve(unwritten_.size() + 1);
  for (AttemptRecord& last : unwritten_) {
    // Nothing followed after all: the caller left or the journal was full.
    last.next = "stop";
    entries.emplace_back(std::move(last));
  }
  entries.emplace_back(record);
  const absl::Status kept = co_await Append(std::move(entries));
  if (!kept.ok() && status.ok()) {
    // Better no answer than one that nobody can account for.
    status =
        WithCallFacts(RefuseCall(absl::StatusCode::kUnavailable, "overloaded",
                                 "The usage journal is full; try again later"),
                      context_.call_id.value, dispatched_);
    record.outcome = CallErrorDetail(status).code();
    record.http_status = CallErrorHttpStatus(status);
  }
  if (reservation_ != nullptr) reservation_->Settle(record);
  CallResult result;
  result.info = Info();
  result.committed = sink_ != nullptr && gate_.committed();
  result.status = std::move(status);
  if (result.status.ok()) result.status = co_await Deliver(&result);
  parts_.observer->OnCallFinished(record, Overhead());
  co_return result;
}

Task<absl::Status> Router::Call::Deliver(CallResult* result) {
  if (embed_ != nullptr) {
    result->response.emplace();
    const auto used = ToWireUsage(embed_->usage());
    if (used) *result->response->mutable_usage() = *used;
    co_return absl::OkStatus();
  }
  const auto usage = ToWireUsage(answer_->usage);
  if (shaper_ != nullptr) {
    const Instant before = parts_.clock->Monotonic();
    absl::Status status = co_await shaper_->Finish(result->info, usage);
    away_ += parts_.clock->Monotonic() - before;
    co_return status;
  }
  v1::ChatCompletionResponse& response = *response_;
  response.set_id(absl::StrCat("chatcmpl-", context_.call_id.value));
  response.set_object("chat.completion");
  response.set_created(absl::ToUnixSeconds(context_.received_wall));
  response.set_model(winner_->public_model().value);
  if (usage) *response.mutable_usage() = *usage;
  *response.mutable_llm_service() = result->info;
  result->response = std::move(response_);
  co_return absl::OkStatus();
}

}  // namespace llm
