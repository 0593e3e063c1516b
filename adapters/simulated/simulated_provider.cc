#include "adapters/simulated/simulated_provider.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "adapters/simulated/answer_script.h"
#include "adapters/simulated/prompt_facts.h"
#include "adapters/simulated/sample_vector.h"

namespace llm {
namespace {

// Characters of text per chunk of a stream.
constexpr size_t kChunkChars = 12;

v1::Part TextFragment(std::string_view text) {
  v1::Part part;
  part.mutable_text()->set_text(std::string(text));
  return part;
}

v1::Part ReasoningFragment(std::string_view text) {
  v1::Part part;
  part.mutable_reasoning()->set_text(std::string(text));
  return part;
}

// Cuts text into fragments of about kChunkChars on character borders.
template <typename Make>
void CutInto(std::string_view text, bool whole, Make make,
             std::vector<v1::Part>& parts) {
  while (!text.empty()) {
    size_t size = whole ? text.size() : std::min(text.size(), kChunkChars);
    while (size < text.size() &&
           (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
      ++size;
    }
    parts.push_back(make(text.substr(0, size)));
    text.remove_prefix(size);
  }
}

// Code points, of what a fragment shows.
int64_t CountChars(const v1::Part& part) {
  int64_t chars = 0;
  for (const std::string* text : {&part.text().text(), &part.reasoning().text(),
                                  &part.tool_call().function().arguments()}) {
    chars += std::count_if(text->begin(), text->end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    });
  }
  return chars;
}

std::vector<v1::Part> Fragments(const AnswerScript& script, bool whole) {
  std::vector<v1::Part> parts;
  CutInto(script.reasoning, whole, ReasoningFragment, parts);
  CutInto(script.text, whole, TextFragment, parts);
  for (const v1::ToolCall& call : script.tool_calls) {
    v1::Part part;
    *part.mutable_tool_call() = call;
    parts.push_back(std::move(part));
  }
  return parts;
}

class SimulatedProvider : public Provider {
 public:
  SimulatedProvider(SimulatedOptions options, const Clock& clock)
      : options_(options), clock_(clock) {}

  Task<std::unique_ptr<AttemptResult>> Chat(const ChatRequest& request,
                                            const AttemptContext& context,
                                            EventSink& sink) override {
    auto result = std::make_unique<AttemptResult>();
    result->served_model = context.upstream_model;
    result->streamed_upstream = context.stream;
    if (!co_await Wait(options_.latency, context, *result)) co_return result;
    if (Fails(RequestDigest(request.message), *result)) co_return result;
    const int choices = std::clamp(request.message.n(), 1, 128);
    TokenUsage usage;
    usage.fresh_input = CountPromptTokens(request.message);
    usage.cache_read = 0;
    usage.output = 0;
    usage.reasoning = 0;
    AnswerWriter writer(request.message, Reasons(request.message, context));
    for (int choice = 0; choice < choices; ++choice) {
      const AnswerScript script = writer.Write(choice);
      *usage.output += script.output_tokens;
      *usage.reasoning += script.reasoning_tokens;
      if (!co_await Emit(script, choice, context, sink, *result)) {
        result->usage = std::move(usage);
        result->usage_source = UsageSource::kPartial;
        co_return result;
      }
    }
    result->usage = std::move(usage);
    result->usage_source = UsageSource::kProvider;
    co_return result;
  }

  Task<EmbedResult> Embed(const v1::CreateEmbeddingsRequest& request,
                          const AttemptContext& context) override {
    EmbedResult result;
    AttemptResult& attempt = result.attempt;
    attempt.served_model = context.upstream_model;
    if (!co_await Wait(options_.latency, context, attempt)) co_return result;
    const uint64_t digest = InputsDigest(request);
    if (Fails(digest, attempt)) co_return result;
    const int dimensions =
        request.has_dimensions() ? request.dimensions() : kSampleDimensions;
    if (dimensions < 1 || dimensions > kMostSampleDimensions) {
      Fail(FailureClass::kInvalidRequest, 400,
           "dimensions must be between 1 and 4096", attempt);
      attempt.failure.param = "dimensions";
      co_return result;
    }
    const int inputs = request.input_size() + request.token_inputs_size();
    for (int i = 0; i < inputs; ++i) {
      result.vectors.push_back(SampleVector(
          InputDigest(request, static_cast<size_t>(i)), dimensions));
    }
    attempt.content_seen = true;
    attempt.usage.fresh_input = CountInputTokens(request);
    attempt.usage.output = 0;
    attempt.usage_source = UsageSource::kProvider;
    co_return result;
  }

