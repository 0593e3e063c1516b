#include "router/call.h"

#include <algorithm>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/status_macros.h"
#include "adapters/core/text.h"
#include "router/call_identity.h"
#include "router/kept_turn.h"

namespace llm {

namespace asio = boost::asio;

namespace {

// Once content has left nobody else is asked, whatever others could do.
absl::Status AfterContent(const absl::Status& status, FailureClass last) {
  v1::UpstreamError detail = CallErrorDetail(status);
  if (detail.code() == "timeout" || detail.source() != "provider") {
    return status;
  }
  detail.set_message(absl::StrCat("The provider broke off its answer: ",
                                  ToAbsl(FailureClassName(last))));
  return MakeCallError(status.code(), std::move(detail));
}

// Whose time it was that was over.
absl::Status WithDeadlineNamed(const absl::Status& status, bool callers) {
  v1::UpstreamError detail = CallErrorDetail(status);
  if (detail.code() != "timeout") return status;
  detail.set_message(
      callers ? "The caller's deadline (x-llm-timeout, the SDK's timeout or "
                "gRPC's deadline) passed before an answer came"
              : "The configured time (timeouts.total of the provider or the "
                "model) passed before an answer came");
  return MakeCallError(status.code(), std::move(detail));
}

}  // namespace

PlanInput PlanInputFor(const RouterParts& parts, const CallContext& context,
                       const ChatRequest& request,
                       const Conversation& conversation,
                       const std::string& sticky_key) {
  PlanInput input;
  input.table = parts.table.get();
  input.index = parts.index.get();
  input.request = &request.message;
  input.path_task = context.path_task;
  input.allowed_models = &context.caller.allowed_models;
  input.sticky_deployment =
      RecallDeployment(conversation, *parts.conversations);
  input.sticky_key = sticky_key;
  input.strict = context.strict || request.message.strict();
  input.health = parts.health;
  input.now = parts.clock->Monotonic();
  input.at = context.received_wall;
  input.random = parts.random;
  return input;
}

Router::Call::Call(const RouterParts& parts, const CallContext& context,
                   const ChatRequest& request, ChunkSink* sink)
    : parts_(parts),
      context_(context),
      restored_(parts.turns == nullptr ? nullptr
                                       : RestoreTurns(context.caller.tenant,
                                                      request, *parts.turns)),
      request_(restored_ ? *restored_ : request),
      sink_(sink),
      identity_(IdentityOf(context, request.message)),
      conversation_(ConversationOf(context.caller.tenant, identity_,
                                   context.path_task, request.message)),
      caller_deadline_(CallerDeadline(context, request.message)),
      deadline_(caller_deadline_) {}

Router::Call::Call(const RouterParts& parts, const CallContext& context,
                   const ChatRequest& request, EmbedJob& job)
    : Call(parts, context, request, nullptr) {
  embed_ = &job;
}

Task<CallResult> Router::Call::Run() {
  // A cancelled call still writes its rows, so an await must come back with
  // kCancelled instead of throwing past them. The flag belongs to the whole
  // coroutine stack, so it is put back.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  absl::Status status = Plan();
  parts_.observer->OnCallStarted(identity_);
  if (status.ok()) status = co_await Admit();
  if (status.ok()) status = co_await Attempts();
  CallResult result = co_await Settle(std::move(status));
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return result;
}

absl::Status Router::Call::Plan() {
  priority_ = context_.priority;
  if (!request_.message.priority().empty()) {
    LLM_ASSIGN_OR_RETURN(
        priority_, ParsePriority(request_.message.priority(), "priority"));
  }
  const std::string sticky_key = StickyKey(conversation_, context_.call_id);
  PlanInput input =
      PlanInputFor(parts_, context_, request_, conversation_, sticky_key);
  if (embed_ != nullptr) input.embed = &embed_->needs();
  auto plan = MakePlan(input);
  if (!plan.ok()) return plan.status();
  plan_ = *std::move(plan);
  identity_.task_type = plan_.task_type;
  identity_.task_source = plan_.task_source;
  identity_.variant = plan_.variant;
  estimated_input_ = plan_.estimated_input_tokens;
  absl::Duration longest = absl::ZeroDuration();
  for (const RouteTarget& target : plan_.targets) {
    longest = std::max(longest, TimeoutsOf(*parts_.table, target).total);
  }
  deadline_ = std::min(deadline_, context_.received + longest);
  if (sink_ != nullptr) {
    shaper_ = std::make_unique<StreamShaper>(
        absl::StrCat("chatcmpl-", context_.call_id.value),
        absl::ToUnixSeconds(context_.received_wall),
        request_.message.stream_options().include_usage(), *sink_);
  }
  return absl::OkStatus();
}

Task<absl::Status> Router::Call::Admit() {
  const WorstCase worst = WorstCaseOf(*parts_.table, plan_, request_.message,
                                      estimated_input_, context_.received_wall);
  LLM_CO_ASSIGN_OR_RETURN(reservation_,
                          co_await parts_.admission->Admit(identity_, worst));
  co_return absl::OkStatus();
}

Task<bool> Router::Call::CallerLeft() {
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) caller_left_ = true;
  co_return caller_left_;
}

