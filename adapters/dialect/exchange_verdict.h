// What every exchange with a provider is judged by, whatever was asked for:
// chats and embeddings fail in the same ways.
//
// Threads: Pure.
#ifndef LLM_ADAPTERS_DIALECT_EXCHANGE_VERDICT_H_
#define LLM_ADAPTERS_DIALECT_EXCHANGE_VERDICT_H_

#include <functional>
#include <string>
#include <vector>

#include "adapters/core/provider.h"
#include "adapters/dialect/error_body.h"

namespace llm {

// From (HTTP status, the provider's words) to a class.
using ErrorClassifier = std::function<FailureClass(int, const ErrorWords&)>;

// The result of an attempt for which nothing left for the provider.
AttemptResult RefuseAttempt(FailureClass failure, std::string message);
// The same for a request field that the provider cannot be asked for.
AttemptResult RefuseField(std::string param, std::string message);
// The same for a strict request with fields that would not be sent on.
AttemptResult RefuseDrops(std::vector<std::string> dropped);

// The id that the provider's support desk asks for; empty if it gave none.
std::string ProviderRequestId(const std::vector<HttpHeader>& headers);

// Nothing came back that a provider could be blamed for by its own words.
// `streamed`: some of a stream had come.
FailureClass TransportFailure(const HttpResult& http, bool streamed);

// A kept-alive connection that had died while it was idle.
bool MayBeStale(const HttpResult& http);

// A refusal in the provider's words, without the attempt's own key.
UpstreamFailure DescribeRefusal(const ErrorClassifier& classify,
                                int http_status, ErrorWords words,
                                const ApiKey& key);

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_EXCHANGE_VERDICT_H_
