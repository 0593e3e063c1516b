#include "adapters/http/sse_decoder.h"

#include <algorithm>
#include <cstring>

namespace llm {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";

size_t FindByte(std::string_view text, char wanted) {
  if (text.empty()) return std::string_view::npos;
  const void* found = std::memchr(text.data(), wanted, text.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

std::string_view WithoutPrefix(std::string_view text, std::string_view prefix) {
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  return text;
}

}  // namespace

void SseDecoder::Push(std::string_view slice) {
  slice_ = slice;
  lf_known_ = false;
}

SseStep SseDecoder::Next(SseEvent& event) {
  if (too_long_) return SseStep::kTooLong;
  if (emitted_) StartEvent();
  while (std::optional<std::string_view> line = NextLine()) {
    if (!too_long_ && TakeLine(*line)) return Emit(event, false);
    if (too_long_) return SseStep::kTooLong;
  }
  KeepRest();
  return too_long_ ? SseStep::kTooLong : SseStep::kNeedMore;
}

SseStep SseDecoder::Finish(SseEvent& event) {
  if (too_long_) return SseStep::kTooLong;
  if (emitted_) StartEvent();
  if (!partial_.empty() && !line_whole_) {
    line_whole_ = true;
    TakeLine(WithoutBom(partial_));
    if (too_long_) return SseStep::kTooLong;
  }
  if (!has_data_) return SseStep::kNeedMore;
  return Emit(event, true);
}

// The next whole line without its end, or nothing if the slice has none.
std::optional<std::string_view> SseDecoder::NextLine() {
  if (line_whole_) {
    partial_.clear();
    line_whole_ = false;
  }
  std::optional<std::string_view> line = CutLine();
  if (!line) return line;
  // A BOM counts, so that the limit falls alike however the line was cut.
  too_long_ = partial_.size() + line->size() > limit_;
  if (!partial_.empty() && !too_long_) {
    partial_.append(*line);
    line_whole_ = true;
    line = partial_;
  }
  return WithoutBom(*line);
}

std::string_view SseDecoder::WithoutBom(std::string_view line) {
  if (!first_line_) return line;
  first_line_ = false;
  return WithoutPrefix(line, kBom);
}

std::optional<std::string_view> SseDecoder::CutLine() {
  if (skip_lf_ && !slice_.empty()) {
    skip_lf_ = false;
    if (slice_.front() == '\n') {
      slice_.remove_prefix(1);
      lf_known_ = false;
    }
  }
  // The LF is looked up once per LF, not once per line: lines that end in CR
  // alone would make it quadratic.
  if (!lf_known_) {
    next_lf_ = FindByte(slice_, '\n');
    lf_known_ = true;
  }
  const size_t before = std::min(next_lf_, slice_.size());
  const size_t cr = FindByte(slice_.substr(0, before), '\r');
  const size_t end = cr != std::string_view::npos ? cr : next_lf_;
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = slice_.substr(0, end);
  skip_lf_ = cr != std::string_view::npos;
  slice_.remove_prefix(end + 1);
  if (!skip_lf_) {
    lf_known_ = false;
  } else if (next_lf_ != std::string_view::npos) {
    next_lf_ -= end + 1;
  }
  return line;
}

// True if the line ended an event that has data.
bool SseDecoder::TakeLine(std::string_view line) {
  if (line.empty()) {
    if (has_data_) return true;
    name_.clear();
    id_.clear();
    return false;
  }
  const size_t colon = FindByte(line, ':');
  if (colon == 0) {
    ++comments_;
  } else if (colon == std::string_view::npos) {
    TakeField(line, "");
  } else {
    TakeField(line.substr(0, colon),
              WithoutPrefix(line.substr(colon + 1), " "));
  }
  return false;
}

void SseDecoder::TakeField(std::string_view name, std::string_view value) {
  if (name == "data") {
    AddData(value);
  } else if (name == "event") {
    name_.assign(value);
  } else if (name == "id" && FindByte(value, '\0') == std::string_view::npos) {
    id_.assign(value);
  }
}

void SseDecoder::AddData(std::string_view value) {
  if (!has_data_) {
    has_data_ = true;
    data_in_slice_ = !line_whole_;
    if (data_in_slice_) {
      data_view_ = value;
    } else {
      data_.assign(value);
    }
    return;
  }
  if (data_in_slice_) {
    data_.assign(data_view_);
    data_in_slice_ = false;
  }
  if (data_.size() + 1 + value.size() > limit_) {
    too_long_ = true;
    return;
  }
  data_.push_back('\n');
  data_.append(value);
}

// The slice is about to die: what is still needed of it moves to buffers.
void SseDecoder::KeepRest() {
  if (data_in_slice_) {
    data_.assign(data_view_);
    data_in_slice_ = false;
  }
  if (partial_.size() + slice_.size() > limit_) {
    too_long_ = true;
    return;
  }
  partial_.append(slice_);
  slice_ = {};
  lf_known_ = false;
}

void SseDecoder::StartEvent() {
  emitted_ = false;
  has_data_ = false;
  data_in_slice_ = false;
  data_.clear();
  name_.clear();
  id_.clear();
}

SseStep SseDecoder::Emit(SseEvent& event, bool unterminated) {
  emitted_ = true;
  event.name = name_;
  event.data = data_in_slice_ ? data_view_ : std::string_view(data_);
  event.id = id_;
  event.unterminated = unterminated;
  return SseStep::kEvent;
}

}  // namespace llm
