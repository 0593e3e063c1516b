// One round of the loop: dispatch, run, meter, judge.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "router/call.h"

namespace llm {

AttemptIntent Router::Call::IntentFor(const NextAttempt& next) const {
  const RouteTarget& target = plan_.targets[next.target];
  AttemptIntent intent;
  intent.attempt_id =
      AttemptId{MintUuidV7(parts_.clock->WallNow(), *parts_.random)};
  intent.identity = identity_;
  intent.role = next.role;
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

Task<absl::Status> Router::Call::Begin(const NextAttempt& next) {
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
  if (unwritten_) entries.emplace_back(*unwritten_);
  entries.emplace_back(intent);
  const absl::Status kept = co_await Append(std::move(entries));
  if (!kept.ok()) {
    co_return RefuseCall(absl::StatusCode::kUnavailable, "overloaded",
                         "The usage journal is full; try again later");
  }
  if (unwritten_ && next.role == AttemptRole::kFallback) {
    parts_.observer->OnFallback(*unwritten_, intent);
  }
  unwritten_.reset();
  intent_ = std::move(intent);
  ++begun_;
  co_return absl::OkStatus();
}

AttemptContext Router::Call::ContextFor(const NextAttempt& next) const {
  const RouteTarget& target = plan_.targets[next.target];
  AttemptContext context;
  context.attempt_id = intent_.attempt_id;
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

AttemptSink::Options Router::Call::SinkOptions(const RouteTarget& target) {
  AttemptSink::Options options;
  options.attempt = intent_.ordinal;
  options.gate = &gate_;
  options.clock = parts_.clock;
  options.shaper = shaper_.get();
  options.on_commit = [this, &target] {
    winner_ = &target;
    if (shaper_ != nullptr) shaper_->SetModel(target.public_model.value);
  };
  return options;
}

Task<void> Router::Call::RunOne(const NextAttempt& next) {
  const RouteTarget& target = plan_.targets[next.target];
  const AttemptContext context = ContextFor(next);
  const auto provider = parts_.providers.find(target.deployment.provider.value);
  Provider* const to =
      provider == parts_.providers.end() ? nullptr : provider->second.get();
  const Instant began = parts_.clock->Monotonic();
  std::optional<absl::Duration> first_content;
  AttemptSink::Options options = SinkOptions(target);
  options.on_first_content = [this, began, &first_content] {
    first_content = parts_.clock->Monotonic() - began;
    parts_.observer->OnFirstContent(intent_, *first_content);
  };
  AttemptSink sink(std::move(options));
  parts_.observer->OnAttemptStarted(intent_);
  AttemptResult result = NeverDispatched();
  // Who left while the intent was written must not be billed for.
  if (!caller_left_) {
    result = co_await RunAttempt(to, request_, context, sink);
  }
  co_await CallerLeft();
  if (result.dispatched) ++dispatched_;
  unwritten_ =
      DescribeAttempt(intent_, result, sink_ != nullptr && sink.committed());
  unwritten_->time_to_first_content = first_content;
  unwritten_->reason = next.reason;
  Meter(next, result, sink, began);
  ReportHealth(next, result, began);
  Judge(next, result, sink);
}

void Router::Call::Meter(const NextAttempt& next, const AttemptResult& result,
                         const AttemptSink& sink, Instant began) {
  unwritten_->duration = parts_.clock->Monotonic() - began;
  // The transport's time is the upstream's; what the dialect takes around it
  // and what the sink takes inside it, but for waiting on the caller, is ours.
  absl::Duration upstream = unwritten_->duration;
  if (result.timings.total > absl::ZeroDuration()) {
    upstream = std::min(upstream, result.timings.total);
  }
  away_ += std::max(upstream - (sink.busy() - sink.caller_wait()),
                    absl::ZeroDuration());
  MeterInput input;
  input.table = parts_.table.get();
  input.target = &plan_.targets[next.target];
  input.result = &result;
  input.estimated_input_tokens = estimated_input_;
  input.estimated_output_tokens = sink.estimated_output_tokens();
  input.content_seen = sink.content_seen();
  input.at = context_.received_wall;
  MeterAttempt(input, &*unwritten_);
  totals_.Add(*unwritten_);
  parts_.observer->OnAttemptFinished(*unwritten_);
}

void Router::Call::ReportHealth(const NextAttempt& next,
                                const AttemptResult& result, Instant began) {
  if (!result.dispatched) return;
  HealthReport report;
  report.now = parts_.clock->Monotonic();
  report.started = began;
  report.retry_after = result.failure.retry_after;
  if (!result.status.ok()) report.failure = result.failure.failure;
  // A deadline that the caller set says nothing about the deployment.
  if (report.failure == FailureClass::kTimeout &&
      report.now >= caller_deadline_) {
    return;
  }
  // A repeat on a fresh connection follows; the dead one was no failure.
  if (result.stale_connection && !stale_spent_) return;
  HealthBoard& health = *parts_.health;
  const Deployment& deployment = plan_.targets[next.target].deployment;
  const ProviderSettings* settings = SettingsOf(next);
  if (settings == nullptr || next.key < 0) {
    health.Report(deployment.id, report);
    return;
  }
  const auto& keys = settings->api_keys;
  const bool limited = report.failure == FailureClass::kRateLimited;
  HealthReport of_key = report;
  // With one key its limit is the deployment's; other models may go on soon.
  if (limited && keys.size() < 2) of_key.retry_after.reset();
  health.ReportKey(deployment.provider.value,
                   keys[static_cast<size_t>(next.key)], of_key);
  if (limited && keys.size() > 1) {
    // The limit is the key's: the deployment is out only when all keys are.
    const auto out =
        health.KeysOutUntil(deployment.provider.value, keys, report.now);
    if (!out) return;
    report.retry_after = *out - report.now;
  }
  health.Report(deployment.id, report);
}

void Router::Call::Judge(const NextAttempt& next, const AttemptResult& result,
                         AttemptSink& sink) {
  if (result.status.ok()) {
    Win(next, result, sink);
    return;
  }
  if (result.failure.failure == FailureClass::kCancelled) caller_left_ = true;
  if (!result.dispatched) policy_->NotSent();
  FailedTry failed;
  failed.facts.failure = result.failure.failure;
  failed.facts.content_committed = sink.committed();
  failed.facts.stale_connection = result.stale_connection && !stale_spent_;
  if (result.stale_connection) stale_spent_ = true;
  failed.retry_after = result.failure.retry_after;
  failed_try_ = failed;
  const Deployment& deployment = plan_.targets[next.target].deployment;
  FailedAttempt attempt{result.failure, deployment.provider};
  // A provider that named no time: ours, for the caller's Retry-After.
  const Instant now = parts_.clock->Monotonic();
  const auto back = parts_.health->CoolingUntil(deployment.id, now);
  if (failed.facts.failure == FailureClass::kRateLimited && back &&
      !attempt.failure.retry_after) {
    attempt.failure.retry_after = *back - now;
  }
  failed_.push_back(std::move(attempt));
}

void Router::Call::Win(const NextAttempt& next, const AttemptResult& result,
                       AttemptSink& sink) {
  const RouteTarget& target = plan_.targets[next.target];
  answer_ = *unwritten_;
  reasoning_exhausted_ = result.reasoning_exhausted;
  if (sink_ == nullptr) response_ = sink.TakeResponse();
  RememberDeployment(conversation_, sink.tool_call_ids(), StickyName(target),
                     *parts_.conversations);
}

}  // namespace llm
