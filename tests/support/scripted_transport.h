// A transport that plays one answer, cut as the test likes.
//
//   ScriptedTransport transport({.body = "data: …"});
//   transport.cut = {Cut::Kind::kEveryByte};
//
// Threads: One event loop; see http_transport.h.
#ifndef LLM_TESTS_SUPPORT_SCRIPTED_TRANSPORT_H_
#define LLM_TESTS_SUPPORT_SCRIPTED_TRANSPORT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "adapters/core/http_transport.h"

namespace llm {

// How an answer is cut into slices.
struct Cut {
  enum class Kind { kWhole, kEveryByte, kRandom };
  Kind kind = Kind::kWhole;
  uint64_t seed = 0;
};

class ScriptedTransport : public HttpTransport {
 public:
  struct Script {
    int status = 200;
    std::vector<HttpHeader> headers = {{"content-type", "text/event-stream"}};
    std::string body = {};
    // How the exchange ends once the body is out. A deadline also ends it
    // while the sink waits, so it stands before the sink's own error.
    absl::Status end = absl::OkStatus();
    // Ends before any head has come.
    bool no_head = false;
    HttpPhase phase = HttpPhase::kComplete;
    bool reused_connection = false;
    // The exchange's whole time, as reported; nothing waits for it.
    absl::Duration took = absl::ZeroDuration();
  };

  explicit ScriptedTransport(Script script) : script_(std::move(script)) {}

  Task<HttpResult> Send(const HttpRequest& request, BodySink& sink) override;

  Cut cut;
  // What was sent, newest last.
  std::vector<HttpRequest> requests;
  // Whether each slice moved the content on.
  std::vector<BodyProgress> progress;

 private:
  Script script_;
};

}  // namespace llm

#endif  // LLM_TESTS_SUPPORT_SCRIPTED_TRANSPORT_H_
