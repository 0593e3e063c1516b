// One round of the loop: dispatch, run, meter, judge.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "router/call.h"
#include "router/kept_turn.h"

namespace llm {

namespace {

// Who had this share of its own total has had its time.
constexpr double kOwnTime = 0.9;

}  // namespace

AttemptIntent Router::Call::IntentFor(const NextAttempt& next) const {
  const RouteTarget& target = plan_.targets[next.target];
  AttemptIntent intent;
  intent.attempt_id =
      AttemptId{MintUuidV7(parts_.clock->WallNow(), *parts_.random)};
  intent.identity = identity_;
  intent.role = context_.probe == nullptr ? next.role : AttemptRole::kProbe;
  intent.ordinal = begun_;
  intent.provider = target.deployment->provider;
  intent.deployment = target.deployment->id;
  intent.public_model = target.public_model();
  intent.upstream_model = target.deployment->upstream_model;
  intent.started = parts_.clock->WallNow();
  return intent;
}

const ProviderSettings* Router::Call::SettingsOf(
    const NextAttempt& next) const {
  const auto it = parts_.table->providers.find(
      plan_.targets[next.target].deployment->provider.value);
  return it == parts_.table->providers.end() ? nullptr : &it->second;
}

BulkheadLimits Router::Call::LimitsOf(const NextAttempt& next) const {
  const ProviderSettings* settings = SettingsOf(next);
  if (settings == nullptr) return {};
  return {settings->max_in_flight, settings->max_queue,
          settings->queue_timeout};
}

void Router::Call::TakePlace(const NextAttempt& next,
                             std::optional<InFlightBoard::Lease>* place) const {
  auto taken = parts_.health->in_flight().Take(
      plan_.targets[next.target].deployment->provider.value,
      LimitsOf(next).max_in_flight);
  if (taken) place->emplace(*std::move(taken));
}

Task<absl::Status> Router::Call::StandInLineFor(
    const NextAttempt& full, std::optional<InFlightBoard::Lease>* place) {
  const RouteTarget& target = plan_.targets[full.target];
  const Instant before = parts_.clock->Monotonic();
  absl::StatusOr<InFlightBoard::Lease> got =
      co_await parts_.health->in_flight().Wait(
          target.deployment->provider.value, LimitsOf(full), priority_,
          *parts_.clock, deadline_);
  const absl::Duration waited = parts_.clock->Monotonic() - before;
  away_ += waited;
  queued_ += waited;
  if (absl::IsCancelled(got.status())) caller_left_ = true;
  parts_.observer->OnQueued(
      {target.deployment->provider, target.public_model(), waited, got.ok()});
  if (got.ok()) place->emplace(*std::move(got));
  co_return got.status();
}

Task<void> Router::Call::StandInLine(
    std::optional<NextAttempt>* next,
    std::optional<InFlightBoard::Lease>* place) {
  for (const NextAttempt& full : std::exchange(full_, {})) {
    const absl::Status stood = co_await StandInLineFor(full, place);
    if (stood.ok()) {
      *next = policy_->AfterRoom(full);
      NoteMove(**next);
      co_return;
    }
    met_full_ = true;
    // Only where the line itself was full is another worth its time.
    if (!absl::IsResourceExhausted(stood)) co_return;
  }
}

Task<absl::Status> Router::Call::Begin(const NextAttempt& next,
                                       Running* attempt) {
  const RouteTarget& target = plan_.targets[next.target];
  // The plan has checked this; it is checked again where it counts [SEC-2].
  if (!KeyAllows(*parts_.table, context_.caller.allowed_models,
                 target.public_model().value)) {
    co_return RefuseCall(absl::StatusCode::kPermissionDenied,
                         "model_not_allowed", "This key may not use the model",
                         "model");
  }
  AttemptIntent intent = IntentFor(next);
  std::vector<LedgerEntry> entries;
  entries.reserve(unwritten_.size() + 1);
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
  context.provider = target.deployment->provider;
  context.upstream_model = target.deployment->upstream_model;
  context.traits = target.traits();
  context.reasoning = target.deployment->reasoning;
  context.deadlines =
      DeadlinesOf(TimeoutsOf(*parts_.table, target), attempt.began, deadline_);
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
  // Who was given no tools calls none, and only turns that do are kept.
  if (parts_.turns != nullptr && request_.message.tools_size() > 0) {
    options.max_turn_bytes = TurnMemoryLimits{}.max_turn_bytes;
  }
  options.on_commit = [this,
                       &attempt](const std::vector<std::string>& dropped) {
    winner_ = attempt.target;
    if (shaper_ != nullptr) {
      shaper_->SetModel(winner_->public_model().value);
    }
    if (sink_ == nullptr) return;
    // The attempt that answers counts once it is over; its caller hears now.
    v1::ServiceInfo known = Info();
    known.set_attempts(dispatched_ + 1);
    known.mutable_dropped()->Assign(dropped.begin(), dropped.end());
    sink_->OnCommit(known);
  };
  options.on_first_content = [this, &attempt] {
    const Instant now = parts_.clock->Monotonic();
    attempt.first_content = now - attempt.began;
    parts_.health->Answering(*attempt.next.pass, *attempt.first_content, now);
    parts_.observer->OnFirstContent(attempt.intent, *attempt.first_content);
  };
  return options;
}

Task<void> Router::Call::RunOne(Running& attempt) {
  attempt.began = parts_.clock->Monotonic();
  const AttemptContext context = ContextFor(attempt);
  const auto provider =
      parts_.providers.find(attempt.target->deployment->provider.value);
  Provider* const to =
      provider == parts_.providers.end() ? nullptr : provider->second.get();
  AttemptSink sink(SinkOptions(attempt));
  parts_.observer->OnAttemptStarted(attempt.intent);
  if (caller_left_) {
    // Who left while the intent was written must not be billed for.
    attempt.result = NeverDispatched();
  } else if (embed_ == nullptr) {
    attempt.result = co_await RunAttempt(to, request_, context, sink);
  } else {
    attempt.result =
        co_await embed_->Attempt(to, context, attempt.target->deployment->id);
  }
  co_await CallerLeft();
  if (attempt.result->dispatched) ++dispatched_;
  attempt.record = std::make_unique<AttemptRecord>(DescribeAttempt(
      attempt.intent, *attempt.result, sink_ != nullptr && sink.committed()));
  attempt.record->time_to_first_content = attempt.first_content;
  attempt.record->reason = attempt.next.reason;
  Meter(sink, &attempt);
  ReportHealth(attempt, sink.caller_failed());
  if (context_.probe != nullptr) {
    context_.probe->record = *attempt.record;
    context_.probe->failure = attempt.result->failure;
  }
  Judge(sink, &attempt);
}

void Router::Call::Meter(const AttemptSink& sink, Running* attempt) {
  AttemptRecord& record = *attempt->record;
  record.duration = parts_.clock->Monotonic() - attempt->began;
  // The transport's time is the upstream's; what the dialect takes around it
  // and what the sink takes inside it, but for waiting on the caller, is ours.
  absl::Duration upstream = record.duration;
  if (attempt->result->timings.total > absl::ZeroDuration()) {
    upstream = std::min(upstream, attempt->result->timings.total);
  }
  away_ += std::max(upstream - (sink.busy() - sink.caller_wait()),
                    absl::ZeroDuration());
  MeterInput input;
  input.table = parts_.table.get();
  input.target = attempt->target;
  input.result = attempt->result.get();
  input.estimated_input_tokens =
      embed_ == nullptr ? estimated_input_ : embed_->estimated_tokens();
  input.estimated_output_tokens = sink.estimated_output_tokens();
  input.content_seen = sink.content_seen();
  input.at = context_.received_wall;
  MeterAttempt(input, &record);
  totals_.Add(record);
  if (embed_ != nullptr) embed_->Count(record);
  parts_.observer->OnAttemptFinished(record);
}

bool Router::Call::CutShort(const Running& attempt) const {
  const Instant now = parts_.clock->Monotonic();
  if (now >= caller_deadline_) return true;
  const absl::Duration own = TimeoutsOf(*parts_.table, *attempt.target).total;
  return now >= deadline_ && now - attempt.began < own * kOwnTime;
}

void Router::Call::ReportHealth(const Running& attempt, bool caller_stuck) {
  const AttemptResult& result = *attempt.result;
  HealthReport report;
  report.now = parts_.clock->Monotonic();
  report.started = attempt.began;
  report.retry_after = result.failure.retry_after;
  report.limits = &result.limits;
  if (!result.status.ok()) report.failure = result.failure.failure;
  // A deadline that the caller set, that others have used up, or that passed
  // while the caller took nothing says little about the deployment.
  report.at_callers_deadline = report.failure == FailureClass::kTimeout &&
                               (caller_stuck || CutShort(attempt));
  const bool silent = !attempt.first_content;
  // A repeat on a fresh connection follows; the dead one was no failure.
  const bool stale = result.stale_connection && !stale_spent_;
  if (result.dispatched && !stale && (silent || !report.at_callers_deadline)) {
    const ProviderSettings* settings = SettingsOf(attempt.next);
    parts_.health->Report(
        *attempt.next.pass,
        settings == nullptr ? absl::Span<const ApiKey>() : settings->api_keys,
        report);
  }
  // Its way in ends here, so that it is no load to those who come next.
  attempt.next.pass->End();
}

void Router::Call::Judge(AttemptSink& sink, Running* attempt) {
  const AttemptResult& result = *attempt->result;
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
  const Deployment& deployment = *attempt->target->deployment;
  FailedAttempt told{result.failure, deployment.provider};
  // A provider that named no time: ours, for the caller's Retry-After.
  const Instant now = parts_.clock->Monotonic();
  const HealthView view =
      parts_.health->View(SubjectOf(*parts_.table, deployment), now);
  if (failed.facts.failure == FailureClass::kRateLimited && !view.ready() &&
      !told.failure.retry_after) {
    told.failure.retry_after = view.back_at - now;
  }
  failed_.push_back(std::move(told));
}

void Router::Call::Win(const Running& attempt, AttemptSink& sink) {
  answer_ = std::make_unique<const Answer>(Answer{attempt.record->usage,
                                                  attempt.record->usage_source,
                                                  attempt.record->dropped});
  unwritten_.push_back(*attempt.record);
  if (embed_ != nullptr) {
    winner_ = attempt.target;
    return;
  }
  reasoning_exhausted_ = attempt.result->reasoning_exhausted;
  if (sink_ == nullptr) response_ = sink.TakeResponse();
  Remember(attempt, sink);
}

void Router::Call::Remember(const Running& attempt, AttemptSink& sink) {
  RememberDeployment(conversation_, sink.tool_call_ids(),
                     StickyName(*attempt.target), *parts_.conversations);
  if (parts_.turns == nullptr) return;
  const std::string& tenant = context_.caller.tenant;
  if (!response_) {
    if (auto turn = sink.TakeTurn()) {
      KeepTurn(tenant, *turn, *parts_.turns);
    }
  } else if (response_->choices_size() > 0) {
    KeepTurn(tenant, response_->choices(0).message(), *parts_.turns);
  }
}

bool Router::Call::AnsweredFromCache() {
  const RouteTarget& target = plan_.targets.front();
  embed_->Recall(context_.caller, target);
  if (!embed_->whole()) return false;
  winner_ = &target;
  return true;
}

}  // namespace llm
