// One chat over HTTP, whatever its dialect: sends what was rendered, reads the
// answer through the dialect's decoder, and judges the attempt.
//
// Threads:   One event loop.
// Ownership: `transport` and `clock` outlive the exchange; `context` and
//            `sink` outlive Run's task, which owns the rest.
// Errors:    In AttemptResult.
#ifndef LLM_ADAPTERS_DIALECT_CHAT_EXCHANGE_H_
#define LLM_ADAPTERS_DIALECT_CHAT_EXCHANGE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/core/clock.h"
#include "adapters/core/provider.h"
#include "adapters/dialect/answer_decoder.h"
#include "adapters/dialect/answer_reader.h"
#include "adapters/dialect/exchange_verdict.h"

namespace llm {

// Something the dialect cannot say at all, so that leaving it out would be
// another request: the field's name, and words for the caller.
struct Refusal {
  std::string param;
  std::string message;
};

// A request in the dialect's words.
struct RenderedChat {
  // URL, headers with the credential, body, endpoint. Deadlines are the
  // attempt's and filled in by the exchange. An empty URL: no model can have
  // the name, and nothing is sent.
  HttpRequest http;
  // The upstream is asked for a stream.
  bool stream = false;
  // The model will reason, as far as is known.
  bool thinking = false;
  // Fields that are not sent on, by name [TRN-6].
  std::vector<std::string> dropped;
  // Set: nothing is sent.
  std::optional<Refusal> refusal;
};

class ChatExchange {
 public:
  ChatExchange(HttpTransport& transport, const Clock& clock,
               ErrorClassifier classify)
      : transport_(transport), clock_(clock), classify_(std::move(classify)) {}

  // Never null.
  Task<std::unique_ptr<AttemptResult>> Run(
      RenderedChat rendered, const AttemptContext& context,
      std::unique_ptr<AnswerDecoder> decoder, EventSink& sink) const;

 private:
  UpstreamFailure FailureOf(const HttpResult& http, const AnswerReader& reader,
                            const AnswerDecoder& decoder,
                            const ApiKey& key) const;
  void Evaluate(const HttpResult& http, const AnswerReader& reader,
                const AnswerDecoder& decoder, const ApiKey& key,
                AttemptResult* result) const;

  HttpTransport& transport_;
  const Clock& clock_;
  const ErrorClassifier classify_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_CHAT_EXCHANGE_H_
