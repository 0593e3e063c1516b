// What may differ from one call to the next.
//
// Threads: Plain values; a call reads its options before it returns.
// Units:   `timeout` counts from the start of the call, `deadline` is a moment.
#ifndef LLM_SERVICE_CALL_OPTIONS_H_
#define LLM_SERVICE_CALL_OPTIONS_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "llm_service/cancel_token.h"

namespace llm::client {

// Whose a call is. Usage can be grouped by run, agent, user and task (`by` and
// `filter` of GetUsage); the symbol is kept with the row. A field that the
// request sets wins over the call's tags, and these over the client's; empty
// means not set.
struct Tags {
  // The analysis, conversation or job that this call belongs to.
  std::string run_id;
  // The end user; recorded, and sent on to providers that take one.
  std::string user;
  // The agent within the run: "market_analyst".
  std::string agent;
  // What the service routes by where no model is named: "market_analysis". Not
  // set on embeddings, nor where the model is "auto-quick", "auto-deep" or
  // "auto:…": those name their task themselves, and this would win over it.
  std::string task_type;
  // What is analysed: "AAPL". Travels as metadata["symbol"].
  std::string symbol;
};

// Names in lower case. "x-request-id": the caller's name of the call, else the
// service's own id, which its errors carry. "x-llm-idempotent-replay" is "true"
// where the answer is one that an earlier call with the same idempotency key
// got.
using ReceivedMetadata = std::multimap<std::string, std::string>;

struct CallOptions {
  // How long the call may take, streams until their end; absent: the client's
  // `default_timeout`. An infinite one leaves the limit to the service.
  std::optional<absl::Duration> timeout;
  // The moment by which the call must end: one for all calls of a tool loop.
  // Where both are set, the earlier one counts.
  absl::Time deadline = absl::InfiniteFuture();
  // Ends the call from outside.
  std::optional<CancelToken> cancel;
  // Names this call in the service's log and usage rows ("x-request-id": up to
  // 128 printable ASCII characters); empty: none. Errors carry the service's
  // own id of the call; this one only those that the library found by itself.
  std::string request_id;
  // W3C trace context of the caller's span; empty: none.
  std::string traceparent;
  // Calls with one key within ten minutes share one upstream call and its
  // answer: a safe repeat after a connection broke. Up to 255 characters.
  std::string idempotency_key;
  // Set per call, on top of the client's, field by field.
  Tags tags;
  // Sent as they are. Names are lower case; values printable ASCII, except
  // where the name ends in "-bin".
  std::vector<std::pair<std::string, std::string>> metadata;
  // Where to put what the service sent before its answer, also of a failed
  // call; null: nowhere. The caller's, until the call has returned: set it for
  // one call at a time. A stream that is pulled has Metadata() instead.
  ReceivedMetadata* received = nullptr;
};

}  // namespace llm::client

#endif  // LLM_SERVICE_CALL_OPTIONS_H_
