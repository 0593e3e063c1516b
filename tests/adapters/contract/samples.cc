#include "tests/adapters/contract/samples.h"

namespace llm {
namespace {

using enum FailureClass;

std::string Joined(const std::vector<std::string>& events) {
  std::string out;
  for (const std::string& event : events) out += event;
  return out;
}

std::string Data(const std::string& json) { return "data: " + json + "\n\n"; }

// --- openai (openai.md 4 and 5)

std::string Chunk(const std::string& delta, const std::string& finish) {
  return Data(R"({"id":"c1","model":"m-1","choices":[{"index":0,"delta":)" +
              delta + R"(,"finish_reason":)" + finish + "}]}");
}

DialectSample OpenAi() {
  const std::string usage =
      R"("usage":{"prompt_tokens":10,"completion_tokens":6,"total_tokens":16,)"
      R"("prompt_tokens_details":{"cached_tokens":4}})";
  const auto whole = [&](const std::string& message,
                         const std::string& finish) {
    return R"({"id":"c1","model":"m-1","choices":[{"index":0,"message":)" +
           message + R"(,"finish_reason":")" + finish + "\"}]," + usage + "}";
  };
  const std::string usage_chunk = Data(R"({"choices":[],)" + usage + "}");
  DialectSample s;
  s.dialect = "openai";
  s.base_url = "https://upstream.test/v1";
  s.model = "m-1";
  s.key_header = "authorization";
  s.key_value = "Bearer sk-planted";
  s.whole = whole(
      R"({"role":"assistant","reasoning_content":"Think.","content":"Hello there"})",
      "stop");
  s.events = {Chunk(R"({"role":"assistant","content":""})", "null"),
              Chunk(R"({"reasoning_content":"Think."})", "null"),
              Chunk(R"({"content":"Hello"})", "null"),
              Chunk(R"({"content":" there"})", "null"),
              Chunk("{}", "\"stop\""),
              usage_chunk,
              "data: [DONE]\n\n"};
  s.whole_call = whole(
      R"({"role":"assistant","content":null,"tool_calls":[{"id":"call_1",)"
      R"("type":"function","function":{"name":"look","arguments":"{\"a\": 1}"}}]})",
      "tool_calls");
  s.call_events = {
      Chunk(R"({"tool_calls":[{"index":0,"id":"call_1","type":"function",)"
            R"("function":{"name":"look","arguments":""}}]})",
            "null"),
      Chunk(
          R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]})",
          "null"),
      Chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":" 1}"}}]})",
            "null"),
      Chunk("{}", "\"tool_calls\""),
      usage_chunk,
      "data: [DONE]\n\n"};
  s.error_event =
      Data(R"({"error":{"message":"busy","type":"overloaded_error"}})");
  s.error_class = kOverloaded;
  s.empty = whole(R"({"role":"assistant","content":""})", "stop");
  s.unknown_event = Data(R"({"id":"c1","kind":"new","choices":[]})");
  s.refusals = {
      {401, R"({"error":{"message":"bad key","code":"invalid_api_key"}})",
       kBadKey},
      {404, R"({"error":{"message":"none","code":"model_not_found"}})",
       kModelNotFound},
      {400,
       R"({"error":{"message":"too long","code":"context_length_exceeded"}})",
       kContextLength},
      {400,
       R"({"error":{"message":"bad","type":"invalid_request_error","param":"top_p"}})",
       kInvalidRequest},
      {429, R"({"error":{"message":"slow down","code":"rate_limit_exceeded"}})",
       kRateLimited},
      {429, R"({"error":{"message":"pay","code":"insufficient_quota"}})",
       kOutOfMoney},
      {500, R"({"error":{"message":"oops"}})", kServerError},
      {503, R"({"error":{"message":"busy"}})", kOverloaded},
      {502, "<html>bad gateway</html>", kServerError},
  };
  s.terminal_events = 3;
  return s;
}

// --- anthropic (anthropic.md 4 to 6)

std::string Event(const std::string& type, const std::string& members) {
  return "event: " + type + "\n" +
         Data(R"({"type":")" + type + "\"" +
              (members.empty() ? "" : "," + members) + "}");
}

std::string BlockDelta(int index, const std::string& delta) {
  return Event("content_block_delta",
               R"("index":)" + std::to_string(index) + R"(,"delta":)" + delta);
}

