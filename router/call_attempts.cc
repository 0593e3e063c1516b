// One round of the loop: dispatch, run, meter, judge.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "router/call.h"

namespace llm {
namespace {

// A rate limit is the key's: the deployment is out only when all keys are.
void ReportWithKey(const Deployment& deployment,
                   const std::vector<ApiKey>& keys, size_t key,
                   HealthReport report, HealthBoard& health) {
  const bool limited = report.failure == FailureClass::kRateLimited;
  HealthReport of_key = report;
  // With one key its limit is the deployment's; other models may go on soon.
  if (limited && keys.size() < 2) of_key.retry_after.reset();
  health.ReportKey(deployment.provider.value, keys[key], of_key);
  if (limited && keys.size() > 1) {
    const auto out =
        health.KeysOutUntil(deployment.provider.value, keys, report.now);
    if (!out) return;
    report.retry_after = *out - report.now;
  }
  health.Report(deployment.id, report);
}

}  // namespace

AttemptIntent Router::Call::IntentFor(const NextAttempt& next) const {
  const RouteTarget& target = plan_.targets[next.target];
  AttemptIntent intent;
  intent.attempt_id =
      AttemptId{MintUuidV7(parts_.clock->WallNow(), *parts_.random)};
  intent.identity = identity_;
  intent.role = context_.probe == nullptr ? next.role : AttemptRole::kProbe;
  intent.ordinal = begun_;
  intent.provider = target.deployment.provider;
  intent.deployment = target.deployment.id;
  intent.public_model = target.public_model;
  intent.upstream_model = target.deployment.upstream_model;
  intent.started = parts_.clock->WallNow();
  return intent;
}

const ProviderSettings* Router::Call::SettingsOf(
    const NextAttempt& next) const {
  const auto it = parts_.table->providers.find(
      plan_.targets[next.target].deployment.provider.value);
  return it == parts_.table->providers.end() ? nullptr : &it->second;
}

std::optional<InFlightBoard::Lease> Router::Call::Place(
    const NextAttempt& next) const {
  const ProviderSettings* settings = SettingsOf(next);
  const int limit = settings == nullptr ? ProviderSettings{}.max_in_flight
                                        : settings->max_in_flight;
  return parts_.health->in_flight().Take(
      plan_.targets[next.target].deployment.provider.value, limit);
}

Task<absl::Status> Router::Call::Begin(const NextAttempt& next,
                                       Running* attempt) {
  const RouteTarget& target = plan_.targets[next.target];
  // The plan has checked this; it is checked again where it counts [SEC-2].
  if (!KeyAllows(*parts_.table, context_.caller.allowed_models,
                 target.public_model.value)) {
    co_return RefuseCall(absl::StatusCode::kPermissionDenied,
                         "model_not_allowed", "This key may not use the model",
                         "model");
  }
  AttemptIntent intent = IntentFor(next);
  std::vector<LedgerEntry> entries;
  for (const AttemptRecord& record : unwritten_) entries.emplace_back(record);
  entries.emplace_back(intent);
  const absl::Status kept = co_await Append(std::move(entries));
  if (!kept.ok()) {
    co_return RefuseCall(absl::StatusCode::kUnavailable, "overloaded",
                         "The usage journal is full; try again later");
  }
  if (!unwritten_.empty() && next.role == AttemptRole::kFallback) {
    parts_.observer->OnFallback(unwritten_.back(), intent);
  }
  unwritten_.clear();
  attempt->next = next;
  attempt->target = &target;
  attempt->intent = std::move(intent);
  asked_ = &target;
  ++begun_;
  co_return absl::OkStatus();
}

AttemptContext Router::Call::ContextFor(const Running& attempt) const {
  const NextAttempt& next = attempt.next;
  const RouteTarget& target = *attempt.target;
  AttemptContext context;
  context.attempt_id = attempt.intent.attempt_id;
  context.provider = target.deployment.provider;
  context.upstream_model = target.deployment.upstream_model;
  context.traits = target.traits;
  context.reasoning = target.deployment.reasoning;
  context.deadlines = DeadlinesOf(TimeoutsOf(*parts_.table, target),
                                  context_.received, caller_deadline_);
  context.strict = context_.strict || request_.message.strict();
  context.stream = sink_ != nullptr;
  context.fresh_connection = next.fresh_connection;
  const ProviderSettings* settings = SettingsOf(next);
  if (settings != nullptr && next.key >= 0) {
    context.api_key = settings->api_keys[static_cast<size_t>(next.key)];
  }
  return context;
}

AttemptSink::Options Router::Call::SinkOptions(Running& attempt) {
  AttemptSink::Options options;
  options.attempt = attempt.intent.ordinal;
  options.gate = &gate_;
  options.clock = parts_.clock;
  options.shaper = shaper_.get();
  options.on_commit = [this, &attempt] {
    winner_ = attempt.target;
    if (shaper_ != nullptr) {
      shaper_->SetModel(winner_->public_model.value);
    }
    if (sink_ == nullptr) return;
    // The attempt that answers counts once it is over; its caller hears now.
    v1::ServiceInfo known = Info();
    known.set_attempts(dispatched_ + 1);
    sink_->OnCommit(known);
  };
  options.on_first_content = [this, &attempt] {
    attempt.first_content = parts_.clock->Monotonic() - attempt.began;
    parts_.observer->OnFirstContent(attempt.intent, *attempt.first_content);
  };
  return options;
}

Task<void> Router::Call::RunOne(Running& attempt) {
  const AttemptContext context = ContextFor(attempt);
  const auto provider =
      parts_.providers.find(attempt.target->deployment.provider.value);
  Provider* const to =
      provider == parts_.providers.end() ? nullptr : provider->second.get();
  attempt.began = parts_.clock->Monotonic();
  AttemptSink sink(SinkOptions(attempt));
  parts_.observer->OnAttemptStarted(attempt.intent);
  attempt.result = NeverDispatched();
  // Who left while the intent was written must not be billed for.
  if (!caller_left_) {
    attempt.result = co_await RunAttempt(to, request_, context, sink);
  }
  co_await CallerLeft();
  if (attempt.result.dispatched) ++dispatched_;
  attempt.record = DescribeAttempt(attempt.intent, attempt.result,
                                   sink_ != nullptr && sink.committed());
  attempt.record.time_to_first_content = attempt.first_content;
  attempt.record.reason = attempt.next.reason;
  Meter(sink, &attempt);
  ReportHealth(attempt);
  if (context_.probe != nullptr) {
    context_.probe->record = attempt.record;
    context_.probe->failure = attempt.result.failure;
  }
  Judge(sink, &attempt);
}

void Router::Call::Meter(const AttemptSink& sink, Running* attempt) {
  AttemptRecord& record = attempt->record;
  record.duration = parts_.clock->Monotonic() - attempt->began;
  // The transport's time is the upstream's; what the dialect takes around it
  // and what the sink takes inside it, but for waiting on the caller, is ours.
  absl::Duration upstream = record.duration;
  if (attempt->result.timings.total > absl::ZeroDuration()) {
    upstream = std::min(upstream, attempt->result.timings.total);
  }
  away_ += std::max(upstream - (sink.busy() - sink.caller_wait()),
                    absl::ZeroDuration());
  MeterInput input;
  input.table = parts_.table.get();
  input.target = attempt->target;
  input.result = &attempt->result;
  input.estimated_input_tokens = estimated_input_;
  input.estimated_output_tokens = sink.estimated_output_tokens();
  input.content_seen = sink.content_seen();
  input.at = context_.received_wall;
  MeterAttempt(input, &record);
  totals_.Add(record);
  parts_.observer->OnAttemptFinished(record);
}

void Router::Call::ReportHealth(const Running& attempt) {
  const AttemptResult& result = attempt.result;
  if (!result.dispatched) return;
  HealthReport report;
  report.now = parts_.clock->Monotonic();
  report.started = attempt.began;
  report.retry_after = result.failure.retry_after;
  if (!result.status.ok()) report.failure = result.failure.failure;
  // A deadline that the caller set says nothing about the deployment.
  if (report.failure == FailureClass::kTimeout &&
      report.now >= caller_deadline_) {
    return;
  }
  // A repeat on a fresh connection follows; the dead one was no failure.
  if (result.stale_connection && !stale_spent_) return;
  const Deployment& deployment = attempt.target->deployment;
  const ProviderSettings* settings = SettingsOf(attempt.next);
  if (settings == nullptr || attempt.next.key < 0) {
    parts_.health->Report(deployment.id, report);
  } else {
    ReportWithKey(deployment, settings->api_keys,
                  static_cast<size_t>(attempt.next.key), report,
                  *parts_.health);
  }
}

void Router::Call::Judge(AttemptSink& sink, Running* attempt) {
  const AttemptResult& result = attempt->result;
  if (result.status.ok()) {
    Win(*attempt, sink);
    return;
  }
  // Who lost to another attempt was cancelled too, but nobody has left.
  if (result.failure.failure == FailureClass::kCancelled &&
      !gate_.LostBy(attempt->intent.ordinal)) {
    caller_left_ = true;
  }
  if (!result.dispatched) policy_->NotSent();
  FailedTry& failed = attempt->failed;
  failed.facts.failure = result.failure.failure;
  failed.facts.content_committed = sink.committed();
  failed.facts.stale_connection = result.stale_connection && !stale_spent_;
  if (result.stale_connection) stale_spent_ = true;
  failed.retry_after = result.failure.retry_after;
  const Deployment& deployment = attempt->target->deployment;
  FailedAttempt told{result.failure, deployment.provider};
  // A provider that named no time: ours, for the caller's Retry-After.
  const Instant now = parts_.clock->Monotonic();
  const auto back = parts_.health->CoolingUntil(deployment.id, now);
  if (failed.facts.failure == FailureClass::kRateLimited && back &&
      !told.failure.retry_after) {
    told.failure.retry_after = *back - now;
  }
  failed_.push_back(std::move(told));
}

void Router::Call::Win(const Running& attempt, AttemptSink& sink) {
  answer_ = attempt.record;
  unwritten_.push_back(attempt.record);
  reasoning_exhausted_ = attempt.result.reasoning_exhausted;
  if (sink_ == nullptr) response_ = sink.TakeResponse();
  RememberDeployment(conversation_, sink.tool_call_ids(),
                     StickyName(*attempt.target), *parts_.conversations);
}

}  // namespace llm
