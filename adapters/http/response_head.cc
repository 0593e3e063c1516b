#include "adapters/http/response_head.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "adapters/core/text.h"

namespace llm {
namespace {

std::string_view Trimmed(std::string_view text) {
  return ToStd(absl::StripAsciiWhitespace(ToAbsl(text)));
}

std::string_view WithoutLineEnd(std::string_view line) {
  return ToStd(absl::StripTrailingAsciiWhitespace(ToAbsl(line)));
}

}  // namespace

bool ResponseHead::OnLine(std::string_view line) {
  bytes_ += line.size();
  ++lines_;
  // Interim heads and trailers share the limits: a peer may send either
  // without end.
  if (bytes_ > kMaxBytes || lines_ > 2 * kMaxHeaders) return false;
  if (complete_) return true;
  const std::string_view text = WithoutLineEnd(line);
  if (status_ == 0 && text.starts_with("HTTP/")) {
    StartHead(text);
    return true;
  }
  if (!text.empty()) return AddHeader(text);
  if (started_) {
    complete_ = true;
  } else {
    status_ = 0;
    headers_.clear();
  }
  return true;
}

// "HTTP/1.1 200 OK", "HTTP/2 200". Curl has checked the line's form.
void ResponseHead::StartHead(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return;
  int status = 0;
  if (!absl::SimpleAtoi(ToAbsl(line.substr(space + 1, 3)), &status)) return;
  status_ = status;
  started_ = status >= 200;
}

bool ResponseHead::AddHeader(std::string_view line) {
  const bool folded = line.front() == ' ' || line.front() == '\t';
  if (folded && !headers_.empty()) {
    headers_.back().value.append(" ").append(Trimmed(line));
    return true;
  }
  if (headers_.size() == kMaxHeaders) return false;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;  // not a header: dropped
  headers_.push_back({std::string(line.substr(0, colon)),
                      std::string(Trimmed(line.substr(colon + 1)))});
  return true;
}

}  // namespace llm
