#include "adapters/simulated/answer_script.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "adapters/core/json.h"
#include "adapters/simulated/prompt_facts.h"
#include "adapters/simulated/schema_sample.h"

namespace llm {
namespace {

// At most so many calls at once when the model may choose freely.
constexpr int kParallelCalls = 2;

uint64_t Mix(uint64_t digest, uint64_t salt) {
  uint64_t x = digest + 0x9E3779B97F4A7C15ULL * (salt + 1);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

v1::ToolCall MakeCall(const v1::Tool& tool, const PromptFacts& facts,
                      uint64_t digest, int index) {
  v1::ToolCall call;
  const uint64_t seed = Mix(digest, static_cast<uint64_t>(index) + 17);
  call.set_index(index);
  call.set_id(absl::StrFormat("call_%016x%08x", seed,
                              static_cast<uint32_t>(Mix(seed, 1))));
  if (tool.has_custom()) {
    call.set_type("custom");
    call.mutable_custom()->set_name(tool.custom().name());
    call.mutable_custom()->set_input(facts.symbol);
    return call;
  }
  call.set_type("function");
  call.mutable_function()->set_name(tool.function().name());
  const std::string& schema = tool.function().parameters_json();
  call.mutable_function()->set_arguments(
      schema.empty() ? "{}" : SampleJson(schema, facts, seed));
  return call;
}

std::string_view ToolName(const v1::Tool& tool) {
  return tool.has_custom() ? tool.custom().name() : tool.function().name();
}

// Which tools are called now; empty: none, a final answer follows.
std::vector<const v1::Tool*> ChooseTools(
    const v1::ChatCompletionRequest& request, const PromptFacts& facts) {
  std::vector<const v1::Tool*> chosen;
  const v1::ToolChoice& choice = request.tool_choice();
  if (!choice.function().empty() || !choice.custom().empty()) {
    const std::string& name =
        choice.function().empty() ? choice.custom() : choice.function();
    for (const v1::Tool& tool : request.tools()) {
      if (ToolName(tool) == name) chosen.push_back(&tool);
    }
    return chosen;
  }
  if (choice.mode() == "none") return chosen;
  if (facts.results_are_in && choice.mode() != "required") return chosen;
  const bool parallel =
      !request.has_parallel_tool_calls() || request.parallel_tool_calls();
  const bool wants_one = choice.mode() == "required" || !parallel;
  for (const v1::Tool& tool : request.tools()) {
    if (ToolName(tool).empty()) continue;  // a provider-run tool
    chosen.push_back(&tool);
    if (chosen.size() == (wants_one ? 1 : kParallelCalls)) break;
  }
  return chosen;
}

std::string Prose(const PromptFacts& facts, uint64_t seed) {
  std::string text;
  if (facts.chinese) {
    text = absl::StrCat(
        "# ", facts.symbol, " 分析报告（模拟）\n\n截至 ", facts.date,
        "，这是由模拟模型生成的确定性回答，仅用于验证流程，不构成投资建议。\n\n"
        "1. 趋势：价格在近期区间内波动，成交量平稳。\n"
        "2. 基本面：盈利与现金流保持稳定。\n"
        "3. 风险：关注流动性与政策变化。\n\n编号：",
        absl::Hex(seed & 0xFFFF), "\n");
  } else {
    text = absl::StrCat(
        "Simulated answer for ", facts.symbol, " as of ", facts.date,
        ". This text is deterministic and made without a model: it shows "
        "that the way through the service works.\n\n"
        "1. Trend: the price moves within its recent range.\n"
        "2. Fundamentals: earnings and cash flow are stable.\n"
        "3. Risk: watch liquidity and policy.\n\nReference ",
        absl::Hex(seed & 0xFFFF), ".\n");
  }
  if (facts.wants_rating) text += "\n**Rating**: Hold\n";
  if (facts.wants_proposal) {
    text += "\nFINAL TRANSACTION PROPOSAL: **HOLD**\n";
  }
  return text;
}

std::string AnswerText(const v1::ChatCompletionRequest& request,
                       const PromptFacts& facts, uint64_t seed) {
  const v1::ResponseFormat& format = request.response_format();
  if (format.type() == "json_schema") {
    return SampleJson(format.json_schema().schema_json(), facts, seed);
  }
  if (format.type() == "json_object" || facts.asks_for_json) {
    return FillSketch(facts);
  }
  return Prose(facts, seed);
}

// The longest prefix of at most `tokens` tokens, on a character border.
std::string CutToTokens(const std::string& text, int64_t tokens) {
  size_t end = text.size();
  while (end > 0 &&
         CountTokens(std::string_view(text).substr(0, end)) > tokens) {
    --end;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
      --end;
    }
  }
  return text.substr(0, end);
}

void ApplyStops(const v1::ChatCompletionRequest& request, std::string& text) {
  size_t end = text.size();
  for (const std::string& stop : request.stop()) {
    if (!stop.empty()) end = std::min(end, text.find(stop));
  }
  text.resize(std::min(end, text.size()));
}

void ApplyLimit(const v1::ChatCompletionRequest& request,
                AnswerScript& script) {
  int64_t limit = request.has_max_completion_tokens()
                      ? request.max_completion_tokens()
                      : request.max_tokens();
  if (limit <= 0) return;
  const int64_t reasoning = CountTokens(script.reasoning);
  const int64_t text = CountTokens(script.text);
  if (reasoning + text <= limit) return;
  script.finish_reason = "length";
  script.reasoning = CutToTokens(script.reasoning, limit);
  script.text =
      CutToTokens(script.text, std::max<int64_t>(limit - reasoning, 0));
}

}  // namespace

AnswerScript WriteAnswer(const v1::ChatCompletionRequest& request, bool reasons,
                         int choice) {
  const PromptFacts facts = ReadPrompt(request);
  const uint64_t digest =
      Mix(RequestDigest(request), static_cast<uint64_t>(choice));
  AnswerScript script;
  script.finish_reason = "stop";
  if (reasons) {
    script.reasoning = facts.chinese
                           ? "先看问题，再看数据，然后给出结论。"
                           : "First the question, then the data, then the "
                             "conclusion.";
  }
  int index = 0;
  for (const v1::Tool* tool : ChooseTools(request, facts)) {
    script.tool_calls.push_back(MakeCall(*tool, facts, digest, index++));
    script.finish_reason = "tool_calls";
  }
  if (script.tool_calls.empty()) {
    script.text = AnswerText(request, facts, digest);
    ApplyStops(request, script.text);
    ApplyLimit(request, script);
  }
  script.reasoning_tokens = CountTokens(script.reasoning);
  script.output_tokens = script.reasoning_tokens + CountTokens(script.text);
  for (const v1::ToolCall& call : script.tool_calls) {
    script.output_tokens += 4 + CountTokens(call.function().name()) +
                            CountTokens(call.function().arguments()) +
                            CountTokens(call.custom().input());
  }
  return script;
}

}  // namespace llm
