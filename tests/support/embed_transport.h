// A transport that answers requests for embeddings in either wire form, each
// input by a vector that its text begins: so order and batches can be seen.
//
// Input "7" has the vector {7, 1}; a token list that of its first token.
//
// Threads: One event loop; see http_transport.h.
#ifndef LLM_TESTS_SUPPORT_EMBED_TRANSPORT_H_
#define LLM_TESTS_SUPPORT_EMBED_TRANSPORT_H_

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "adapters/core/http_transport.h"
#include "adapters/core/json.h"

namespace llm {

class EmbedTransport : public HttpTransport {
 public:
  // An answer instead of vectors, for the request of that number.
  struct Fault {
    size_t at = 0;
    int status = 500;
    std::string body = R"({"error":{"message":"down"}})";
    std::vector<HttpHeader> headers = {};
    absl::Status end = absl::OkStatus();
  };

  Task<HttpResult> Send(const HttpRequest& request, BodySink& sink) override {
    requests.push_back(request);
    HttpResult result;
    result.phase = HttpPhase::kComplete;
    const std::vector<HttpHeader> json = {{"content-type", "application/json"}};
    std::string body;
    result.http_status = 200;
    if (!faults.empty() && faults.front().at + 1 == requests.size()) {
      const Fault fault = faults.front();
      faults.pop_front();
      result.http_status = fault.status;
      result.status = fault.end;
      sink.OnHead(fault.status, fault.headers.empty() ? json : fault.headers);
      body = fault.body;
    } else {
      sink.OnHead(200, json);
      body = AnswerTo(request);
    }
    // In two pieces, since nothing promises one.
    const size_t half = body.size() / 2;
    for (const std::string& piece : {body.substr(0, half), body.substr(half)}) {
      const auto step = co_await sink.OnBody(piece);
      if (!step.ok()) result.status = step.status();
    }
    co_return result;
  }

  std::vector<HttpRequest> requests;
  std::deque<Fault> faults;
  // Vectors come last input first, by their index.
  bool backwards = false;
  bool with_usage = true;

 private:
  static std::string VectorOf(JsonValue input) {
    std::string first =
        input.is_array() ? std::string(input.First().raw()) : input.StringOr();
    return absl::StrCat("[", first, ",1]");
  }

  std::string AnswerTo(const HttpRequest& request) const {
    const auto asked = JsonDocument::Parse(request.body);
    const JsonValue root = asked->root();
    std::vector<std::string> parts;
    const bool google = root.Find("requests").is_array();
    const JsonValue list = root.Find(google ? "requests" : "input");
    for (JsonValue one = list.First(); one; one = one.Next()) {
      const std::string vector = VectorOf(
          google ? one.Find("content").Find("parts").First().Find("text")
                 : one);
      parts.push_back(google ? absl::StrCat(R"({"values":)", vector, "}")
                             : absl::StrCat(R"({"object":"embedding","index":)",
                                            parts.size(), R"(,"embedding":)",
                                            vector, "}"));
    }
    const size_t inputs = parts.size();
    std::string data;
    for (size_t i = 0; i < inputs; ++i) {
      absl::StrAppend(&data, i == 0 ? "" : ",",
                      parts[backwards ? inputs - 1 - i : i]);
    }
    if (google) return absl::StrCat(R"({"embeddings":[)", data, "]}");
    return absl::StrCat(
        R"({"object":"list","model":"served-1","data":[)", data, "]",
        with_usage ? absl::StrCat(R"(,"usage":{"prompt_tokens":)", inputs,
                                  R"(,"total_tokens":)", inputs, "}")
                   : "",
        "}");
  }
};

}  // namespace llm

#endif  // LLM_TESTS_SUPPORT_EMBED_TRANSPORT_H_
