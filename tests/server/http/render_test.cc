#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "adapters/core/json.h"
#include "server/http/parse_chat_request.h"
#include "server/http/parse_reports.h"
#include "server/http/render_chat.h"
#include "server/http/render_error.h"
#include "server/http/render_reports.h"

namespace llm::server {
namespace {

v1::ChatCompletionResponse FullAnswer() {
  v1::ChatCompletionResponse response;
  response.set_id("chatcmpl-1");
  response.set_created(7);
  response.set_model("m");
  response.set_service_tier("default");
  response.set_extra_json(R"({"x":1.50})");
  v1::Choice* choice = response.add_choices();
  choice->set_finish_reason("tool_calls");
  choice->set_native_finish_reason("calls");
  choice->set_logprobs(R"({"content":[]})");
  v1::Message* message = choice->mutable_message();
  message->set_role("assistant");
  message->add_parts()->mutable_reasoning()->set_text("why");
  message->add_parts()->mutable_text()->set_text("a");
  message->add_parts()->mutable_text()->set_text("b");
  v1::ToolCall* call = message->add_parts()->mutable_tool_call();
  call->set_id("c1");
  call->set_type("function");
  call->mutable_function()->set_name("f");
  call->mutable_function()->set_arguments("{\"a\":1}");
  message->set_annotations("[]");
  message->set_extra_json(R"({"mood":"good"})");
  v1::Usage* usage = response.mutable_usage();
  usage->set_prompt_tokens(10);
  usage->set_completion_tokens(5);
  usage->set_total_tokens(15);
  usage->mutable_prompt_tokens_details()->set_cached_tokens(4);
  usage->mutable_completion_tokens_details()->set_reasoning_tokens(2);
  v1::ServiceInfo* info = response.mutable_llm_service();
  info->set_request_id("r");
  info->set_model("m");
  info->set_provider("p");
  info->set_task_type("t");
  info->set_attempts(2);
  info->set_reason("why not");
  info->mutable_cost()->set_amount("0.000123");
  info->mutable_cost()->set_currency("USD");
  info->set_usage_source("provider");
  info->add_dropped("top_k");
  info->set_overhead_us(90);
  return response;
}

TEST_CASE("a whole answer is rendered as OpenAI's object",
          "[server][http][render]") {
  CHECK(RenderCompletion(FullAnswer()) ==
        R"({"id":"chatcmpl-1","object":"chat.completion","created":7,)"
        R"("model":"m","choices":[{"index":0,"message":{"role":"assistant",)"
        R"("content":"ab","refusal":null,"reasoning_content":"why",)"
        R"("tool_calls":[{"id":"c1","type":"function","function":)"
        R"({"name":"f","arguments":"{\"a\":1}"}}],"annotations":[],)"
        R"("mood":"good"},"logprobs":{"content":[]},)"
        R"("finish_reason":"tool_calls","native_finish_reason":"calls"}],)"
        R"("usage":{"prompt_tokens":10,"completion_tokens":5,)"
        R"("total_tokens":15,"prompt_tokens_details":{"cached_tokens":4,)"
        R"("audio_tokens":0},"completion_tokens_details":)"
        R"({"reasoning_tokens":2,"audio_tokens":0,)"
        R"("accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},)"
        R"("service_tier":"default","x":1.50,"llm_service":)"
        R"({"request_id":"r","model":"m","provider":"p","task_type":"t",)"
        R"("attempts":2,"reason":"why not","cost":{"amount":"0.000123",)"
        R"("currency":"USD"},"usage_source":"provider","dropped":["top_k"],)"
        R"("overhead_us":90}})");
}

TEST_CASE("an unknown cost is null and never 0", "[server][http][render]") {
  v1::ChatCompletionResponse response = FullAnswer();
  response.mutable_llm_service()->clear_cost();
  CHECK(RenderCompletion(response).find(R"("cost":null)") != std::string::npos);
}

