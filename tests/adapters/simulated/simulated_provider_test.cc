#include "adapters/simulated/simulated_provider.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "adapters/core/json.h"
#include "tests/support/run_task.h"

namespace llm {
namespace {

class CollectingSink : public EventSink {
 public:
  Task<absl::Status> Write(v1::ChatCompletionChunk&& chunk) override {
    for (const v1::ChunkChoice& choice : chunk.choices()) {
      for (const v1::Part& part : choice.delta().parts()) {
        text += part.text().text();
        reasoning += part.reasoning().text();
        if (part.has_tool_call()) calls.push_back(part.tool_call());
      }
      if (!choice.finish_reason().empty()) {
        finish.push_back(choice.finish_reason());
      }
    }
    ++chunks;
    co_return fail_at == chunks ? absl::CancelledError("gone")
                                : absl::OkStatus();
  }
  std::string text;
  std::string reasoning;
  std::vector<v1::ToolCall> calls;
  std::vector<std::string> finish;
  int chunks = 0;
  int fail_at = 0;
};

void Say(ChatRequest& request, const std::string& role,
         const std::string& text) {
  v1::Message& message = *request.message.add_messages();
  message.set_role(role);
  message.add_parts()->mutable_text()->set_text(text);
}

void Offer(ChatRequest& request, const std::string& name) {
  v1::FunctionTool& tool = *request.message.add_tools()->mutable_function();
  tool.set_name(name);
  tool.set_parameters(
      R"({"type":"object","properties":{"ticker":{"type":"string"},)"
      R"("curr_date":{"type":"string"}},"required":["ticker","curr_date"]})");
}

struct Run {
  CollectingSink sink;
  AttemptResult result;
};

Run Ask(const ChatRequest& request, bool stream = true,
        SimulatedOptions options = {}, int fail_at = 0) {
  boost::asio::io_context io(1);
  FakeClock clock;
  ProviderSettings settings;
  settings.simulated = options;
  const auto provider = MakeSimulatedProvider(settings, clock);
  AttemptContext context;
  context.stream = stream;
  context.deadlines.total = clock.Monotonic() + absl::Seconds(60);
  Run run;
  run.sink.fail_at = fail_at;
  run.result = std::move(
      *RunTask(io, clock, provider->Chat(request, context, run.sink)));
  return run;
}

TEST_CASE("The same request gets the same answer, whole and streamed",
          "[adapters][simulated][STR-3]") {
  ChatRequest request;
  Say(request, "user", "请分析 600519 在 2026-01-15 的走势，越详细越好");
  const Run whole = Ask(request, false);
  const Run streamed = Ask(request, true);
  CHECK(whole.sink.text == streamed.sink.text);
  CHECK(whole.sink.text.find("600519") != std::string::npos);
  CHECK(whole.result.usage == streamed.result.usage);
  CHECK(streamed.sink.chunks > 5);
  CHECK(whole.sink.chunks == 2);
  CHECK(Ask(request).sink.text == streamed.sink.text);
  const std::string& text = whole.sink.text;
  CHECK(whole.result.output_chars ==
        std::count_if(text.begin(), text.end(),
                      [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

TEST_CASE("Tools are called first and answered once results are there",
          "[adapters][simulated]") {
  ChatRequest request;
  Say(request, "user", "Analyse NVDA as of 2026-02-03");
  Offer(request, "get_stock_data");
  Offer(request, "get_indicators");
  const Run first = Ask(request);
  REQUIRE(first.sink.calls.size() == 2);
  CHECK(first.sink.finish == std::vector<std::string>{"tool_calls"});
  CHECK(first.sink.calls[0].function().arguments() ==
        R"({"ticker":"NVDA","curr_date":"2026-02-03"})");
  CHECK(first.sink.calls[0].id() != first.sink.calls[1].id());

  v1::Message& turn = *request.message.add_messages();
  turn.set_role("assistant");
  *turn.add_parts()->mutable_tool_call() = first.sink.calls[0];
  Say(request, "tool", "closing price 100");
  const Run second = Ask(request);
  CHECK(second.sink.calls.empty());
  CHECK(second.sink.finish == std::vector<std::string>{"stop"});
  CHECK_FALSE(second.sink.text.empty());
}

TEST_CASE("A call carries the values that the prompt spells out",
          "[adapters][simulated]") {
  const auto [prompt, want] = GENERATE(table<std::string, std::string>({
      {"What is add(3, 0.5, 'x y')?", R"({"n":3,"share":0.5,"name":"x y"})"},
      {"add(3)", R"({"n":3,"share":0.5,"name":)"},
      {"Don't add(n) for 'Müller & Söhne', it's", "Müller & Söhne"},
      {"为“你好啊集团”建客户", "你好啊集团"},
      {"Say 'it's me' twice", "it's me"},
      {"An open 'quote", "simulated"},
      {"add('text', true)", "text"},
      {"add(9)", R"({"n":8,)"},
      {"Use add: add(3, 0.5, 'x')", R"({"n":3,"share":0.5,"name":"x"})"},
      {"add(-9223372036854775809)", R"({"n":8,)"},
      {"add(-1e999)", R"({"n":8,)"},
  }));
  CAPTURE(prompt);
  ChatRequest request;
  Say(request, "user", prompt);
  v1::FunctionTool& tool = *request.message.add_tools()->mutable_function();
  tool.set_name("add");
  tool.set_parameters(
      R"({"type":"object","properties":{"n":{"type":"integer","exclusiveMaximum":9},"share":)"
      R"({"type":"number","const":0.5},"name":{"type":"string"}},)"
      R"("required":["n","share","name"]})");
  const Run run = Ask(request);
  REQUIRE(run.sink.calls.size() == 1);
  const std::string& arguments = run.sink.calls[0].function().arguments();
  CAPTURE(arguments);
  CHECK(arguments.find(want) != std::string::npos);
}

TEST_CASE("Quoted names are the keys of the JSON that is asked for",
          "[adapters][simulated]") {
  ChatRequest request;
  Say(request, "user",
      "Tell 'Bob' as JSON. Use 'setup' and 'punchline' keys, 'setup' first.");
  CHECK(Ask(request).sink.text ==
        R"({"setup":"simulated","punchline":"simulated"})");
}

TEST_CASE("A word that ends in key makes no names of quoted words",
          "[adapters][simulated]") {
  ChatRequest request;
  Say(request, "user", "JSON about the monkey 'Koko', please.");
  CHECK(Ask(request).sink.text.find("Koko\":") == std::string::npos);
}

TEST_CASE("A forced tool is called whatever the history",
          "[adapters][simulated]") {
  ChatRequest request;
  Say(request, "user", "decide");
  Offer(request, "a");
  Offer(request, "b");
  request.message.mutable_tool_choice()->set_function("b");
  Say(request, "tool", "some result");
  const Run run = Ask(request);
  REQUIRE(run.sink.calls.size() == 1);
  CHECK(run.sink.calls[0].function().name() == "b");
}

TEST_CASE("No parallel calls means one call", "[adapters][simulated]") {
  ChatRequest request;
  Say(request, "user", "go");
  Offer(request, "a");
  Offer(request, "b");
  request.message.set_parallel_tool_calls(false);
  CHECK(Ask(request).sink.calls.size() == 1);
}

TEST_CASE("A prompt that sketches JSON gets its keys back",
          "[adapters][simulated]") {
  ChatRequest request;
  Say(request, "system",
      "Reply in JSON: {\"action\": \"买入/持有/卖出\", \"target_price\": "
      "10.5,\n"
      "\"confidence\": 0.8, \"reasoning\": \"why\"}");
  Say(request, "user", "report text");
  const Run run = Ask(request);
  const auto doc = JsonDocument::Parse(run.sink.text);
  REQUIRE(doc.ok());
  CHECK(doc->root().Find("action").Equals("买入"));
  CHECK(doc->root().Find("target_price").is_number());
  CHECK(doc->root().Find("reasoning").is_string());
}

TEST_CASE("A budget eaten by reasoning ends with length and no text",
          "[adapters][simulated][TRN-8]") {
  ChatRequest request;
  Say(request, "user", "think");
  request.message.set_max_tokens(3);
  boost::asio::io_context io(1);
  FakeClock clock;
  const auto provider = MakeSimulatedProvider({}, clock);
  AttemptContext context;
  context.reasoning = ReasoningSwitch::kOn;
  CollectingSink sink;
  const AttemptResult result =
      *RunTask(io, clock, provider->Chat(request, context, sink));
  CHECK(sink.finish == std::vector<std::string>{"length"});
  CHECK(sink.text.empty());
  CHECK_FALSE(sink.reasoning.empty());
  CHECK(result.reasoning_exhausted);
  CHECK(result.usage.output.value() <= 3);
}

TEST_CASE("A slow answer meets the attempt's deadline",
          "[adapters][simulated]"
          "[TMO-1]") {
  ChatRequest request;
  Say(request, "user", "hello");
  SimulatedOptions slow;
  slow.latency = absl::Seconds(300);
  const Run run = Ask(request, true, slow);
  CHECK(run.result.failure.failure == FailureClass::kTimeout);
  CHECK(run.sink.chunks == 0);
}

TEST_CASE("A caller that leaves ends the answer with the usage so far",
          "[adapters][simulated][TMO-3]") {
  ChatRequest request;
  Say(request, "user", "hello");
  const Run run = Ask(request, true, {}, 3);
  CHECK(run.result.failure.failure == FailureClass::kCancelled);
  CHECK(run.result.usage_source == UsageSource::kPartial);
  // What was handed over, not the whole script.
  CHECK(run.result.output_chars == 36);
  CHECK(run.sink.chunks == 3);
}

TEST_CASE("A set fault fails every call with its class",
          "[adapters][simulated]") {
  const auto [status, want] = GENERATE(table<int, FailureClass>({
      {400, FailureClass::kInvalidRequest},
      {401, FailureClass::kBadKey},
      {402, FailureClass::kOutOfMoney},
      {404, FailureClass::kModelNotFound},
      {429, FailureClass::kRateLimited},
      {500, FailureClass::kServerError},
      {503, FailureClass::kOverloaded},
  }));
  CAPTURE(status);
  ChatRequest request;
  Say(request, "user", "hello");
  SimulatedOptions options;
  options.fail_status = status;
  const Run run = Ask(request, true, options);
  CHECK(run.result.failure.failure == want);
  CHECK_FALSE(run.result.status.ok());
}

TEST_CASE("Stop strings, choices and limits are honoured",
          "[adapters][simulated]") {
  ChatRequest request;
  Say(request, "user", "hello there");
  request.message.add_stop("deterministic");
  CHECK(Ask(request).sink.text.find("deterministic") == std::string::npos);
  request.message.clear_stop();
  request.message.set_n(3);
  CHECK(Ask(request).sink.finish.size() == 3);
  request.message.clear_n();
  request.message.set_max_completion_tokens(5);
  const Run cut = Ask(request);
  CHECK(cut.sink.finish == std::vector<std::string>{"length"});
  CHECK(cut.sink.text.size() <= 20);
}

TEST_CASE("A long text is cut to the limit in one pass",
          "[adapters][simulated][limits]") {
  ChatRequest request;
  Say(request, "user", "go");
  v1::ResponseFormat& format = *request.message.mutable_response_format();
  format.set_type("json_schema");
  format.mutable_json_schema()->set_schema(
      R"({"type":"array","minItems":9,"items":)"
      R"({"type":"string","minLength":100000}})");
  request.message.set_max_tokens(1);
  const Run run = Ask(request);
  CHECK(run.sink.text.size() == 4);
  CHECK(run.sink.finish == std::vector<std::string>{"length"});
}

TEST_CASE("All choices of a request share one budget",
          "[adapters][simulated][limits]") {
  ChatRequest request;
  Say(request, "user", "go");
  v1::ResponseFormat& format = *request.message.mutable_response_format();
  format.set_type("json_schema");
  format.mutable_json_schema()->set_schema(
      R"({"type":"string","minLength":100000})");
  request.message.set_n(128);
  const Run run = Ask(request, false);
  CHECK(run.sink.finish.size() == 128);
  CHECK(run.sink.text.size() > 100'000);
  CHECK(run.sink.text.size() < 2'000'000);
}

TEST_CASE("A prompt of nothing but braces is read once",
          "[adapters][simulated][limits]") {
  ChatRequest request;
  std::string braces = "JSON ";
  for (int i = 0; i < 500'000; ++i) braces += "{x";
  Say(request, "user", braces);
  const Run run = Ask(request);
  CHECK(JsonDocument::Parse(run.sink.text).ok());
}

TEST_CASE("What is asked around megabytes of material is read",
          "[adapters][simulated][PRF-3]") {
  const auto ask = [](const std::string& material, const std::string& end) {
    ChatRequest request;
    Say(request, "user", "Report on 600519. " + material + end);
    return Ask(request);
  };
  std::string material(1'000'000, 'x');
  const Run run = ask(material, " as of 2026-03-04");
  CHECK(run.sink.text.find("600519") != std::string::npos);
  CHECK(run.sink.text.find("2026-03-04") != std::string::npos);
  // All of it shapes the answer, and counts.
  material[500'001] = 'y';
  CHECK(ask(material, " as of 2026-03-04").sink.text != run.sink.text);
  CHECK(ask(material, " Reply in JSON: {\"a\": 1}").sink.text == R"({"a":1})");
}

TEST_CASE("A look at the simulated provider shows its faults and no luck",
          "[adapters][simulated][probe]") {
  const auto [status, rate, want] = GENERATE(table<int, double, ProbeVerdict>({
      {0, 0.0, ProbeVerdict::kUp},
      {0, 0.5, ProbeVerdict::kUp},
      {0, 1.0, ProbeVerdict::kDown},
      {503, 0.0, ProbeVerdict::kDown},
      {429, 0.0, ProbeVerdict::kUnknown},
      {401, 0.0, ProbeVerdict::kUnknown},
  }));
  CAPTURE(status, rate);
  boost::asio::io_context io;
  FakeClock clock;
  ProviderSettings settings;
  settings.simulated.fail_status = status;
  settings.simulated.failure_rate = rate;
  const auto provider = MakeSimulatedProvider(settings, clock);
  const ProbeResult result = RunTask(io, provider->Probe({}));
  CHECK(result.verdict == want);
  CHECK(result.message.empty() == (want == ProbeVerdict::kUp));
}

EmbedResult Embed(const v1::CreateEmbeddingsRequest& request,
                  SimulatedOptions options = {}) {
  boost::asio::io_context io(1);
  FakeClock clock;
  ProviderSettings settings;
  settings.simulated = options;
  const auto provider = MakeSimulatedProvider(settings, clock);
  AttemptContext context;
  context.deadlines.total = clock.Monotonic() + absl::Seconds(60);
  return RunTask(io, clock, provider->Embed(request, context));
}

TEST_CASE("The same text has the same vector, of length one",
          "[adapters][simulated][embeddings]") {
  v1::CreateEmbeddingsRequest request;
  for (const char* text : {"one", "two", "one"}) request.add_input(text);
  const EmbedResult got = Embed(request);
  REQUIRE(got.attempt.status.ok());
  REQUIRE(got.vectors.size() == 3);
  CHECK(got.vectors[0].size() == 1536);
  CHECK(got.vectors[0] == got.vectors[2]);
  CHECK(got.vectors[0] != got.vectors[1]);
  double squares = 0;
  for (const float x : got.vectors[1]) {
    squares += static_cast<double>(x) * static_cast<double>(x);
  }
  CHECK(squares == Approx(1));
  CHECK(got.attempt.usage.fresh_input == 3);
  CHECK(got.attempt.usage.output == 0);
}

TEST_CASE("A simulated vector has the dimensions that are asked for",
          "[adapters][simulated][embeddings]") {
  v1::CreateEmbeddingsRequest request;
  request.add_token_inputs()->add_tokens(5);
  request.set_dimensions(8);
  CHECK(Embed(request).vectors.at(0).size() == 8);
  request.set_dimensions(5000);
  const EmbedResult refused = Embed(request);
  CHECK(refused.attempt.failure.failure == FailureClass::kInvalidRequest);
  CHECK(refused.attempt.failure.param == "dimensions");
  request.set_dimensions(8);
  CHECK(Embed(request, {.fail_status = 429}).attempt.failure.failure ==
        FailureClass::kRateLimited);
}

}  // namespace
}  // namespace llm
