// The strict check of a request's head, on its raw bytes.
//
// Beast parses what passes. It is too kind for a gateway, though: it takes
// equal Content-Length headers twice, and a Transfer-Encoding that does not
// end in chunked as "no body", so that two programs on one path may disagree
// where a request ends [SEC-6]. Fact: Boost 1.81, tried 2026-11-22.
//
// Threads: Pure functions.
#ifndef LLM_SERVER_HTTP_REQUEST_HEAD_H_
#define LLM_SERVER_HTTP_REQUEST_HEAD_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace llm::server {

struct HeadLimits {
  size_t max_bytes = 64 * 1024;
  int max_headers = 100;
};

// What is wrong, and the status to answer with before closing.
struct HeadFault {
  int status = 0;  // 0: nothing
  std::string message;
  bool ok() const { return status == 0; }
};

struct HeadFacts {
  int64_t content_length = 0;
  bool chunked = false;
  bool expects_continue = false;
};

// Bytes of a head that is not complete yet: finds what can never become one,
// so that it is refused at once and not when a timer fires.
HeadFault CheckPartialHead(std::string_view bytes, const HeadLimits& limits);

// `head` ends with the empty line.
HeadFault CheckHead(std::string_view head, const HeadLimits& limits,
                    HeadFacts* facts);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_REQUEST_HEAD_H_
