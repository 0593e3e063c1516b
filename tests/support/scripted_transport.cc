#include "tests/support/scripted_transport.h"

#include <algorithm>
#include <random>

namespace llm {

Task<HttpResult> ScriptedTransport::Send(const HttpRequest& request,
                                         BodySink& sink) {
  requests.push_back(request);
  HttpResult result;
  result.status = script_.end;
  result.phase = script_.phase;
  result.reused_connection = script_.reused_connection;
  result.timings.total = script_.took;
  if (script_.no_head) co_return result;
  sink.OnHead(script_.status, script_.headers);
  result.http_status = script_.status;
  std::mt19937_64 random(cut.seed);
  std::string_view rest = script_.body;
  while (!rest.empty()) {
    size_t size = rest.size();
    if (cut.kind == Cut::Kind::kEveryByte) size = 1;
    if (cut.kind == Cut::Kind::kRandom) {
      size = std::min<size_t>(size, 1 + random() % 97);
    }
    // A copy of its own, gone after the call: a reader that keeps a view is
    // found by the sanitizer.
    const std::string slice(rest.substr(0, size));
    rest.remove_prefix(size);
    result.body_bytes += static_cast<int64_t>(size);
    absl::StatusOr<BodyProgress> step = co_await sink.OnBody(slice);
    if (!step.ok()) {
      if (!absl::IsDeadlineExceeded(script_.end)) result.status = step.status();
      result.phase = HttpPhase::kBody;
      co_return result;
    }
    progress.push_back(*step);
  }
  co_return result;
}

}  // namespace llm
