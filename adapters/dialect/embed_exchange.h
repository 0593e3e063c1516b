// One embeddings attempt over HTTP, whatever its dialect: cuts the inputs into
// batches that the provider takes, asks for one after the other, puts the
// vectors in order and judges the attempt.
//
// All or nothing: a batch that fails fails the attempt. What had come before
// it stays in the result, so that a repeat at the same deployment goes on from
// there.
//
// Threads:   One event loop.
// Ownership: `transport`, `clock` and the dialect outlive the exchange; what
//            is given to Run outlives the returned task.
// Errors:    In EmbedResult.attempt.
#ifndef LLM_ADAPTERS_DIALECT_EMBED_EXCHANGE_H_
#define LLM_ADAPTERS_DIALECT_EMBED_EXCHANGE_H_

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/core/beside.h"
#include "adapters/core/clock.h"
#include "adapters/core/provider.h"
#include "adapters/dialect/exchange_verdict.h"

namespace llm {

using EmbedRequest = v1::CreateEmbeddingsRequest;

// What one request to a provider may hold.
struct EmbedLimits {
  size_t inputs = std::numeric_limits<size_t>::max();
  // Of all inputs together; texts count by estimate. 0: no limit known.
  int64_t tokens = 0;
};

// Inputs [first, first + count) of a request.
struct EmbedBatch {
  size_t first = 0;
  size_t count = 0;
};

size_t InputsOf(const EmbedRequest& request);

// Batches that cover all inputs in order. An input that is too long by itself
// stands alone: its provider says so better.
std::vector<EmbedBatch> SplitInputs(const EmbedRequest& request,
                                    const EmbedLimits& limits);

// What a dialect made of the answer to one batch.
struct EmbedAnswer {
  // One for each input of the batch, in their order.
  std::vector<std::vector<float>> vectors;
  std::optional<TokenUsage> usage;
  std::string raw_usage_json;
  std::string served_model;
  std::string answer_id;
};

// Of the body of a 200 that holds no error. False where it is no answer; the
// usage is read all the same, since it is paid for. It may run on another
// thread, when all but the body is gone.
using EmbedDecoder = bool (*)(JsonValue body, size_t count, EmbedAnswer* out);

// How one provider is asked for one model's embeddings.
class EmbedDialect {
 public:
  virtual ~EmbedDialect() = default;
  virtual EmbedLimits limits() const = 0;
  // Fields of the request that are not sent on, by name [TRN-6].
  virtual std::vector<std::string> Dropped(const EmbedRequest&) const {
    return {};
  }
  // URL, headers with the credential, body, endpoint.
  virtual HttpRequest Render(const EmbedRequest& request,
                             EmbedBatch batch) const = 0;
  virtual EmbedDecoder decoder() const = 0;
};

// What the body of a 200 says.
struct EmbedReading {
  std::optional<ErrorWords> error;
  // Its usage counts, whatever the vectors are.
  EmbedAnswer answer;
  // One vector for each input, all of one length.
  bool whole = false;
};

class EmbedExchange {
 public:
  // `beside` null: all answers are read on the loop.
  EmbedExchange(HttpTransport& transport, const Clock& clock,
                ErrorClassifier classify, Beside* beside = nullptr)
      : transport_(transport),
        clock_(clock),
        classify_(std::move(classify)),
        beside_(beside) {}

  Task<EmbedResult> Run(const EmbedRequest& request,
                        const AttemptContext& context,
                        const EmbedDialect& dialect) const;

 private:
  class WholeBody;
  // False: what came is no answer, and the attempt has failed.
  bool Delivered(const HttpResult& sent, WholeBody& body, const ApiKey& key,
                 AttemptResult* attempt) const;
  // False: the batch failed, and the attempt with it.
  Task<bool> Ask(HttpRequest http, size_t count, const AttemptContext& context,
                 const EmbedDialect& dialect, EmbedResult* result) const;

  Task<EmbedReading> Read(std::string body, size_t count,
                          EmbedDecoder decode) const;

  HttpTransport& transport_;
  const Clock& clock_;
  const ErrorClassifier classify_;
  Beside* const beside_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_EMBED_EXCHANGE_H_