Task<absl::Status> Router::Call::Append(std::vector<LedgerEntry> entries) {
  // The append itself is never cut short, but a caller who leaves meanwhile
  // is noticed: the signal is taken in and not passed on.
  co_await CallerLeft();
  co_await asio::this_coro::reset_cancellation_state(
      asio::enable_total_cancellation(), asio::disable_cancellation());
  absl::Status status = co_await parts_.ledger->Append(std::move(entries));
  co_await CallerLeft();
  co_await asio::this_coro::reset_cancellation_state(
      asio::enable_total_cancellation());
  co_return status;
}

Task<void> Router::Call::Wait(absl::Duration wait) {
  const Instant before = parts_.clock->Monotonic();
  const absl::Status woken = co_await parts_.clock->SleepUntil(before + wait);
  away_ += parts_.clock->Monotonic() - before;
  if (!woken.ok()) caller_left_ = true;
}

Task<absl::Status> Router::Call::Attempts() {
  if (embed_ != nullptr && AnsweredFromCache()) co_return absl::OkStatus();
  policy_.emplace(plan_, *parts_.table, *parts_.health, *parts_.random);
  std::optional<NextAttempt> next;
  if (parts_.clock->Monotonic() < deadline_) {
    next = policy_->First(parts_.clock->Monotonic(), deadline_);
  }
  // The next attempt's place, held until it is over.
  std::optional<InFlightBoard::Lease> place;
  while (next) {
    if (next->wait > absl::ZeroDuration()) co_await Wait(next->wait);
    if (co_await CallerLeft()) break;
    if (!place) TakePlace(*next, &place);
    if (!place) {
      full_.push_back(*next);
      next =
          Instead(policy_->InsteadOfFull(parts_.clock->Monotonic(), deadline_));
      if (!next) co_await StandInLine(&next, &place);
      continue;
    }
    // The place first: a breaker's one trial must not stand in a line.
    if (!policy_->Enter(&*next, parts_.clock->Monotonic())) {
      place.reset();
      next = Instead(
          policy_->InsteadOfTaken(parts_.clock->Monotonic(), deadline_));
      continue;
    }
    Running attempt;
    LLM_CO_RETURN_IF_ERROR(co_await Begin(*next, &attempt));
    co_await RunOne(attempt);
    place.reset();
    if (answer_) co_return absl::OkStatus();
    next = AfterFailure(attempt);
    if (!next && MayGoOn(attempt)) co_await StandInLine(&next, &place);
  }
  co_return Failure();
}

std::optional<NextAttempt> Router::Call::AfterFailure(Running& attempt) {
  NextMove move = NextMove::kStop;
  auto next = policy_->AfterFailure(attempt.failed, parts_.clock->Monotonic(),
                                    deadline_, &move);
  if (context_.probe != nullptr) {
    move = NextMove::kStop;
    next.reset();
  }
  attempt.record->next = std::string(NextMoveName(move));
  unwritten_.push_back(std::move(*attempt.record));
  return next;
}

bool Router::Call::MayGoOn(const Running& attempt) const {
  return !caller_left_ &&
         ClassifyFailure(attempt.failed.facts) != NextMove::kStop &&
         policy_->attempts() < parts_.table->policy.max_attempts;
}

std::optional<NextAttempt> Router::Call::Instead(
    std::optional<NextAttempt> next) {
  if (next) NoteMove(*next);
  return next;
}

void Router::Call::NoteMove(const NextAttempt& next) {
  if (unwritten_.empty()) return;
  AttemptRecord& failed = unwritten_.back();
  const bool same =
      plan_.targets[next.target].deployment->id == failed.intent.deployment;
  failed.next = std::string(
      NextMoveName(same ? NextMove::kRetrySame : NextMove::kNextDeployment));
}

absl::Status Router::Call::Failure() {
  if (caller_left_ && context_.service_stopping != nullptr &&
      *context_.service_stopping) {
    return RefuseCall(absl::StatusCode::kUnavailable, "overloaded",
                      "The service is shutting down; try another instance");
  }
  if (caller_left_) {
    v1::UpstreamError detail;
    detail.set_code("client_cancelled");
    detail.set_source("client");
    detail.set_message("The caller left");
    detail.set_no_retry(true);
    return MakeCallError(absl::StatusCode::kCancelled, std::move(detail));
  }
  if (met_full_ && failed_.empty() && parts_.clock->Monotonic() < deadline_) {
    return RefuseCall(absl::StatusCode::kUnavailable, "overloaded",
                      "Every candidate provider has as many calls under way "
                      "and waiting as it may (providers.*.max_in_flight, "
                      "max_queue, queue_timeout); try again later");
  }
  const Instant now = parts_.clock->Monotonic();
  if (failed_.empty() && now < deadline_) {
    const AllOut outage = policy_->Outage(now);
    return ErrorWhenAllOut(outage.all_rate_limited, outage.back_at - now);
  }
  const absl::Status status =
      ErrorAfterAttempts(failed_, now >= deadline_, context_.call_id.value);
  if (sink_ != nullptr && gate_.committed() && !failed_.empty()) {
    return AfterContent(status, failed_.back().failure.failure);
  }
  return WithDeadlineNamed(status, deadline_ == caller_deadline_);
}

absl::Duration Router::Call::Overhead() const {
  const absl::Duration here =
      parts_.clock->Monotonic() - context_.received - away_;
  return std::max(here, absl::ZeroDuration());
}

}  // namespace llm
