// The head of an answer, from the lines that curl hands over.
//
// Interim (1xx) heads are read and forgotten; lines after the final head
// (trailers) are counted and dropped.
//
// Threads: Pure.
// Errors:  False once the lines exceed the limits: the exchange must end.
// Units:   Bytes, lines.
#ifndef LLM_ADAPTERS_HTTP_RESPONSE_HEAD_H_
#define LLM_ADAPTERS_HTTP_RESPONSE_HEAD_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "adapters/core/http_transport.h"

namespace llm {

class ResponseHead {
 public:
  static constexpr size_t kMaxBytes = size_t{256} << 10;
  static constexpr size_t kMaxHeaders = 200;

  // One line with its line end; an empty one ends the head.
  bool OnLine(std::string_view line);

  // The final status line has come.
  bool started() const { return started_; }
  bool complete() const { return complete_; }
  int status() const { return status_; }
  const std::vector<HttpHeader>& headers() const { return headers_; }

 private:
  void StartHead(std::string_view line);
  bool AddHeader(std::string_view line);

  size_t bytes_ = 0;  // of all heads and trailers together
  size_t lines_ = 0;
  int status_ = 0;
  bool started_ = false;
  bool complete_ = false;
  std::vector<HttpHeader> headers_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_HTTP_RESPONSE_HEAD_H_