TEST_CASE("an answer without text has null content", "[server][http][render]") {
  v1::ChatCompletionResponse response;
  v1::Message* message = response.add_choices()->mutable_message();
  SECTION("a refusal") {
    message->add_parts()->mutable_refusal()->set_text("no");
    CHECK(RenderCompletion(response).find(R"("content":null,"refusal":"no")") !=
          std::string::npos);
  }
  SECTION("flat fields alone") {
    message->set_reasoning_content("r");
    CHECK(RenderCompletion(response).find(
              R"("content":null,"refusal":null,"reasoning_content":"r")") !=
          std::string::npos);
  }
}

TEST_CASE("signed reasoning survives a round through the caller",
          "[server][http][render][parse]") {
  v1::ChatCompletionResponse response;
  v1::Message* message = response.add_choices()->mutable_message();
  v1::ReasoningPart* proof = message->add_parts()->mutable_reasoning();
  proof->set_text("why");
  proof->set_signature("sig");
  proof->set_origin("anthropic");
  message->add_parts()->mutable_text()->set_text("a");
  const std::string rendered = RenderCompletion(response);
  const auto doc = JsonDocument::Parse(rendered);
  REQUIRE(doc.ok());
  const std::string again =
      R"({"messages":[)" +
      std::string(doc->root().Find("choices").First().Find("message").raw()) +
      "]}";
  const auto back =
      ParseChatRequest(std::make_shared<const std::string>(again));
  REQUIRE(back.ok());
  const v1::Message& returned = back->message.messages(0);
  REQUIRE(returned.parts_size() == 2);
  CHECK(returned.parts(0).reasoning().SerializeAsString() ==
        proof->SerializeAsString());
  CHECK(returned.parts(1).text().text() == "a");
}

std::string Delta(const v1::Message& message) {
  v1::ChatCompletionChunk chunk;
  *chunk.add_choices()->mutable_delta() = message;
  StreamPlaces places;
  std::string rendered;
  RenderChunk(chunk, places, &rendered);
  const auto doc = JsonDocument::Parse(rendered);
  REQUIRE(doc.ok());
  return std::string(doc->root().Find("choices").First().Find("delta").raw());
}

TEST_CASE("a delta holds only what its chunk adds",
          "[server][http][render][STR-3]") {
  v1::Message message;
  SECTION("the opening") {
    message.set_role("assistant");
    CHECK(Delta(message) == R"({"role":"assistant","content":""})");
  }
  SECTION("nothing") { CHECK(Delta(message) == "{}"); }
  SECTION("text") {
    message.add_parts()->mutable_text()->set_text("é\n");
    CHECK(Delta(message) == "{\"content\":\"é\\n\"}");
  }
  SECTION("reasoning") {
    message.add_parts()->mutable_reasoning()->set_text("r");
    CHECK(Delta(message) == R"({"reasoning_content":"r"})");
  }
  SECTION("the first fragment of a call") {
    v1::ToolCall* call = message.add_parts()->mutable_tool_call();
    call->set_index(1);
    call->set_id("c");
    call->set_type("function");
    call->mutable_function()->set_name("f");
    CHECK(Delta(message) ==
          R"({"tool_calls":[{"index":1,"id":"c","type":"function",)"
          R"("function":{"name":"f","arguments":""}}]})");
  }
  SECTION("a later fragment of a call") {
    v1::ToolCall* call = message.add_parts()->mutable_tool_call();
    call->mutable_function()->set_arguments("{\"");
    CHECK(Delta(message) ==
          R"({"tool_calls":[{"index":0,"function":{"arguments":"{\""}}]})");
  }
}

TEST_CASE("searches that the provider ran stand in the usage",
          "[server][http][render]") {
  v1::ChatCompletionResponse response = FullAnswer();
  response.mutable_usage()->set_web_searches(2);
  CHECK(RenderCompletion(response).find(
            R"("rejected_prediction_tokens":0},"web_searches":2})") !=
        std::string::npos);
}

TEST_CASE("the usage chunk has no choices", "[server][http][render][STR-2]") {
  v1::ChatCompletionChunk chunk;
  chunk.set_id("i");
  chunk.mutable_usage()->set_total_tokens(3);
  StreamPlaces places;
  std::string json;
  RenderChunk(chunk, places, &json);
  CHECK(json.find(R"("choices":[])") != std::string::npos);
  CHECK(json.find(R"("total_tokens":3)") != std::string::npos);
}

