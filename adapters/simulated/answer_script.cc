#include "adapters/simulated/answer_script.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "adapters/core/utf8.h"
#include "adapters/simulated/prompt_values.h"

namespace llm {
namespace {

// At most so many calls at once when the model may choose freely.
constexpr int kParallelCalls = 2;
// What no vendor takes either is not looked for: searching costs both lengths.
constexpr size_t kMaxStopBytes = 256;
constexpr int kMaxStops = 16;

uint64_t Mix(uint64_t digest, uint64_t salt) {
  uint64_t x = digest + 0x9E3779B97F4A7C15ULL * (salt + 1);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

v1::ToolCall MakeCall(const v1::Tool& tool, const PromptFacts& facts,
                      uint64_t digest, int index, SampleBudget& budget) {
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
  const std::string& schema = tool.function().parameters();
  PromptFacts given = facts;
  given.literals = CallLiterals(facts.question, tool.function().name());
  call.mutable_function()->set_arguments(
      schema.empty() || budget.spent()
          ? "{}"
          : SampleJson(schema, given, seed, budget));
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
      if (ToolName(tool) != name) continue;
      chosen.push_back(&tool);
      break;
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

// The longest prefix of at most `tokens` tokens, on a character border: one
// pass that counts as CountTokens does.
std::string CutToTokens(const std::string& text, int64_t tokens) {
  int64_t cjk = 0;
  int64_t other = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if (BeginsCjk(text[at])) {
      ++cjk;
    } else if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80) {
      ++other;
    }
    if (cjk + (other + 3) / 4 > tokens) return text.substr(0, at);
  }
  return text;
}

void ApplyStops(const v1::ChatCompletionRequest& request, std::string& text) {
  size_t end = text.size();
  const int count = std::min(request.stop_size(), kMaxStops);
  for (int i = 0; i < count; ++i) {
    const std::string& stop = request.stop(i);
    if (stop.empty() || stop.size() > kMaxStopBytes) continue;
    end = std::min(end, text.find(stop));
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

AnswerWriter::AnswerWriter(const v1::ChatCompletionRequest& request,
                           bool reasons)
    : request_(request),
      reasons_(reasons),
      facts_(ReadPrompt(request)),
      digest_(RequestDigest(request)) {}

std::string AnswerWriter::Text(uint64_t seed) {
  const v1::ResponseFormat& format = request_.response_format();
  if (format.type() == "json_schema") {
    return SampleJson(format.json_schema().schema(), facts_, seed, budget_);
  }
  if (format.type() == "json_object" || facts_.asks_for_json) {
    return FillSketch(facts_);
  }
  return Prose(facts_, seed);
}

void AnswerWriter::WriteCalls(uint64_t digest, AnswerScript& script) {
  int index = 0;
  for (const v1::Tool* tool : ChooseTools(request_, facts_)) {
    script.tool_calls.push_back(
        MakeCall(*tool, facts_, digest, index++, budget_));
    script.finish_reason = "tool_calls";
  }
}

AnswerScript AnswerWriter::Write(int choice) {
  const uint64_t digest = Mix(digest_, static_cast<uint64_t>(choice));
  AnswerScript script;
  script.finish_reason = "stop";
  if (reasons_) {
    script.reasoning = facts_.chinese
                           ? "先看问题，再看数据，然后给出结论。"
                           : "First the question, then the data, then the "
                             "conclusion.";
  }
  WriteCalls(digest, script);
  if (script.tool_calls.empty()) {
    script.text = Text(digest);
    ApplyStops(request_, script.text);
    ApplyLimit(request_, script);
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
