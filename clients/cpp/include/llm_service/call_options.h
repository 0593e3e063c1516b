// What may differ from one call to the next.
//
// Threads: Plain values; a call reads its options before it returns.
// Units:   `timeout` counts from the start of the call, `deadline` is a moment.
#ifndef LLM_SERVICE_CALL_OPTIONS_H_
#define LLM_SERVICE_CALL_OPTIONS_H_

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
  // What the service routes by where no model is named: "market_analysis".
  std::string task_type;
  // What is analysed: "AAPL". Travels as metadata["symbol"].
  std::string symbol;
};

struct CallOptions {
  // How long the call may take, streams until their end; absent: the client's
  // `default_timeout`. An infinite one leaves the limit to the service.
  std::optional<absl::Duration> timeout;
  // The moment by which the call must end: one for all calls of a tool loop.
  // Where both are set, the earlier one counts.
  absl::Time deadline = absl::InfiniteFuture();
  // Ends the call from outside.
  std::optional<CancelToken> cancel;
  // Names this call in the service's log and errors ("x-request-id": up to 128
  // printable ASCII characters); empty: the service makes one.
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
};

}  // namespace llm::client

#endif  // LLM_SERVICE_CALL_OPTIONS_H_