TEST_CASE("an error has the envelope of the contract",
          "[server][http][render][ERR-1]") {
  v1::UpstreamError detail;
  detail.set_code("rate_limited");
  detail.set_message("slow down");
  detail.set_source("provider");
  detail.set_provider("p");
  detail.set_upstream_status(429);
  detail.set_attempts(3);
  detail.set_retry_after_s(2.5);
  CHECK(RenderError(detail, 429, "r") ==
        R"({"error":{"message":"slow down","type":"rate_limit_error",)"
        R"("param":null,"code":"rate_limited","llm_service":)"
        R"({"request_id":"r","source":"provider","provider":"p",)"
        R"("upstream_status":429,"attempts":3,"retry_after_s":2.5}}})");
}

TEST_CASE("usage has the totals of the contract and exact costs",
          "[server][http][render]") {
  v1::GetUsageResponse usage;
  usage.mutable_total()->set_requests(1250);
  usage.mutable_total()->set_tokens(125000);
  usage.mutable_total()->set_cost("0.350000");
  (*usage.mutable_models())["deepseek-chat"].set_cost("12.000001000");
  usage.set_currency("USD");
  v1::UsageGroup* group = usage.add_groups();
  (*group->mutable_keys())["model"] = "m";
  (*group->mutable_cost_native())["CNY"] = "9000000.123456789012";
  CHECK(RenderUsage(usage) ==
        R"({"total":{"requests":1250,"tokens":125000,"cost":0.35},)"
        R"("models":{"deepseek-chat":{"requests":0,"cost":12.000001}},)"
        R"("currency":"USD","groups":[{"keys":{"model":"m"},"requests":0,)"
        R"("attempts":0,"tokens":{"input":0,"cached_input":0,"output":0,)"
        R"("reasoning":0},"cost":0.0,"cost_native":)"
        R"({"CNY":9000000.123456789012},"unpriced_requests":0,)"
        R"("estimated_requests":0,"unconverted_requests":0}]})");
}

TEST_CASE("a model shows what is known and leaves out what is not",
          "[server][http][render]") {
  v1::Model model;
  model.set_id("m");
  SECTION("little") {
    CHECK(RenderModel(model) ==
          R"({"id":"m","object":"model","created":0,"owned_by":"",)"
          R"("capabilities":[],"health":"unknown","aliases":[],)"
          R"("providers":[]})");
  }
  SECTION("prices") {
    model.set_context_length(1000);
    model.mutable_pricing()->set_prompt("0.0000005");
    model.mutable_pricing()->set_completion("0.000002");
    CHECK(RenderModel(model).find(
              R"("context_length":1000,"pricing":{"prompt":"0.0000005",)"
              R"("completion":"0.000002"})") != std::string::npos);
  }
}

TEST_CASE("a new key's settings are read and unknown ones refused",
          "[server][http][parse][BUD-5]") {
  const auto key = ParseCreateKey(
      R"({"name":"n","org":"o","team":"t","user":"u","models":["a"],
          "expires_at":"2027-01-01T00:00:00Z","org_admin":true})");
  REQUIRE(key.ok());
  CHECK(key->name() == "n");
  CHECK(key->models(0) == "a");
  CHECK(key->org_admin());
  CHECK_FALSE(ParseCreateKey(R"({"name":"n","max_budget":5})").ok());
  CHECK_FALSE(ParseCreateKey(R"({"name":5})").ok());
  CHECK_FALSE(ParseCreateKey("[]").ok());
}

TEST_CASE("a usage query takes known names only", "[server][http][parse]") {
  const auto query = ParseUsageQuery(
      {{"by", "model,day"}, {"from", "2026-01-01"}, {"agent", "a"}});
  REQUIRE(query.ok());
  CHECK(query->by_size() == 2);
  CHECK(query->from() == "2026-01-01");
  CHECK(query->filter().at("agent") == "a");
  CHECK_FALSE(ParseUsageQuery({{"by", "color"}}).ok());
  CHECK_FALSE(ParseUsageQuery({{"colour", "x"}}).ok());
}

}  // namespace
}  // namespace llm::server
