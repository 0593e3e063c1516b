// Server-sent events out of byte slices of any cut.
//
// The same bytes give the same events however they are sliced [STR-1]: line
// ends CR, LF and CRLF, a BOM, comments, multi-line data and characters may
// be cut anywhere. Bytes are not checked for UTF-8: that is the JSON parser's.
//
//   decoder.Push(slice);
//   SseEvent event;
//   while (decoder.Next(event) == SseStep::kEvent) co_await Use(event);
//
// Deviations from the standard, which speaks of browsers:
//   - Finish() hands out an event whose final blank line is missing (the
//     standard drops it; providers forget it after "[DONE]"), marked
//     `unterminated`, so that a cut stream is not taken for a whole one.
//   - `retry` and unknown fields are dropped. `id` is the event's own, not
//     the last one seen: nobody reconnects here.
//
// Threads:   None of its own; one stream, one decoder.
// Ownership: A pushed slice must live until Next returned kNeedMore. An
//            event's views live until the next call of any method. An event
//            that lies whole in one slice is not copied.
// Errors:    kTooLong, for good, once a line or an event's data is longer
//            than the limit.
// Units:     Bytes.
// Fact:      https://html.spec.whatwg.org/multipage/server-sent-events.html
//            (read 2026-11-22).
#ifndef LLM_ADAPTERS_HTTP_SSE_DECODER_H_
#define LLM_ADAPTERS_HTTP_SSE_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llm {

struct SseEvent {
  std::string_view name;  // of the `event` field; empty if there was none
  std::string_view data;  // lines joined by LF
  std::string_view id;
  bool unterminated = false;
};

enum class SseStep { kEvent, kNeedMore, kTooLong };

class SseDecoder {
 public:
  static constexpr size_t kDefaultLimit = size_t{16} << 20;

  explicit SseDecoder(size_t max_event_bytes = kDefaultLimit)
      : limit_(max_event_bytes) {}
  SseDecoder(const SseDecoder&) = delete;
  SseDecoder& operator=(const SseDecoder&) = delete;

  // Requires: Next returned kNeedMore since the last Push.
  void Push(std::string_view slice);
  SseStep Next(SseEvent& event);
  // The end of the stream: kEvent at most once, then kNeedMore.
  SseStep Finish(SseEvent& event);

  // Comment lines seen: signs of life without content.
  int64_t comments() const { return comments_; }

 private:
  std::optional<std::string_view> NextLine();
  std::optional<std::string_view> CutLine();
  std::string_view WithoutBom(std::string_view line);
  bool TakeLine(std::string_view line);
  void TakeField(std::string_view name, std::string_view value);
  void AddData(std::string_view value);
  void KeepRest();
  void StartEvent();
  SseStep Emit(SseEvent& event, bool unterminated);

  const size_t limit_;
  std::string_view slice_;
  size_t next_lf_ = 0;      // first LF at or after the start of slice_, or npos
  bool lf_known_ = false;   // next_lf_ is true of slice_
  bool skip_lf_ = false;    // a CR ended the last line: an LF belongs to it
  bool first_line_ = true;  // a BOM may stand before it
  bool too_long_ = false;
  bool emitted_ = false;     // the views handed out are in the buffers below
  std::string partial_;      // start of a line whose end has not come
  bool line_whole_ = false;  // partial_ is a line already handed on
  bool has_data_ = false;
  bool data_in_slice_ = false;  // data_view_ is the data; else data_ is
  std::string_view data_view_;
  std::string data_;
  std::string name_;
  std::string id_;
  int64_t comments_ = 0;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_HTTP_SSE_DECODER_H_
