#include "adapters/dialect/answer_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "adapters/core/json.h"

namespace llm {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::string_view kDone = "[DONE]";
constexpr size_t kTailBytes = 32;
// The longest field name of an event stream that can open one, with colon.
constexpr size_t kLongestField = 6;

bool LooksLikeEvents(std::string_view text) {
  for (const std::string_view field :
       {":", "data:", "event:", "id:", "retry:"}) {
    if (text.starts_with(field)) return true;
  }
  return false;
}

}  // namespace

void AnswerReader::OnHead(int status, const std::vector<HttpHeader>& headers) {
  http_status_ = status;
  headers_ = headers;
  const std::string* type = FindHeader(headers, "content-type");
  event_stream_ =
      type != nullptr &&
      absl::StrContains(absl::AsciiStrToLower(*type), "event-stream");
  if (!answered_ok()) form_ = Form::kError;
}

void AnswerReader::Sniff(bool at_end) {
  body_.erase(0, body_.find_first_not_of(kSpace));
  // However the pieces fall: what follows a mark may be space again.
  while (body_.starts_with(kBom)) {
    body_.erase(0, kBom.size());
    body_.erase(0, body_.find_first_not_of(kSpace));
  }
  if (body_.empty() || kBom.starts_with(body_)) return;
  // '<' opens the page of some proxy; no event starts with it.
  if (std::string_view("{[\"<").find(body_[0]) != std::string_view::npos) {
    form_ = Form::kWhole;
  } else if (event_stream_ || LooksLikeEvents(body_)) {
    form_ = Form::kStream;
  } else if (at_end || body_.size() >= kLongestField) {
    form_ = Form::kWhole;
  }
}

Task<absl::StatusOr<BodyProgress>> AnswerReader::OnBody(
    std::string_view slice) {
  if (form_ == Form::kError) {
    const size_t room = kMaxErrorBody - std::min(kMaxErrorBody, body_.size());
    body_ += slice.substr(0, room);
    co_return BodyProgress::kNoise;
  }
  if (form_ == Form::kStream) {
    const absl::Status status = co_await ReadEvents(slice);
    if (!status.ok()) co_return status;
  } else {
    body_ += slice;
    if (form_ == Form::kUnknown) Sniff(false);
    if (form_ == Form::kWhole) co_return BodyProgress::kContent;
    if (form_ == Form::kStream) {
      const absl::Status status = co_await ReadEvents(body_);
      if (!status.ok()) co_return status;
    }
  }
  const bool content = decoder_.TakeContentMark();
  if (decoder_.done()) co_return BodyProgress::kEnd;
  co_return content ? BodyProgress::kContent : BodyProgress::kNoise;
}

Task<absl::Status> AnswerReader::ReadEvents(std::string_view slice) {
  KeepTail(slice);
  events_.Push(slice);
  SseEvent event;
  SseStep step = events_.Next(event);
  while (step == SseStep::kEvent) {
    decoder_.OnEvent(event.name, event.data, &chunks_);
    const absl::Status status = co_await WriteChunks();
    if (!status.ok()) co_return status;
    if (decoder_.failed()) {
      co_return absl::AbortedError("the answer could not be used");
    }
    step = events_.Next(event);
  }
  if (step == SseStep::kTooLong) {
    decoder_.FailAs(FailureClass::kBadAnswer);
    co_return absl::AbortedError("an event is too long");
  }
  co_return absl::OkStatus();
}

Task<absl::Status> AnswerReader::WriteChunks() {
  for (v1::ChatCompletionChunk& chunk : chunks_) {
    absl::Status status = co_await sink_.Write(std::move(chunk));
    if (!status.ok()) {
      sink_status_ = status;
      co_return status;
    }
  }
  chunks_.clear();
  co_return absl::OkStatus();
}

void AnswerReader::KeepTail(std::string_view slice) {
  tail_ += slice.substr(slice.size() - std::min(slice.size(), kTailBytes));
  if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
}

void AnswerReader::ReadLastEvent(bool clean) {
  SseEvent event;
  if (events_.Finish(event) == SseStep::kEvent) {
    // Without its blank line an event may be cut short: it counts if it is
    // whole JSON at an end that was meant.
    const bool whole =
        !event.unterminated || (clean && JsonDocument::Parse(event.data).ok());
    if (whole) decoder_.OnEvent(event.name, event.data, &chunks_);
  }
  std::string_view tail = tail_;
  tail = tail.substr(0, tail.find_last_not_of(kSpace) + 1);
  if (!tail.ends_with(kDone)) return;
  tail.remove_suffix(kDone.size());
  const size_t line = tail.find_last_of("\r\n");
  if (line != std::string_view::npos) tail.remove_prefix(line + 1);
  if (tail.empty() || tail == "data:" || tail == "data: ") decoder_.OnDone();
}

Task<absl::Status> AnswerReader::Finish(bool clean) {
  if (form_ == Form::kError || decoder_.failed()) co_return absl::OkStatus();
  if (form_ == Form::kUnknown) Sniff(true);
  if (form_ == Form::kStream) {
    ReadLastEvent(clean);
    decoder_.OnEnd(clean, &chunks_);
  } else if (clean) {
    decoder_.OnWhole(body_, &chunks_);
  }
  co_return co_await WriteChunks();
}

}  // namespace llm