std::string BlockStart(int index, const std::string& block) {
  return Event("content_block_start", R"("index":)" + std::to_string(index) +
                                          R"(,"content_block":)" + block);
}

std::string BlockStop(int index) {
  return Event("content_block_stop", R"("index":)" + std::to_string(index));
}

std::string MessageStart() {
  return Event("message_start",
               R"("message":{"id":"msg_1","type":"message","role":"assistant",)"
               R"("model":"claude-sonnet-4-5","content":[],"stop_reason":null,)"
               R"("usage":{"input_tokens":6,"cache_read_input_tokens":4,)"
               R"("cache_creation_input_tokens":0,"output_tokens":1}})");
}

std::vector<std::string> MessageEnd(const std::string& reason) {
  return {
      Event("message_delta", R"("delta":{"stop_reason":")" + reason +
                                 R"("},"usage":{"output_tokens":6})"),
      Event("message_stop", ""),
  };
}

DialectSample Anthropic() {
  const auto whole = [](const std::string& content, const std::string& reason) {
    return R"({"id":"msg_1","type":"message","role":"assistant",)"
           R"("model":"claude-sonnet-4-5","content":[)" +
           content + R"(],"stop_reason":")" + reason +
           R"(","usage":{"input_tokens":6,"cache_read_input_tokens":4,)"
           R"("cache_creation_input_tokens":0,"output_tokens":6}})";
  };
  const auto refusal = [](const std::string& type, const std::string& text) {
    return R"({"type":"error","error":{"type":")" + type + R"(","message":")" +
           text + R"("},"request_id":"req_1"})";
  };
  DialectSample s;
  s.dialect = "anthropic";
  s.base_url = "https://upstream.test";
  s.model = "claude-sonnet-4-5";
  s.key_header = "x-api-key";
  s.key_value = "sk-planted";
  s.whole =
      whole(R"({"type":"thinking","thinking":"Think.","signature":"sig"},)"
            R"({"type":"text","text":"Hello there"})",
            "end_turn");
  s.events = {
      MessageStart(),
      Event("ping", ""),
      BlockStart(0, R"({"type":"thinking","thinking":"","signature":""})"),
      BlockDelta(0, R"({"type":"thinking_delta","thinking":"Think."})"),
      BlockDelta(0, R"({"type":"signature_delta","signature":"sig"})"),
      BlockStop(0),
      BlockStart(1, R"({"type":"text","text":""})"),
      BlockDelta(1, R"({"type":"text_delta","text":"Hello"})"),
      BlockDelta(1, R"({"type":"text_delta","text":" there"})"),
      BlockStop(1)};
  for (const std::string& event : MessageEnd("end_turn")) {
    s.events.push_back(event);
  }
  s.whole_call = whole(
      R"({"type":"tool_use","id":"call_1","name":"look","input":{"a": 1}})",
      "tool_use");
  s.call_events = {
      MessageStart(),
      BlockStart(0, R"({"type":"tool_use","id":"call_1","name":"look",)"
                    R"("input":{}})"),
      BlockDelta(0, R"({"type":"input_json_delta","partial_json":""})"),
      BlockDelta(0, R"({"type":"input_json_delta","partial_json":"{\"a\":"})"),
      BlockDelta(0, R"({"type":"input_json_delta","partial_json":" 1}"})"),
      BlockStop(0)};
  for (const std::string& event : MessageEnd("tool_use")) {
    s.call_events.push_back(event);
  }
  s.error_event = Event(
      "error", R"("error":{"type":"overloaded_error","message":"Overloaded"})");
  s.error_class = kOverloaded;
  s.empty = whole("", "end_turn");
  s.unknown_event = Event("something_new", R"("index":0)");
  s.refusals = {
      {401, refusal("authentication_error", "invalid x-api-key"), kBadKey},
      {403, refusal("permission_error", "no"), kPermission},
      {404, refusal("not_found_error", "model: x"), kModelNotFound},
      {400,
       refusal("invalid_request_error",
               "prompt is too long: 210000 tokens > 200000 maximum"),
       kContextLength},
      {400, refusal("invalid_request_error", "top_p: bad"), kInvalidRequest},
      {400,
       refusal("invalid_request_error",
               "Your credit balance is too low to access the API"),
       kOutOfMoney},
      {402, refusal("billing_error", "pay"), kOutOfMoney},
      {429, refusal("rate_limit_error", "slow down"), kRateLimited},
      {500, refusal("api_error", "oops"), kServerError},
      {529, refusal("overloaded_error", "Overloaded"), kOverloaded},
      {502, "<html>bad gateway</html>", kServerError},
  };
  s.terminal_events = 1;
  return s;
}

