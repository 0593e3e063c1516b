// One provider, spoken to in its own dialect.
//
// Threads:    All methods run on the caller's event loop; an object is never
//             shared between loops.
// Ownership:  `request`, `context` and `sink` outlive the returned task.
//             Cancelling the task closes the upstream transfer.
// Errors:     In AttemptResult. Classes: failure.h.
// Units:      Usage counts are tokens; times are absl::Duration.
#ifndef LLM_ADAPTERS_CORE_PROVIDER_H_
#define LLM_ADAPTERS_CORE_PROVIDER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "adapters/core/chat_request.h"
#include "adapters/core/failure.h"
#include "adapters/core/http_transport.h"
#include "adapters/core/ids.h"
#include "adapters/core/task.h"
#include "adapters/core/usage.h"
#include "llm/v1/embeddings.pb.h"

namespace llm {

// What the model behind a deployment can do and how it wants to be asked.
// From the catalog; absent facts are optimistic (an unknown model gets what
// the caller sent).
struct ModelTraits {
  bool tools = true;
  // Accepts tool_choice "required" or a named tool.
  bool forced_tool_choice = true;
  bool parallel_tools = true;
  bool json_schema = true;
  bool json_object = true;
  bool vision = true;
  bool audio = true;
  // Reasons before answering, always or when asked.
  bool reasoning = false;
  // Refuses temperature, top_p, penalties, logit_bias and logprobs. Unset:
  // nobody said; the adapter may know the model's family.
  std::optional<bool> refuses_sampling;
  // Makes embeddings, and then does not chat; false: chats. Unset: nobody
  // said, and the provider will.
  std::optional<bool> embeddings;
  // Total tokens; 0 where unknown.
  int64_t context_window = 0;
  int64_t max_output_tokens = 0;
};

// A deployment may fix the reasoning switch (deepseek-chat is today's flash
// model with thinking off).
enum class ReasoningSwitch { kAsAsked, kOff, kOn };

struct AttemptContext {
  AttemptId attempt_id;
  ProviderId provider;
  // The id the provider knows the model by.
  ModelId upstream_model;
  ModelTraits traits;
  ReasoningSwitch reasoning = ReasoningSwitch::kAsAsked;
  // Empty where the provider needs none.
  ApiKey api_key;
  AttemptDeadlines deadlines;
  // The caller refuses dropped fields (x-llm-strict).
  bool strict = false;
  // The caller reads a stream. Providers whose streams carry usage are
  // streamed from regardless.
  bool stream = false;
  // Use no kept-alive connection: the last one was dead.
  bool fresh_connection = false;
};

// Where an attempt puts what arrives. Chunks are canonical: content in
// `delta.parts`, one or more choices. Id, object, created and model are the
// router's to give and stay empty: no provider's word for them, which might
// hold its key, comes this way.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Before the first Write, where request fields are not sent on: their
  // names, as in AttemptResult.dropped.
  virtual void OnDropped(const std::vector<std::string>& fields) {
    static_cast<void>(fields);
  }
  // Returns when the caller can take more: awaiting it is the back-pressure.
  // An error ends the attempt as kSinkFailed (kCancelled stays kCancelled).
  // `chunk` lives until then; what is wanted of it may be taken out.
  virtual Task<absl::Status> Write(v1::ChatCompletionChunk&& chunk) = 0;
};

// What the provider said is left of its own limits, from the headers of any
// answer; whoever routes moves traffic away before the refusal comes. Unset:
// not said. Counts are of requests and tokens; resets run from the answer.
struct RateLimitFacts {
  std::optional<int64_t> limit_requests;
  std::optional<int64_t> remaining_requests;
  std::optional<absl::Duration> reset_requests;
  std::optional<int64_t> limit_tokens;
  std::optional<int64_t> remaining_tokens;
  std::optional<absl::Duration> reset_tokens;
};

struct AttemptResult {
  // OK exactly when the answer is complete: a terminal event was seen and
  // there was content, a tool call, a refusal, a content_filter finish, or a
  // `length` finish whose budget went to reasoning.
  absl::Status status;
  UpstreamFailure failure;
  // False where nothing left for the provider (a strict refusal): there is
  // no exchange to record, count or blame.
  bool dispatched = true;
  // What was seen, also on failure: failed calls cost money too.
  TokenUsage usage;
  UsageSource usage_source = UsageSource::kNone;
  // The stream was cut when only a first count of its output had come.
  bool output_is_early = false;
  // The provider's `usage` as it came, for audits; a list of several batches.
  std::string raw_usage_json;
  // The model the provider says it served; empty if it said none.
  ModelId served_model;
  // The provider's id of the answer; not unique, for support only.
  std::string provider_request_id;
  // Request fields that were not sent on, by name.
  std::vector<std::string> dropped;
  // True once any content event was seen.
  bool content_seen = false;
  // Every choice ended with `length` and all output went to reasoning.
  bool reasoning_exhausted = false;
  // Output characters seen, for estimates when usage is missing.
  int64_t output_chars = 0;
  // The request body's bytes sent upstream.
  int64_t request_bytes = 0;
  bool streamed_upstream = false;
  // The request as sent switched thinking on, where the dialect can tell;
  // some price lists differ by it, also when usage is missing.
  bool thinking = false;
  // A reused connection died within a second of the request, before any
  // answer byte: most likely the provider had closed it before. One repeat
  // on a fresh connection is worth its small risk of being billed twice.
  bool stale_connection = false;
  RateLimitFacts limits;
  HttpTimings timings;
};

struct EmbedResult {
  // As of a chat. `usage.output` is 0 where the provider counted.
  AttemptResult attempt;
  // On success one for each input, in their order and all of one length. On
  // failure those of the first inputs, as far as whole batches had come: the
  // same deployment need not be asked for them again.
  std::vector<std::vector<float>> vectors;
};

// A look at the provider that costs nothing: its list of models [HLT-1].
struct ProbeContext {
  ApiKey api_key;
  Instant deadline = Instant::Never();
};

enum class ProbeVerdict {
  kUp,       // 2xx: it answers, and takes the key
  kDown,     // no connection, a deadline, or 5xx
  kUnknown,  // anything else: a 4xx says nothing about chats [HLT-2]
};

struct ProbeResult {
  ProbeVerdict verdict = ProbeVerdict::kUnknown;
  int http_status = 0;
  // Sanitised; empty on kUp.
  std::string message;
};

class Provider {
 public:
  virtual ~Provider() = default;
  // Sends `request` upstream and feeds `sink` as content arrives: whole
  // answers as one chunk, streams as they come. Never throws, never null. The
  // result is apart: each coroutine that waits for one by value would hold it
  // three times, and an open stream all of them.
  virtual Task<std::unique_ptr<AttemptResult>> Chat(
      const ChatRequest& request, const AttemptContext& context,
      EventSink& sink) = 0;
  // Vectors for the inputs of `request`, in as many batches as the provider's
  // limits ask for. Never throws. kUnsupported where the dialect has none.
  virtual Task<EmbedResult> Embed(const v1::CreateEmbeddingsRequest& request,
                                  const AttemptContext& context);
  // Never generates anything, never throws. A provider without a list of
  // models is not asked: kUnknown with status 0.
  virtual Task<ProbeResult> Probe(const ProbeContext& context);
};

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_PROVIDER_H_
