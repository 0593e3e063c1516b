// One request's way out: a whole reply, or a stream of server-sent events.
//
// A stream may leave its head late: SetStream tells what the head is, and
// only the first Send, or a keep-alive comment after `grace` without one,
// puts the status line on the wire. Until then Reply still works [STR-6].
//
// Threads: The connection's event loop.
// Order:   (Reply) or (SetStream, then Reply, or Send… and EndStream).
#ifndef LLM_SERVER_HTTP_EXCHANGE_H_
#define LLM_SERVER_HTTP_EXCHANGE_H_

#include <atomic>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "adapters/core/task.h"
#include "server/http/http_message.h"

namespace llm::server {

class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual void Reply(HttpReply reply) = 0;

  // From now on a comment goes out after each `grace` of silence. May be
  // called again, with a head that knows more, until the head has left.
  virtual void SetStream(HttpReply head, absl::Duration grace) = 0;
  // True once the status line has left.
  virtual bool stream_started() const = 0;
  // Queues `bytes` and returns when the reader has taken enough for more.
  // kCancelled when the reader is gone. Borrows until it returns.
  virtual Task<absl::Status> Send(std::string_view bytes) = 0;
  // Nothing follows. Starts the stream if nothing has.
  virtual void EndStream() = 0;
  // True once the drain is over: the handler is cancelled although the caller
  // is still there, and has a moment to say so.
  virtual const std::atomic<bool>& service_stopping() const = 0;
};

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_EXCHANGE_H_
