// Reads one request after the other from a socket, strictly framed.
//
// Threads: The connection's loop.
// Memory:  A body within limits.max_body and limits.bodies, and beside it no
// more unread bytes
//          than limits.max_header_bytes and two reads.
// Errors:  As a reply to send before closing; a reader that has returned
//          anything but kRequest is done with.
#ifndef LLM_SERVER_HTTP_REQUEST_READER_H_
#define LLM_SERVER_HTTP_REQUEST_READER_H_

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <optional>
#include <string>

#include "adapters/core/task.h"
#include "server/http/http_message.h"
#include "server/http/http_server.h"
#include "server/http/request_head.h"
#include "server/http/socket.h"

namespace llm::server {

class RequestReader {
 public:
  enum class Stage { kIdle, kHead, kBody };

  // What the connection adds to the reading.
  struct Hooks {
    // A stage begins, or a body made progress: time to move the deadline.
    std::function<void(Stage)> on_progress;
    // Asked once the head is in where the body is chunked or not small: a
    // refusal saves reading the rest.
    std::function<std::optional<HttpReply>(const HttpRequest&)> refuse;
    // The client waits for "100 Continue".
    std::function<void()> send_continue;
    // Whose body it is that was not refused; empty: nobody's in particular.
    std::function<std::string(const HttpRequest&)> owner = {};
  };

  struct Result {
    enum class Kind {
      kRequest,
      kRefused,  // send `reply`, or one for `fault`, then close
      kEnd,      // the client closed, or the read was cancelled
    };
    Kind kind = Kind::kEnd;
    // Its head also where the body failed.
    HttpRequest request;
    std::optional<HttpReply> reply;
    DoorFault fault;
  };

  RequestReader(Socket& socket, const HttpLimits& limits, Hooks hooks);

  Task<Result> Next();
  Stage stage() const { return stage_; }
  // Whether bytes of a next request have come already.
  bool has_more() const { return buffer_.size() > 0; }
  // Of the body that is being read, so far.
  int64_t body_bytes() const { return body_bytes_; }
  // Reads and drops what the client still sends; false at its end.
  Task<bool> Discard();

 private:
  using Parser =
      boost::beast::http::request_parser<boost::beast::http::string_body>;

  Task<bool> ReadMore();
  // The head's size, or 0 and a fault in `out`, or 0 at the end.
  Task<size_t> ReadHead(Result* out);
  Task<bool> ReadBody(Parser& parser, BodyBudget::Hold& hold, Result* out);
  // Whether a body that is not small is worth reading.
  bool MayRead(const HeadFacts& facts, std::string* owner, Result* out);
  void SetStage(Stage stage);

  Socket& socket_;
  const HttpLimits& limits_;
  Hooks hooks_;
  boost::beast::flat_buffer buffer_;
  Stage stage_ = Stage::kIdle;
  int64_t body_bytes_ = 0;
};

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_REQUEST_READER_H_
