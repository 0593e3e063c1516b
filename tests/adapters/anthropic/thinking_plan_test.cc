// The caller's own `thinking`, and what stands against it.
#include <catch2/catch.hpp>

#include "absl/strings/str_join.h"
#include "adapters/dialect/reasoning_headroom.h"
#include "tests/adapters/anthropic/exchange.h"

namespace llm {
namespace {

// max_tokens, thinking and effort as sent, then " - " and the drops.
std::string Plan(const std::string& model, const std::string& members,
                 const std::string& more_messages = "",
                 const AttemptContext& context = {}) {
  const auto got =
      RenderJson(R"({"model":"m","messages":[{"role":"user","content":"hi"})" +
                     more_messages + "]," + members + "}",
                 {model, context});
  if (got.refusal) return "refused " + got.refusal->param;
  const auto doc = JsonDocument::Parse(got.body);
  if (!doc.ok()) return got.body;
  const JsonValue root = doc->root();
  std::string out(root.Find("max_tokens").raw());
  out += ' ';
  out += root.Find("thinking").raw();
  const std::string effort =
      root.Find("output_config").Find("effort").StringOr();
  if (!effort.empty()) out += " effort " + effort;
  if (!got.dropped.empty()) out += " - " + absl::StrJoin(got.dropped, " ");
  return out;
}

const char kPrefill[] = R"(,{"role":"assistant","content":"So"})";

TEST_CASE("a caller's thinking that the model refuses becomes the nearest",
          "[adapters][anthropic][request][TRN-8]") {
  const auto [model, members, want] =
      GENERATE(table<std::string, std::string, std::string>({
          // Budgets at models that are adaptive only.
          {"claude-opus-4-8",
           R"("thinking":{"type":"enabled","budget_tokens":16000})",
           R"(128000 {"type":"adaptive","display":"summarized"} effort high)"
           R"( - thinking.budget_tokens)"},
          {"claude-sonnet-5",
           R"("thinking":{"type":"enabled","budget_tokens":1500,)"
           R"("display":"omitted"},"max_tokens":4000)",
           R"(4000 {"type":"adaptive","display":"omitted"} effort low)"
           R"( - thinking.budget_tokens)"},
          {"claude-fable-5", R"("thinking":{"type":"enabled"})",
           R"(128000 {"type":"adaptive","display":"summarized"})"
           R"( - thinking.type)"},
          {"claude-opus-4-8",
           R"("thinking":{"type":"enabled","budget_tokens":16000},)"
           R"("output_config":{"effort":"medium"})",
           R"(128000 {"type":"adaptive","display":"summarized"} effort medium)"
           R"( - thinking.budget_tokens)"},
          // The 4.6 generation takes both.
          {"claude-opus-4-6",
           R"("thinking":{"type":"enabled","budget_tokens":16000})",
           R"(128000 {"type":"enabled","budget_tokens":16000})"},
          {"claude-sonnet-4-6", R"("thinking":{"type":"adaptive"})",
           R"(128000 {"type":"adaptive"})"},
          // Adaptive thinking at models that want a budget.
          {"claude-sonnet-4-5", R"("thinking":{"type":"adaptive"})",
           R"(64000 {"type":"enabled","budget_tokens":10000})"
           R"( - thinking.type)"},
          {"claude-sonnet-4-5",
           R"("thinking":{"type":"adaptive","display":"omitted"},)"
           R"("reasoning_effort":"low","max_tokens":500)",
           R"(2548 {"type":"enabled","budget_tokens":2048,)"
           R"("display":"omitted"} - thinking.type)"},
          // Budgets out of bounds.
          {"claude-sonnet-4-5",
           R"("thinking":{"type":"enabled","budget_tokens":200})",
           R"(64000 {"type":"enabled","budget_tokens":1024})"
           R"( - thinking.budget_tokens)"},
          {"claude-sonnet-4-5",
           R"("thinking":{"type":"enabled","budget_tokens":200},)"
           R"("max_tokens":300)",
           R"(1324 {"type":"enabled","budget_tokens":1024})"
           R"( - thinking.budget_tokens)"},
          {"claude-sonnet-4-5",
           R"("thinking":{"type":"enabled","budget_tokens":90000})",
           R"(64000 {"type":"enabled","budget_tokens":32000})"
           R"( - thinking.budget_tokens)"},
          {"claude-sonnet-4-5",
           R"("thinking":{"type":"enabled","budget_tokens":9000},)"
           R"("max_completion_tokens":4000)",
           R"(4000 {"type":"enabled","budget_tokens":2000})"
           R"( - thinking.budget_tokens)"},
          {"claude-sonnet-4-5",
           R"("thinking":{"type":"enabled","budget_tokens":9000},)"
           R"("max_completion_tokens":4000,)"
           R"("betas":["interleaved-thinking-2025-05-14"])",
           R"(4000 {"type":"enabled","budget_tokens":9000})"},
          {"claude-sonnet-4-5",
           R"("thinking":{"type":"enabled","budget_tokens":9000},)"
           R"("max_completion_tokens":1000)",
           "1000  - thinking"},
          // Where it cannot be turned off, and where there is none.
          {"claude-fable-5", R"("thinking":{"type":"disabled"})",
           "128000  effort low - thinking"},
          {"claude-3-haiku", R"("thinking":{"type":"disabled"})", "4096 "},
          {"claude-3-haiku", R"("thinking":{"type":"adaptive"})",
           "4096  - thinking"},
          {"claude-opus-4-5", R"("thinking":{"type":"disabled"})",
           R"(64000 {"type":"disabled"})"},
          // Another maker's, and what is newer than we are.
          {"kimi", R"("thinking":{"type":"enabled","budget_tokens":9})",
           R"(4096 {"type":"enabled","budget_tokens":9})"},
          {"claude-opus-5", R"("thinking":{"type":"quantum"})",
           R"(128000 {"type":"quantum"})"},
      }));
  CAPTURE(model, members);
  CHECK(Plan(model, members) == want);
}

TEST_CASE("reasoning_effort beside the caller's thinking is told or named",
          "[adapters][anthropic][request][TRN-6]") {
  const auto [model, members, want] =
      GENERATE(table<std::string, std::string, std::string>({
          {"claude-opus-4-6",
           R"("thinking":{"type":"adaptive"},"reasoning_effort":"xhigh")",
           R"(128000 {"type":"adaptive"} effort max - reasoning_effort)"},
          {"claude-opus-4-6", R"("reasoning_effort":"xhigh")",
           R"(128000 {"type":"adaptive"} effort max - reasoning_effort)"},
          {"claude-opus-4-7",
           R"("thinking":{"type":"adaptive"},"reasoning_effort":"xhigh")",
           R"(128000 {"type":"adaptive"} effort xhigh)"},
          {"claude-opus-4-5",
           R"("thinking":{"type":"enabled","budget_tokens":2000},)"
           R"("reasoning_effort":"medium")",
           R"(64000 {"type":"enabled","budget_tokens":2000} effort medium)"},
          {"claude-sonnet-4-5",
           R"("thinking":{"type":"enabled","budget_tokens":2000},)"
           R"("reasoning_effort":"medium")",
           R"(64000 {"type":"enabled","budget_tokens":2000})"
           R"( - reasoning_effort)"},
          {"claude-opus-4-6",
           R"("thinking":{"type":"adaptive"},"reasoning_effort":"none")",
           R"(128000 {"type":"adaptive"} - reasoning_effort)"},
          {"claude-sonnet-5",
           R"("thinking":{"type":"disabled"},"reasoning_effort":"high")",
           R"(128000 {"type":"disabled"} - reasoning_effort)"},
          {"claude-sonnet-5",
           R"("thinking":{"type":"disabled"},"reasoning_effort":"none")",
           R"(128000 {"type":"disabled"})"},
          {"claude-sonnet-5",
           R"("output_config":{"effort":"low"},"reasoning_effort":"high")",
           R"(128000 {"type":"adaptive","display":"summarized"} effort low)"
           R"( - reasoning_effort)"},
          {"claude-sonnet-4-5", R"("output_config":{"effort":"low"})",
           "64000  - output_config.effort"},
          {"kimi", R"("thinking":{"type":"enabled"},"reasoning_effort":"low")",
           R"(4096 {"type":"enabled"} - reasoning_effort)"},
      }));
  CAPTURE(model, members);
  CHECK(Plan(model, members) == want);
}

TEST_CASE("a prefill outweighs thinking, but not the caller's own word",
          "[adapters][anthropic][request]") {
  AttemptContext on;
  on.reasoning = ReasoningSwitch::kOn;
  CHECK(Plan("claude-sonnet-4-5", R"("max_tokens":9)", kPrefill, on) ==
        "9  - reasoning_effort");
  CHECK(Plan("claude-sonnet-4-5", R"("reasoning_effort":"high")", kPrefill) ==
        "64000  - reasoning_effort");
  CHECK(Plan("claude-sonnet-4-5",
             R"("thinking":{"type":"enabled","budget_tokens":2000})",
             kPrefill) == "refused thinking");
  CHECK(Plan("claude-sonnet-4-5", R"("thinking":{"type":"disabled"})",
             kPrefill) == R"(64000 {"type":"disabled"})");
  CHECK(Plan("claude-opus-4-8", R"("max_tokens":9)", kPrefill) ==
        "refused messages");
}

TEST_CASE("a prefill beside a schema for the answer is refused",
          "[adapters][anthropic][request]") {
  const std::string format =
      R"("response_format":{"type":"json_schema","json_schema":{"name":"r",)"
      R"("schema":{"type":"object"}}})";
  CHECK(Plan("claude-haiku-4-5", format, kPrefill) ==
        "refused response_format");
  CHECK(Plan("claude-haiku-4-5",
             R"("output_config":{"format":{"type":"json_schema"}})",
             kPrefill) == "refused output_config.format");
  // Asked for in words or by a tool, it goes along.
  CHECK(Plan("claude-haiku-4-5", R"("response_format":{"type":"json_object"})",
             kPrefill) == "64000  - response_format.json_object");
  CHECK(Plan("claude-sonnet-4-0", format, kPrefill) == "64000 ");
}

TEST_CASE("the room for thinking stays within what a number holds, and a guess",
          "[adapters][anthropic][request][TRN-8]") {
  const auto [model, members, want] =
      GENERATE(table<std::string, std::string, std::string>({
          {"claude-sonnet-5", R"("max_tokens":9223372036854775807)",
           "128000  - max_tokens"},
          {"claude-sonnet-4-5",
           R"("max_tokens":9223372036854775807,"reasoning_effort":"low")",
           R"(64000 {"type":"enabled","budget_tokens":2048} - max_tokens)"},
          // Nobody knows these models' limits.
          {"claude-opus-9", R"("max_tokens":100)", "8292 "},
          {"claude-opus-9", R"("max_tokens":127000)", "128000 "},
          {"claude-opus-9", R"("max_tokens":200000)", "200000 "},
          {"claude-opus-9", R"("max_tokens":9223372036854775807)",
           "9223372036854775807 "},
          {"claude-opus-9",
           R"("max_tokens":90000,"thinking":)"
           R"({"type":"enabled","budget_tokens":100000})",
           R"(128000 {"type":"adaptive","display":"summarized"} effort xhigh)"
           R"( - thinking.budget_tokens)"},
          {"kimi",
           R"("max_tokens":1000,"thinking":)"
           R"({"type":"enabled","budget_tokens":8000})",
           R"(9000 {"type":"enabled","budget_tokens":8000})"},
      }));
  CAPTURE(model, members);
  CHECK(Plan(model, members) == want);
  CHECK(WithHeadroom(INT64_MAX, "high", 0) == INT64_MAX);
  CHECK(WithHeadroom(INT64_MAX - 5, "high", 100) == INT64_MAX - 5);
  CHECK(WithHeadroom(100, "high", 0) == 16'484);
}

TEST_CASE("a caller's effort that the model has not becomes the nearest",
          "[adapters][anthropic][request][TRN-6]") {
  const auto [model, effort, want] =
      GENERATE(table<std::string, std::string, std::string>({
          {"claude-opus-4-5", "xhigh", "64000  effort max"},
          {"claude-opus-4-6", "xhigh", "128000  effort max"},
          {"claude-opus-4-6", "max", "128000  effort max"},
          {"claude-opus-4-7", "xhigh", "128000  effort xhigh"},
      }));
  CAPTURE(model, effort);
  CHECK(Plan(model, R"("output_config":{"effort":")" + effort + R"("})") ==
        want + (want.ends_with(effort) ? "" : " - output_config.effort"));
}

TEST_CASE("a short id is the first of its line",
          "[adapters][anthropic][request]") {
  const auto [model, want] = GENERATE(table<std::string, std::string>({
      {"claude-opus-4", "32000 "},
      {"anthropic/claude-opus-4", "32000 "},
      {"anthropic/claude-sonnet-4:beta", "64000 "},
      {"claude-sonnet-4@20250514", "64000 "},
      {"claude-opus-4-9", R"(128000 {"type":"disabled"})"},
      {"claude-sonnet-4.6", "128000 "},
  }));
  CAPTURE(model);
  CHECK(Plan(model, R"("reasoning_effort":"none")") == want);
}

}  // namespace
}  // namespace llm