  Task<ProbeResult> Probe(const ProbeContext& /*context*/) override {
    ProbeResult result;
    result.http_status = options_.fail_status;
    // Faults by chance are of requests; this one would meet every one.
    if (result.http_status == 0 && options_.failure_rate >= 1) {
      result.http_status = 503;
    }
    if (result.http_status == 0) {
      result.verdict = ProbeVerdict::kUp;
      result.http_status = 200;
      co_return result;
    }
    result.message = "simulated failure";
    if (result.http_status >= 500) result.verdict = ProbeVerdict::kDown;
    co_return result;
  }

 private:
  static bool Reasons(const v1::ChatCompletionRequest& request,
                      const AttemptContext& context) {
    if (context.reasoning == ReasoningSwitch::kOff) return false;
    if (context.reasoning == ReasoningSwitch::kOn) return true;
    return context.traits.reasoning && request.reasoning_effort() != "none";
  }

  static void Fail(FailureClass failure, int http_status,
                   std::string_view message, AttemptResult& result) {
    result.failure.failure = failure;
    result.failure.http_status = http_status;
    result.failure.message = std::string(message);
    result.status =
        absl::Status(FailureStatusCode(failure), result.failure.message);
  }

  // The faults of SimulatedOptions; true if this call has failed.
  bool Fails(uint64_t digest, AttemptResult& result) const {
    int status = options_.fail_status;
    if (status == 0 && options_.failure_rate > 0) {
      const double fate = static_cast<double>(digest >> 11) * 0x1.0p-53;
      if (fate < options_.failure_rate) status = 503;
    }
    if (status == 0) return false;
    FailureClass failure = FailureClass::kServerError;
    if (status == 400 || status == 422) failure = FailureClass::kInvalidRequest;
    if (status == 401) failure = FailureClass::kBadKey;
    if (status == 402) failure = FailureClass::kOutOfMoney;
    if (status == 403) failure = FailureClass::kPermission;
    if (status == 404) failure = FailureClass::kModelNotFound;
    if (status == 429) failure = FailureClass::kRateLimited;
    if (status == 503 || status == 529) failure = FailureClass::kOverloaded;
    Fail(failure, status, "simulated failure", result);
    return true;
  }

  // Waits unless a deadline or the caller ends it first; false: it ended.
  Task<bool> Wait(absl::Duration wait, const AttemptContext& context,
                  AttemptResult& result) const {
    if (wait <= absl::ZeroDuration()) co_return true;
    const Instant now = clock_.Monotonic();
    const Instant patience =
        std::min(context.deadlines.total,
                 now + (result.content_seen ? context.deadlines.idle
                                            : context.deadlines.first_content));
    const Instant until = std::min(now + wait, patience);
    const absl::Status slept = co_await clock_.SleepUntil(until);
    if (!slept.ok()) {
      Fail(FailureClass::kCancelled, 0, "cancelled", result);
      co_return false;
    }
    if (until < now + wait) {
      Fail(FailureClass::kTimeout, 0, "the simulated provider was too slow",
           result);
      co_return false;
    }
    co_return true;
  }

  Task<bool> Emit(const AnswerScript& script, int choice,
                  const AttemptContext& context, EventSink& sink,
                  AttemptResult& result) const {
    for (v1::Part& part : Fragments(script, !context.stream)) {
      if (result.content_seen &&
          !co_await Wait(options_.chunk_interval, context, result)) {
        co_return false;
      }
      result.output_chars += CountChars(part);
      v1::ChatCompletionChunk chunk;
      v1::ChunkChoice& out = *chunk.add_choices();
      out.set_index(choice);
      *out.mutable_delta()->add_parts() = std::move(part);
      result.content_seen = true;
      if (!co_await Write(std::move(chunk), sink, result)) co_return false;
    }
    if (script.finish_reason == "length" && script.text.empty()) {
      result.reasoning_exhausted = true;
    }
    v1::ChatCompletionChunk last;
    v1::ChunkChoice& out = *last.add_choices();
    out.set_index(choice);
    out.set_finish_reason(script.finish_reason);
    co_return co_await Write(std::move(last), sink, result);
  }

  static Task<bool> Write(v1::ChatCompletionChunk&& chunk, EventSink& sink,
                          AttemptResult& result) {
    const absl::Status written = co_await sink.Write(std::move(chunk));
    if (written.ok()) co_return true;
    Fail(absl::IsCancelled(written) ? FailureClass::kCancelled
                                    : FailureClass::kSinkFailed,
         0, "the caller's side ended the answer", result);
    co_return false;
  }

  SimulatedOptions options_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<Provider> MakeSimulatedProvider(
    const ProviderSettings& settings, const Clock& clock) {
  return std::make_unique<SimulatedProvider>(settings.simulated, clock);
}

}  // namespace llm
