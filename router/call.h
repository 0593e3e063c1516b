// The life of one call. Its states, in order:
//
//   Plan -> Admit -> [ Wait -> Begin -> Run -> Judge ]... -> Settle -> Deliver
//
// Begin needs a place at the provider. A full one is passed over; with nobody
// else left the call waits in its line.
// Plan and Admit may refuse; Judge goes back to Wait while the policy has
// something left to try; every way ends in Settle, which writes the last rows
// before the last bytes leave, whether the caller is still there or not.
//
// Threads:   The call's event loop.
// Ownership: Everything passed in outlives the call; the call outlives Run.
#ifndef LLM_ROUTER_CALL_H_
#define LLM_ROUTER_CALL_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "router/attempt.h"
#include "router/attempt_policy.h"
#include "router/call_error.h"
#include "router/conversation.h"
#include "router/cost_meter.h"
#include "router/embed_job.h"
#include "router/router.h"

namespace llm {

// The plan's input for a call, shared by Chat and Explain. Borrows all
// arguments.
PlanInput PlanInputFor(const RouterParts& parts, const CallContext& context,
                       const ChatRequest& request,
                       const Conversation& conversation,
                       const std::string& sticky_key);

class Router::Call {
 public:
  Call(const RouterParts& parts, const CallContext& context,
       const ChatRequest& request, ChunkSink* sink);
  // Embeddings: `request` is the envelope; the vectors are left in `job`, and
  // in the result's response stands nothing but usage. `job` outlives Run.
  Call(const RouterParts& parts, const CallContext& context,
       const ChatRequest& request, EmbedJob& job);

  // Once.
  Task<CallResult> Run();

 private:
  // One attempt, from its intent to its judgement. Everything of it is here,
  // so two may be under way at once.
  struct Running {
    NextAttempt next;
    const RouteTarget* target = nullptr;
    AttemptIntent intent;
    Instant began;
    std::optional<absl::Duration> first_content;
    // Once they are known. Apart: together they take more than two kilobytes,
    // which an open stream would hold all its life.
    std::unique_ptr<AttemptResult> result;
    std::unique_ptr<AttemptRecord> record;
    // If it failed.
    FailedTry failed;
  };
  absl::Status Plan();
  Task<absl::Status> Admit();
  Task<absl::Status> Attempts();
  // Everything was remembered: nobody is asked.
  bool AnsweredFromCache();
  Task<void> Wait(absl::Duration wait);
  // A place at the target's provider, unless that is full.
  void TakePlace(const NextAttempt& next,
                 std::optional<InFlightBoard::Lease>* place) const;
  Task<absl::Status> Begin(const NextAttempt& next, Running* attempt);
  AttemptIntent IntentFor(const NextAttempt& next) const;
  Task<void> RunOne(Running& attempt);
  // Borrows `attempt`.
  AttemptSink::Options SinkOptions(Running& attempt);
  AttemptContext ContextFor(const Running& attempt) const;
  void Meter(const AttemptSink& sink, Running* attempt);
  // The call's time was over before the target's own was.
  bool CutShort(const Running& attempt) const;
  void ReportHealth(const Running& attempt, bool caller_stuck);
  // A provider's settings; null if the configuration has none.
  const ProviderSettings* SettingsOf(const NextAttempt& next) const;
  void Judge(AttemptSink& sink, Running* attempt);
  void Win(const Running& attempt, AttemptSink& sink);
  // For the conversation's next call.
  void Remember(const Running& attempt, AttemptSink& sink);
  // What follows; keeps the failed attempt's record for the next append.
  std::optional<NextAttempt> AfterFailure(Running& attempt);
  // The failure leaves the call something to try.
  bool MayGoOn(const Running& attempt) const;
  // The failed attempt's row says where the call went instead.
  void NoteMove(const NextAttempt& next);
  BulkheadLimits LimitsOf(const NextAttempt& next) const;
  // Nobody else is left: waits for the first of those passed over that has a
  // line to stand in. Sets `place`, and `next` to the attempt, or to nothing.
  Task<void> StandInLine(std::optional<NextAttempt>* next,
                         std::optional<InFlightBoard::Lease>* place);
  Task<absl::Status> StandInLineFor(const NextAttempt& full,
                                    std::optional<InFlightBoard::Lease>* place);
  // `next` stands for an attempt that was not made after all.
  std::optional<NextAttempt> Instead(std::optional<NextAttempt> next);
  absl::Status Failure();
  Task<CallResult> Settle(absl::Status status);
  Task<absl::Status> Deliver(CallResult* result);
  RequestRecord DescribeRequest(const absl::Status& status) const;
  std::string Reason() const;
  v1::ServiceInfo Info() const;
  Task<absl::Status> Append(std::vector<LedgerEntry> entries);
  Task<bool> CallerLeft();
  absl::Duration Overhead() const;

  const RouterParts& parts_;
  const CallContext& context_;
  // The caller's request with what its client has dropped of earlier turns;
  // null where there is nothing to put back: most calls, which hold no room
  // for it.
  const std::unique_ptr<const ChatRequest> restored_;
  const ChatRequest& request_;
  ChunkSink* const sink_;
  EmbedJob* embed_ = nullptr;  // null: a chat

  CallIdentity identity_;
  Conversation conversation_;
  RoutePlan plan_;
  int64_t estimated_input_ = 0;
  // The caller's deadline, and with the configured totals.
  Instant caller_deadline_;
  Instant deadline_;
  std::unique_ptr<Reservation> reservation_;

  CommitGate gate_;
  std::unique_ptr<StreamShaper> shaper_;
  std::optional<AttemptPolicy> policy_;
  // Rows of attempts that are over, until they are appended.
  std::vector<AttemptRecord> unwritten_;
  // Who was asked last.
  const RouteTarget* asked_ = nullptr;
  std::vector<FailedAttempt> failed_;
  CallTotals totals_;
  // Intents written, and those of them whose attempt was sent.
  int begun_ = 0;
  int dispatched_ = 0;
  bool caller_left_ = false;
  // The one free repeat after a dead connection is spent.
  bool stale_spent_ = false;
  // Passed over, as their providers were full.
  std::vector<NextAttempt> full_;
  // A place was waited for in vain.
  bool met_full_ = false;
  Priority priority_ = Priority::kNormal;
  // Time spent in lines.
  absl::Duration queued_;

  // The attempt that answered.
  const RouteTarget* winner_ = nullptr;
  struct Answer {
    TokenUsage usage;
    UsageSource usage_source = UsageSource::kNone;
    std::vector<std::string> dropped;
  };
  std::unique_ptr<const Answer> answer_;
  std::optional<v1::ChatCompletionResponse> response_;
  bool reasoning_exhausted_ = false;
  // Time spent waiting for upstreams, the caller and timers.
  absl::Duration away_;
};

}  // namespace llm

#endif  // LLM_ROUTER_CALL_H_
