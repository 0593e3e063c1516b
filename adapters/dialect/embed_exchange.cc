#include "adapters/dialect/embed_exchange.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>

#include "adapters/core/json.h"
#include "adapters/core/money.h"
#include "adapters/core/text.h"
#include "adapters/core/utf8.h"
#include "adapters/dialect/provider_words.h"
#include "adapters/http/rate_limit_headers.h"
#include "adapters/http/retry_after.h"

namespace llm {

// Keeps a whole answer; of a refusal as much as is of interest. The transport
// bounds the former.
class EmbedExchange::WholeBody : public BodySink {
 public:
  void OnHead(int status, const std::vector<HttpHeader>& headers) override {
    status_ = status;
    headers_ = headers;
  }

  Task<absl::StatusOr<BodyProgress>> OnBody(std::string_view slice) override {
    const size_t room =
        ok() ? slice.size()
             : kMaxErrorBody - std::min(kMaxErrorBody, body_.size());
    body_ += slice.substr(0, room);
    co_return ok() ? BodyProgress::kContent : BodyProgress::kNoise;
  }

  bool ok() const { return status_ / 100 == 2; }
  int status() const { return status_; }
  const std::vector<HttpHeader>& headers() const { return headers_; }
  std::string& body() { return body_; }

 private:
  int status_ = 0;
  std::vector<HttpHeader> headers_;
  std::string body_;
};

namespace {

// The router's estimate, for what a request may hold.
int64_t TokensOf(const EmbedRequest& request, size_t input) {
  const int at = static_cast<int>(input);
  if (request.input().empty()) return request.token_inputs(at).tokens_size();
  const CharacterCount count = CountCharacters(request.input(at));
  return (6 * count.cjk + 3 * (count.all - count.cjk) + 9) / 10;
}

bool AllFinite(const std::vector<float>& vector) {
  return std::all_of(vector.begin(), vector.end(),
                     [](float x) { return std::isfinite(x); });
}

// One vector for each input, all of one length.
bool IsWhole(const EmbedAnswer& answer, size_t count) {
  if (answer.vectors.size() != count || count == 0) return false;
  const size_t length = answer.vectors.front().size();
  return length > 0 && std::all_of(answer.vectors.begin(), answer.vectors.end(),
                                   [&](const std::vector<float>& vector) {
                                     return vector.size() == length &&
                                            AllFinite(vector);
                                   });
}

EmbedReading ReadAnswer(const std::string& body, size_t count,
                        EmbedDecoder decode) {
  EmbedReading reading;
  const auto document = JsonDocument::Parse(body);
  const JsonValue root = document.ok() ? document->root() : JsonValue();
  reading.error = FindError(root);
  if (reading.error || !root) return reading;
  reading.whole =
      decode(root, count, &reading.answer) && IsWhole(reading.answer, count);
  return reading;
}

// An answer of this many bytes holds a loop up for some milliseconds.
constexpr size_t kLargeAnswer = size_t{256} << 10;

void Fail(UpstreamFailure failure, AttemptResult* result) {
  result->failure = std::move(failure);
  result->status = absl::Status(FailureStatusCode(result->failure.failure),
                                result->failure.message);
}

void FailAs(FailureClass failure, int status, std::string_view message,
            AttemptResult* result) {
  UpstreamFailure words;
  words.failure = failure;
  words.http_status = status;
  words.message = SanitiseUpstreamText(message, 512);
  Fail(std::move(words), result);
}

// Of decimal texts; what cannot be read is the price book's to refuse.
std::string SumOfCosts(const std::string& before, const TokenUsage& usage) {
  if (before.empty() || usage.reported_cost.empty()) {
    return usage.reported_cost;
  }
  const auto a = ParseDecimal(before, 12);
  const auto b = ParseDecimal(usage.reported_cost, 12);
  int64_t sum = 0;
  if (!a.ok() || !b.ok() || __builtin_add_overflow(*a, *b, &sum)) return {};
  return FormatPico(sum);
}

// One batch's as it is, more as a list, as far as a row has room.
void AddRawUsage(const std::string& batch, std::string* all) {
  constexpr size_t kRoom = 4000;
  if (batch.empty() || all->size() + batch.size() > kRoom) return;
  if (all->empty()) {
    *all = batch;
    return;
  }
  if (all->front() == '[') {
    all->pop_back();
  } else {
    all->insert(all->begin(), '[');
  }
  *all += "," + batch + "]";
}

// An embedding has no output, which is known and not missing.
void AddBatchUsage(const EmbedAnswer& answer, AttemptResult* result) {
  if (!answer.usage || !answer.usage->TotalInput()) return;
  TokenUsage& sum = result->usage;
  sum.fresh_input = sum.fresh_input.value_or(0) + *answer.usage->TotalInput();
  sum.output = 0;
  sum.reported_cost = SumOfCosts(sum.reported_cost, *answer.usage);
  result->usage_source = UsageSource::kProvider;
  AddRawUsage(answer.raw_usage_json, &result->raw_usage_json);
}

// Of batches that said nothing, where others did.
void AddUncounted(int64_t tokens, AttemptResult* result) {
  if (result->usage_source != UsageSource::kProvider || tokens == 0) return;
  *result->usage.fresh_input += tokens;
  result->usage_source = UsageSource::kEstimated;
  result->raw_usage_json.clear();
}

void AddTimings(const HttpTimings& batch, bool first, HttpTimings* sum) {
  if (first) {
    sum->connected = batch.connected;
    sum->first_byte = batch.first_byte;
  }
  sum->total += batch.total;
}

}  // namespace

size_t InputsOf(const EmbedRequest& request) {
  return static_cast<size_t>(request.input().empty()
                                 ? request.token_inputs_size()
                                 : request.input_size());
}

std::vector<EmbedBatch> SplitInputs(const EmbedRequest& request,
                                    const EmbedLimits& limits) {
  std::vector<EmbedBatch> batches;
  int64_t tokens = 0;
  const size_t inputs = InputsOf(request);
  for (size_t i = 0; i < inputs; ++i) {
    const int64_t own = limits.tokens > 0 ? TokensOf(request, i) : 0;
    const bool full = batches.empty() ||
                      batches.back().count >= limits.inputs ||
                      (limits.tokens > 0 && tokens + own > limits.tokens);
    if (full) {
      batches.push_back({i, 0});
      tokens = 0;
    }
    ++batches.back().count;
    tokens += own;
  }
  return batches;
}

Task<EmbedReading> EmbedExchange::Read(std::string body, size_t count,
                                       EmbedDecoder decode) const {
  if (beside_ == nullptr || body.size() < kLargeAnswer) {
    co_return ReadAnswer(body, count, decode);
  }
  // Shared: a task that is destroyed does not wait for the thread.
  struct Job {
    std::string body;
    EmbedReading reading;
  };
  const auto job = std::make_shared<Job>(Job{std::move(body), {}});
  std::function<void()> work = [job, count, decode] {
    job->reading = ReadAnswer(job->body, count, decode);
  };
  const absl::Status done = co_await beside_->Run(std::move(work));
  if (done.ok()) co_return std::move(job->reading);
  // Paid for: better late for others than lost. Read anew, since the thread
  // may be at it still.
  co_return ReadAnswer(job->body, count, decode);
}

bool EmbedExchange::Delivered(const HttpResult& sent, WholeBody& body,
                              const ApiKey& key, AttemptResult* attempt) const {
  attempt->limits = ParseRateLimits(body.headers(), clock_.WallNow());
  attempt->provider_request_id = ProviderRequestId(body.headers());
  const bool refused = body.status() != 0 && !body.ok() &&
                       sent.status.code() != absl::StatusCode::kCancelled;
  if (refused) {
    Fail(DescribeRefusal(classify_, body.status(), ReadErrorBody(body.body()),
                         key),
         attempt);
    const auto wait = ParseRetryAfter(body.headers(), clock_.WallNow());
    if (wait) attempt->failure.retry_after = wait;
    return false;
  }
  if (!sent.status.ok()) {
    attempt->stale_connection = MayBeStale(sent);
    FailAs(TransportFailure(sent, false), body.status(),
           ToStd(sent.status.message()), attempt);
  }
  return sent.status.ok();
}

Task<bool> EmbedExchange::Ask(HttpRequest http, size_t count,
                              const AttemptContext& context,
                              const EmbedDialect& dialect,
                              EmbedResult* result) const {
  AttemptResult& attempt = result->attempt;
  attempt.request_bytes += static_cast<int64_t>(http.body.size());
  WholeBody body;
  const HttpResult sent = co_await transport_.Send(http, body);
  AddTimings(sent.timings, result->vectors.empty(), &attempt.timings);
  if (!Delivered(sent, body, context.api_key, &attempt)) co_return false;
  EmbedReading reading =
      co_await Read(std::move(body.body()), count, dialect.decoder());
  if (reading.error) {
    Fail(DescribeRefusal(classify_, body.status(), *std::move(reading.error),
                         context.api_key),
         &attempt);
    co_return false;
  }
  EmbedAnswer& answer = reading.answer;
  AddBatchUsage(answer, &attempt);
  // Vectors of earlier batches have the same length.
  if (!reading.whole ||
      (!result->vectors.empty() &&
       result->vectors.front().size() != answer.vectors.front().size())) {
    FailAs(FailureClass::kBadAnswer, body.status(),
           "the answer is not one embedding for each input", &attempt);
    co_return false;
  }
  attempt.served_model.value = OneWord(answer.served_model, 256);
  if (attempt.provider_request_id.empty()) {
    attempt.provider_request_id =
        SanitiseUpstreamText(OneWord(answer.answer_id, 128), 128);
  }
  std::move(answer.vectors.begin(), answer.vectors.end(),
            std::back_inserter(result->vectors));
  attempt.content_seen = true;
  co_return true;
}

Task<EmbedResult> EmbedExchange::Run(const EmbedRequest& request,
                                     const AttemptContext& context,
                                     const EmbedDialect& dialect) const {
  EmbedResult result;
  std::vector<std::string> dropped = dialect.Dropped(request);
  if (context.strict && !dropped.empty()) {
    result.attempt = RefuseDrops(std::move(dropped));
    co_return result;
  }
  AttemptResult& attempt = result.attempt;
  attempt.dropped = std::move(dropped);
  bool whole = true;
  // Of batches that said nothing of their usage.
  int64_t uncounted = 0;
  for (const EmbedBatch batch : SplitInputs(request, dialect.limits())) {
    const std::optional<TokenCount> before = attempt.usage.fresh_input;
    HttpRequest http = dialect.Render(request, batch);
    http.deadlines = context.deadlines;
    http.fresh_connection = context.fresh_connection && result.vectors.empty();
    whole =
        co_await Ask(std::move(http), batch.count, context, dialect, &result);
    if (!whole) break;
    if (attempt.usage.fresh_input != before) continue;
    for (size_t i = 0; i < batch.count; ++i) {
      uncounted += TokensOf(request, batch.first + i);
    }
  }
  AddUncounted(uncounted, &attempt);
  if (!whole) {
    attempt.failure.provider_request_id = attempt.provider_request_id;
    if (attempt.usage_source == UsageSource::kProvider) {
      attempt.usage_source = UsageSource::kPartial;
    }
  }
  HideKey(context.api_key, &attempt);
  co_return result;
}

}  // namespace llm
