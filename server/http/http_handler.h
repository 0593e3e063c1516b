// What answers requests behind the engine of connections.
//
// Threads: One per event loop; all calls on that loop.
#ifndef LLM_SERVER_HTTP_HTTP_HANDLER_H_
#define LLM_SERVER_HTTP_HTTP_HANDLER_H_

#include <optional>
#include <string>

#include "adapters/core/task.h"
#include "server/http/exchange.h"
#include "server/http/http_message.h"

namespace llm::server {

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // What the engine refuses by itself, under a request id of its own. `head`
  // is what is known of the request; it may be empty.
  virtual HttpReply Refusal(const HttpRequest& head,
                            const DoorFault& fault) = 0;
  // Asked before a chunked or large body is read: a refusal that the head
  // alone justifies (wrong key, wrong route, a body where none belongs).
  virtual std::optional<HttpReply> RefuseEarly(const HttpRequest& head) = 0;
  // Whose share of the memory for bodies a large one takes: the caller's key;
  // empty where callers are not told apart. Asked when RefuseEarly let it in.
  virtual std::string BodyOwner(const HttpRequest& head) = 0;
  // Answers by `exchange`. Cancelled when the caller leaves. Both outlive the
  // task.
  virtual Task<void> Handle(const HttpRequest& request, Exchange& exchange) = 0;
};

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_HTTP_HANDLER_H_
