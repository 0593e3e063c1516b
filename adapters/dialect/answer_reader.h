// The body of one answer on its way to the decoder: finds out what arrives (a
// stream or one JSON text, whatever was asked), cuts it and passes the chunks
// to the attempt's sink.
//
// The first bytes decide: JSON starts with a bracket or a quote, anything
// else that the head calls an event stream, or that looks like one, is one.
// White space before either is a queue's sign of life (DeepSeek) and skipped.
//
// Threads:   One event loop.
// Ownership: Everything given to the constructor outlives the reader.
// Errors:    A failed decode ends the exchange (kAborted); a sink's error
//            ends it as it came and stays in sink_status().
#ifndef LLM_ADAPTERS_DIALECT_ANSWER_READER_H_
#define LLM_ADAPTERS_DIALECT_ANSWER_READER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "adapters/core/http_transport.h"
#include "adapters/core/provider.h"
#include "adapters/core/task.h"
#include "adapters/dialect/answer_decoder.h"
#include "adapters/http/sse_decoder.h"

namespace llm {

class AnswerReader : public BodySink {
 public:
  AnswerReader(AnswerDecoder& decoder, EventSink& sink)
      : decoder_(decoder), sink_(sink) {}

  void OnHead(int status, const std::vector<HttpHeader>& headers) override;
  Task<absl::StatusOr<BodyProgress>> OnBody(std::string_view slice) override;
  // The exchange ended. `clean`: as its framing says.
  Task<absl::Status> Finish(bool clean);

  // 0 until the head came.
  int http_status() const { return http_status_; }
  bool answered_ok() const { return http_status_ / 100 == 2; }
  const std::vector<HttpHeader>& headers() const { return headers_; }
  // The body of an answer that is not 2xx, as far as it is of interest.
  const std::string& error_body() const { return body_; }
  const absl::Status& sink_status() const { return sink_status_; }

 private:
  enum class Form { kUnknown, kWhole, kStream, kError };

  void Sniff(bool at_end);
  Task<absl::Status> ReadEvents(std::string_view slice);
  Task<absl::Status> WriteChunks();
  void KeepTail(std::string_view slice);
  void ReadLastEvent(bool clean);

  AnswerDecoder& decoder_;
  EventSink& sink_;
  SseDecoder events_;
  Form form_ = Form::kUnknown;
  int http_status_ = 0;
  std::vector<HttpHeader> headers_;
  bool event_stream_ = false;
  // What came before the form was known; then the whole body, if it is kept.
  std::string body_;
  // The last bytes of a stream, to find a `[DONE]` that is no event.
  std::string tail_;
  AnswerDecoder::Chunks chunks_;
  absl::Status sink_status_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_ANSWER_READER_H_
