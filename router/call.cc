#include "router/call.h"

#include <algorithm>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/status_macros.h"
#include "router/call_identity.h"

namespace llm {

namespace asio = boost::asio;

PlanInput PlanInputFor(const RouterParts& parts, const CallContext& context,
                       const ChatRequest& request,
                       const Conversation& conversation,
                       const std::string& sticky_key) {
  PlanInput input;
  input.table = parts.table.get();
  input.request = &request.message;
  input.path_task = context.path_task;
  input.allowed_models = &context.caller.allowed_models;
  input.sticky_deployment =
      RecallDeployment(conversation, *parts.conversations);
  input.sticky_key = sticky_key;
  input.strict = context.strict;
  input.health = parts.health;
  input.now = parts.clock->Monotonic();
  return input;
}

Router::Call::Call(const RouterParts& parts, const CallContext& context,
                   const ChatRequest& request, ChunkSink* sink)
    : parts_(parts),
      context_(context),
      request_(request),
      sink_(sink),
      identity_(IdentityOf(context, request.message)),
      conversation_(ConversationOf(context.caller.tenant, identity_,
                                   context.path_task, request.message)),
      caller_deadline_(CallerDeadline(context, request.message)),
      deadline_(caller_deadline_) {}

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
  const std::string sticky_key = StickyKey(conversation_, context_.call_id);
  auto plan = MakePlan(
      PlanInputFor(parts_, context_, request_, conversation_, sticky_key));
  if (!plan.ok()) return plan.status();
  plan_ = *std::move(plan);
  identity_.task_type = plan_.task_type;
  identity_.task_source = plan_.task_source;
  identity_.variant = plan_.variant;
  estimated_input_ = NeedsOf(request_.message).estimated_input_tokens;
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
  policy_.emplace(plan_, *parts_.table, *parts_.health, *parts_.random);
  std::optional<NextAttempt> next;
  if (parts_.clock->Monotonic() < deadline_) {
    next = policy_->First(parts_.clock->Monotonic());
  }
  while (next) {
    if (next->wait > absl::ZeroDuration()) co_await Wait(next->wait);
    if (co_await CallerLeft()) break;
    // Held until the attempt is over.
    const std::optional<InFlightBoard::Lease> place = Place(*next);
    if (!place) {
      next = InsteadOfFull();
      continue;
    }
    Running attempt;
    LLM_CO_RETURN_IF_ERROR(co_await Begin(*next, &attempt));
    co_await RunOne(attempt);
    if (answer_) co_return absl::OkStatus();
    next = AfterFailure(attempt);
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
  attempt.record.next = std::string(NextMoveName(move));
  unwritten_.push_back(std::move(attempt.record));
  return next;
}

std::optional<NextAttempt> Router::Call::InsteadOfFull() {
  met_full_ = true;
  auto next = policy_->InsteadOfFull(parts_.clock->Monotonic(), deadline_);
  if (!unwritten_.empty() && next) {
    AttemptRecord& failed = unwritten_.back();
    const bool same =
        plan_.targets[next->target].deployment.id == failed.intent.deployment;
    failed.next = std::string(
        NextMoveName(same ? NextMove::kRetrySame : NextMove::kNextDeployment));
  }
  return next;
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
  if (met_full_ && failed_.empty()) {
    return RefuseCall(absl::StatusCode::kUnavailable, "overloaded",
                      "Every candidate provider has as many calls under way "
                      "as it may; try again later");
  }
  return ErrorAfterAttempts(failed_, parts_.clock->Monotonic() >= deadline_,
                            context_.call_id.value);
}

absl::Duration Router::Call::Overhead() const {
  const absl::Duration here =
      parts_.clock->Monotonic() - context_.received - away_;
  return std::max(here, absl::ZeroDuration());
}

}  // namespace llm
