// A provider that plays prepared attempts, one per call, and keeps what it
// was told.
//
// Threads: One event loop.
// Use:     provider.Play({.chunks = {TextChunk("hi"), FinishChunk("stop")}});
//          Calls beyond the script fail as kServerError.
#ifndef LLM_TESTS_SUPPORT_SCRIPTED_PROVIDER_H_
#define LLM_TESTS_SUPPORT_SCRIPTED_PROVIDER_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/core/clock.h"
#include "adapters/core/provider.h"

namespace llm {

// One choice with one text fragment.
v1::ChatCompletionChunk TextChunk(std::string text, int choice = 0);
v1::ChatCompletionChunk ReasoningChunk(std::string text);
v1::ChatCompletionChunk ToolChunk(int index, std::string id, std::string name,
                                  std::string arguments);
v1::ChatCompletionChunk FinishChunk(std::string reason, int choice = 0);

struct ScriptedAttempt {
  std::vector<v1::ChatCompletionChunk> chunks;
  // Before the first chunk, and between the last one and the end.
  absl::Duration delay;
  absl::Duration end_delay;
  // kTimeout is also the end where the sink refuses: as if the deadline had
  // cancelled a write that waited.
  FailureClass failure = FailureClass::kNone;
  int http_status = 0;
  std::string code;
  std::optional<absl::Duration> retry_after;
  TokenUsage usage;
  UsageSource usage_source = UsageSource::kNone;
  std::string served_model;
  bool stale_connection = false;
  bool dispatched = true;
  bool thinking = false;
  std::string param;
  bool reasoning_exhausted = false;
  RateLimitFacts limits;
  int64_t output_chars = 0;
  bool output_is_early = false;
  std::vector<std::string> dropped;
  std::vector<std::vector<float>> vectors;
  // Broken promises: Chat throws before there is a task, or its task brings
  // none.
  bool throws = false;
  bool no_result = false;
};

// An answer of one text with usage.
ScriptedAttempt Answer(std::string text, int64_t input, int64_t output);
ScriptedAttempt Failure(FailureClass failure, int http_status = 0);

class ScriptedProvider : public Provider {
 public:
  // `clock` outlives the provider. Sleeps end early at the attempt's total
  // deadline, as kTimeout.
  explicit ScriptedProvider(const Clock& clock) : clock_(clock) {}

  ScriptedProvider& Play(ScriptedAttempt attempt) {
    script_.push_back(std::move(attempt));
    return *this;
  }
  // Played whenever the script is at its end.
  void PlayForever(ScriptedAttempt attempt) { forever_ = std::move(attempt); }

  Task<std::unique_ptr<AttemptResult>> Chat(const ChatRequest& request,
                                            const AttemptContext& context,
                                            EventSink& sink) override;

  // Plays the same script; an attempt's `vectors` are what it brings, or, where
  // it has none and does not fail, one vector for each input: {its length, 1}.
  Task<EmbedResult> Embed(const v1::CreateEmbeddingsRequest& request,
                          const AttemptContext& context) override;
  std::vector<v1::CreateEmbeddingsRequest> embeds;

  // Answers with `probe` and notes who was asked with which key, and until
  // when.
  Task<ProbeResult> Probe(const ProbeContext& context) override;
  ProbeResult probe;
  std::vector<ProbeContext> probes;

  // What each call was told, and when it came.
  struct Seen {
    AttemptContext context;
    const ChatRequest* request;
    Instant at;
  };
  const std::vector<Seen>& calls() const { return calls_; }
  // Called at the start of every call: for looking at the world just then.
  std::function<void()> on_call;
  // The same with what was asked, which is gone after the call.
  std::function<void(const ChatRequest&)> on_request;

 private:
  Task<absl::Status> Sleep(absl::Duration wait, const AttemptContext& context);
  Task<std::unique_ptr<AttemptResult>> Answered(ScriptedAttempt play,
                                                const AttemptContext& context,
                                                EventSink& sink);
  ScriptedAttempt NextPlay();

  const Clock& clock_;
  std::deque<ScriptedAttempt> script_;
  std::optional<ScriptedAttempt> forever_;
  std::vector<Seen> calls_;
};

}  // namespace llm

#endif  // LLM_TESTS_SUPPORT_SCRIPTED_PROVIDER_H_