// --- gemini (gemini.md 3, 5, 6)

std::string Candidate(const std::string& parts, const std::string& finish) {
  return R"("candidates":[{"content":{"role":"model","parts":[)" + parts +
         "]}" + (finish.empty() ? "" : R"(,"finishReason":")" + finish + "\"") +
         R"(,"index":0}])";
}

std::string Response(const std::string& members) {
  return "{" + members +
         R"(,"usageMetadata":{"promptTokenCount":10,)"
         R"("cachedContentTokenCount":4,"candidatesTokenCount":5,)"
         R"("thoughtsTokenCount":1,"totalTokenCount":16},)"
         R"("modelVersion":"gemini-2.5-flash","responseId":"r1"})";
}

std::string Crlf(const std::string& json) {
  return "data: " + json + "\r\n\r\n";
}

DialectSample Gemini() {
  const auto refusal = [](int code, const std::string& status,
                          const std::string& text, const std::string& details) {
    return R"({"error":{"code":)" + std::to_string(code) + R"(,"message":")" +
           text + R"(","status":")" + status + R"(","details":[)" + details +
           "]}}";
  };
  const std::string thought = R"({"text":"Think.","thought":true})";
  const std::string call =
      R"({"functionCall":{"id":"call_1","name":"look","args":{"a": 1}}})";
  DialectSample s;
  s.dialect = "gemini";
  s.base_url = "https://upstream.test/v1beta";
  s.model = "gemini-2.5-flash";
  s.key_header = "x-goog-api-key";
  s.key_value = "sk-planted";
  s.whole = Response(Candidate(thought + R"(,{"text":"Hello there"})", "STOP"));
  s.events = {Crlf(Response(Candidate(thought, ""))),
              Crlf(Response(Candidate(R"({"text":"Hello"})", ""))),
              Crlf(Response(Candidate(R"({"text":" there"})", "STOP")))};
  s.whole_call = Response(Candidate(call, "STOP"));
  s.call_events = {Crlf(Response(Candidate(call, ""))),
                   Crlf(Response(Candidate(R"({"text":""})", "STOP")))};
  s.error_event = Crlf(refusal(503, "UNAVAILABLE", "overloaded", ""));
  s.error_class = kOverloaded;
  s.empty = Response(Candidate("", "STOP"));
  s.unknown_event = Crlf(R"({"somethingNew":{"a":1}})");
  s.refusals = {
      {400,
       refusal(400, "INVALID_ARGUMENT", "API key not valid.",
               R"({"@type":"type.googleapis.com/google.rpc.ErrorInfo",)"
               R"("reason":"API_KEY_INVALID"})"),
       kBadKey},
      {400,
       refusal(400, "INVALID_ARGUMENT",
               "The input token count exceeds the maximum number of tokens"
               " allowed",
               ""),
       kContextLength},
      {400, refusal(400, "INVALID_ARGUMENT", "Unknown name", ""),
       kInvalidRequest},
      {403, refusal(403, "PERMISSION_DENIED", "no", ""), kPermission},
      {404, refusal(404, "NOT_FOUND", "no such model", ""), kModelNotFound},
      {429,
       refusal(429, "RESOURCE_EXHAUSTED", "slow down",
               R"({"@type":"type.googleapis.com/google.rpc.RetryInfo",)"
               R"("retryDelay":"34s"})"),
       kRateLimited},
      {500, refusal(500, "INTERNAL", "oops", ""), kServerError},
      {503, refusal(503, "UNAVAILABLE", "busy", ""), kOverloaded},
      {502, "<html>bad gateway</html>", kServerError},
  };
  s.terminal_events = 1;
  return s;
}

}  // namespace

std::string DialectSample::Stream() const { return Joined(events); }
std::string DialectSample::CallStream() const { return Joined(call_events); }

const std::vector<DialectSample>& AllDialects() {
  static const auto* const kAll =
      new std::vector<DialectSample>{OpenAi(), Anthropic(), Gemini()};
  return *kAll;
}

}  // namespace llm
