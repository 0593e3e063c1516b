// One HTTP request as the door's handlers see it, and one reply.
//
// Threads: Values.
#ifndef LLM_SERVER_HTTP_HTTP_MESSAGE_H_
#define LLM_SERVER_HTTP_HTTP_MESSAGE_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llm::server {

struct HttpRequest {
  std::string method;
  // As it came, still encoded.
  std::string target;
  bool http10 = false;
  // The client allows another request on this connection.
  bool keep_alive = true;
  // Names in lower case, in order of arrival. Trailers are not among them.
  std::vector<std::pair<std::string, std::string>> headers;
  // Never null once the request is whole.
  std::shared_ptr<const std::string> body;

  // The first header of that name (lower case), or empty.
  std::string_view Header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
};

struct HttpReply {
  int status = 200;
  std::string content_type = "application/json";
  // Beyond content type, length and connection, which the engine writes.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // Of an error that the door itself answers: the contract's `code`.
  std::string error_code;

  HttpReply& With(std::string_view name, std::string_view value) {
    headers.emplace_back(name, value);
    return *this;
  }
};

// Why the engine refuses a request by itself, before any handler.
struct DoorFault {
  int status = 400;
  std::string code = "invalid_request";
  std::string message;
};

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_HTTP_MESSAGE_H_
