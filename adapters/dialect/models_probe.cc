#include "adapters/dialect/models_probe.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"
#include "adapters/dialect/error_body.h"
#include "adapters/dialect/mask_key.h"

namespace llm {
namespace {

// A list that takes longer says enough about the provider's state.
constexpr absl::Duration kPatience = absl::Seconds(10);
constexpr absl::Duration kConnectPatience = absl::Seconds(5);
// The longest lists (OpenRouter's) are below a megabyte.
constexpr size_t kMaxList = size_t{4} << 20;
constexpr size_t kMaxProbeBody = size_t{16} << 10;

// Keeps the start of a refusal and counts the rest away.
class Discard : public BodySink {
 public:
  void OnHead(int status, const std::vector<HttpHeader>& /*headers*/) override {
    status_ = status;
  }

  Task<absl::StatusOr<BodyProgress>> OnBody(std::string_view slice) override {
    seen_ += slice.size();
    if (status_ / 100 != 2) {
      const size_t room = kMaxProbeBody - std::min(kMaxProbeBody, body_.size());
      body_ += slice.substr(0, room);
    }
    if (seen_ > kMaxList) co_return absl::AbortedError("enough was seen");
    co_return BodyProgress::kContent;
  }

  int status() const { return status_; }
  const std::string& body() const { return body_; }

 private:
  int status_ = 0;
  size_t seen_ = 0;
  std::string body_;
};

ProbeVerdict Judge(const HttpResult& http, int status) {
  if (status / 100 == 5) return ProbeVerdict::kDown;
  const bool ended =
      http.status.ok() || http.status.code() == absl::StatusCode::kAborted;
  if (ended) {
    return status / 100 == 2 ? ProbeVerdict::kUp : ProbeVerdict::kUnknown;
  }
  const bool silent = http.status.code() == absl::StatusCode::kUnavailable ||
                      http.status.code() == absl::StatusCode::kDeadlineExceeded;
  return silent ? ProbeVerdict::kDown : ProbeVerdict::kUnknown;
}

}  // namespace

Task<ProbeResult> ProbeModels(const ProbeTarget& target,
                              const ProbeContext& context,
                              HttpTransport& transport, const Clock& clock) {
  HttpRequest request;
  request.method = "GET";
  request.url = target.url;
  request.headers = target.headers;
  request.headers.push_back({"accept", "application/json"});
  request.endpoint = target.endpoint;
  request.deadlines.connect = kConnectPatience;
  request.deadlines.first_content = kPatience;
  request.deadlines.idle = kPatience;
  request.deadlines.total =
      std::min(context.deadline, clock.Monotonic() + kPatience);
  Discard sink;
  const HttpResult http = co_await transport.Send(request, sink);
  ProbeResult result;
  result.http_status = sink.status();
  result.verdict = Judge(http, sink.status());
  if (result.verdict == ProbeVerdict::kUp) co_return result;
  std::string said(http.status.message());
  if (sink.status() != 0) said = ReadErrorBody(sink.body()).message;
  // Before the text is cut.
  MaskKey(context.api_key, &said);
  result.message = SanitiseUpstreamText(said, 512);
  if (result.message.empty()) {
    result.message = absl::StrCat("HTTP ", sink.status());
  }
  co_return result;
}

}  // namespace llm
