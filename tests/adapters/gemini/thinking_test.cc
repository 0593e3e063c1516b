// Whether and how much the model is to think.
#include "tests/adapters/gemini/gemini_request.h"

namespace llm::gemini {
namespace {

TEST_CASE("thinking is told by level or budget, never both",
          "[adapters][gemini][thinking]") {
  const auto [model, members, config,
              dropped] = GENERATE(table<std::string, std::string, std::string,
                                        std::string>({
      {"gemini-2.5-flash", "", "", ""},
      {"gemini-2.5-flash", R"("reasoning_effort":"none")",
       R"({"thinkingBudget":0})", ""},
      {"gemini-2.5-flash", R"("reasoning_effort":"minimal")",
       R"({"includeThoughts":true,"thinkingBudget":512})", ""},
      {"gemini-2.5-flash", R"("reasoning_effort":"low")",
       R"({"includeThoughts":true,"thinkingBudget":1024})", ""},
      {"gemini-2.5-flash", R"("reasoning_effort":"medium")",
       R"({"includeThoughts":true,"thinkingBudget":8192})", ""},
      {"gemini-2.5-flash", R"("reasoning_effort":"max")",
       R"({"includeThoughts":true,"thinkingBudget":24576})",
       "reasoning_effort"},
      {"gemini-2.5-pro", R"("reasoning_effort":"max")",
       R"({"includeThoughts":true,"thinkingBudget":32768})", ""},
      // Cannot be off: the least there is, and the caller is told.
      {"gemini-2.5-pro", R"("reasoning_effort":"none")",
       R"({"thinkingBudget":128})", "reasoning_effort"},
      {"gemini-3-flash-preview", R"("reasoning_effort":"none")",
       R"({"thinkingLevel":"minimal"})", "reasoning_effort"},
      {"gemini-3-pro-preview", R"("reasoning_effort":"minimal")",
       R"({"includeThoughts":true,"thinkingLevel":"low"})", "reasoning_effort"},
      {"gemini-3-flash-preview", R"("reasoning_effort":"minimal")",
       R"({"includeThoughts":true,"thinkingLevel":"minimal"})", ""},
      {"gemini-3.6-flash", R"("reasoning_effort":"xhigh")",
       R"({"includeThoughts":true,"thinkingLevel":"high"})",
       "reasoning_effort"},
      {"gemini-99-ultra", R"("reasoning_effort":"minimal")",
       R"({"includeThoughts":true,"thinkingLevel":"low"})", "reasoning_effort"},
      {"gemini-2.0-flash", R"("reasoning_effort":"high")", "",
       "reasoning_effort"},
      {"gemini-2.0-flash", R"("reasoning_effort":"none")", "", ""},
      {"gemini-2.5-flash", R"("reasoning_effort":"odd")",
       R"({"includeThoughts":true})", "reasoning_effort"},
      // Gemini's own spelling wins, in whatever wrapping.
      {"gemini-2.5-flash",
       R"("reasoning_effort":"low","thinkingConfig":)"
       R"({"thinkingBudget":99})",
       R"({"includeThoughts":true,"thinkingBudget":99})", "reasoning_effort"},
      // What is shown of it is another matter than how much there is.
      {"gemini-2.5-flash",
       R"("reasoning_effort":"low","thinkingConfig":)"
       R"({"includeThoughts":false})",
       R"({"includeThoughts":false,"thinkingBudget":1024})", ""},
      {"gemini-2.5-flash-lite", R"("thinkingConfig":{"includeThoughts":false})",
       R"({"includeThoughts":false})", ""},
      {"gemini-2.5-flash-lite",
       R"("extra_body":{"google":{"thinking_config":)"
       R"({"include_thoughts":true}}})",
       R"({"includeThoughts":true})", ""},
      {"gemini-3-flash-preview",
       R"("thinkingConfig":{"includeThoughts":false})",
       R"({"includeThoughts":false})", ""},
      {"gemini-2.5-flash-lite", R"("thinkingConfig":{})", "", ""},
      {"gemini-2.0-flash", R"("thinkingConfig":{"includeThoughts":true})", "",
       "thinkingConfig"},
      // Beyond the model's range: the nearest, and the caller is told.
      {"gemini-2.5-flash", R"("thinkingConfig":{"thinkingBudget":30000})",
       R"({"includeThoughts":true,"thinkingBudget":24576})", "thinkingConfig"},
      {"gemini-2.5-pro",
       R"("generationConfig":{"thinkingConfig":{"thinkingBudget":1}})",
       R"({"includeThoughts":true,"thinkingBudget":128})",
       "generationConfig.thinkingConfig"},
      {"gemini-2.5-flash",
       R"("extra_body":{"google":{"thinking_config":)"
       R"({"include_thoughts":false,"thinking_budget":-1}}})",
       R"({"includeThoughts":false,"thinkingBudget":-1})", ""},
      {"gemini-3-flash-preview",
       R"("generationConfig":{"thinkingConfig":)"
       R"({"thinkingLevel":"LOW","thinkingBudget":9}})",
       R"({"includeThoughts":true,"thinkingLevel":"low"})",
       "generationConfig.thinkingConfig.thinkingBudget"},
      {"gemini-3-flash-preview",
       R"("thinking_config":{"thinking_budget":0,"thinking_level":"high"})",
       R"({"includeThoughts":true,"thinkingLevel":"high"})",
       "thinking_config.thinking_budget"},
      {"gemini-2.5-flash",
       R"("thinkingConfig":{"thinkingLevel":"low","thinkingBudget":99})",
       R"({"includeThoughts":true,"thinkingBudget":99})",
       "thinkingConfig.thinkingLevel"},
      {"gemini-2.5-flash",
       R"("thinkingConfig":{"thinkingLevel":"low","thinkingBudget":0})",
       R"({"thinkingBudget":0})", "thinkingConfig.thinkingLevel"},
      // Nor does a word that nobody knows go unnamed.
      {"gemini-3-flash-preview",
       R"("thinkingConfig":{"thinkingLevel":"odd","depth":1})",
       R"({"includeThoughts":true})",
       "thinkingConfig.thinkingLevel,thinkingConfig.depth"},
      {"gemini-2.5-flash", R"("thinking_config":{"thinking_level":"high"})",
       R"({"includeThoughts":true,"thinkingBudget":24576})", ""},
      {"gemini-2.0-flash", R"("thinking_config":{"thinking_budget":9})", "",
       "thinking_config"},
  }));
  CAPTURE(model, members);
  const RenderedRequest got = Render(With(members), {.model = model});
  CHECK(At(got.body, "generationConfig.thinkingConfig") == config);
  CHECK(Joined(got.dropped) == dropped);
}

TEST_CASE("the deployment's switch outranks the caller",
          "[adapters][gemini][thinking]") {
  const Asked off{.reasoning = ReasoningSwitch::kOff};
  RenderedRequest got = Render(With(""), off);
  CHECK(At(got.body, "generationConfig.thinkingConfig") ==
        R"({"thinkingBudget":0})");
  CHECK_FALSE(got.thinking);
  CHECK(Joined(got.dropped) == "");
  got = Render(With(R"("reasoning_effort":"high")"), off);
  CHECK(At(got.body, "generationConfig.thinkingConfig") ==
        R"({"thinkingBudget":0})");
  CHECK(Joined(got.dropped) == "reasoning_effort");
  got = Render(With(""), {.model = "gemini-2.5-flash-lite",
                          .reasoning = ReasoningSwitch::kOn});
  CHECK(At(got.body, "generationConfig.thinkingConfig") ==
        R"({"includeThoughts":true,"thinkingBudget":-1})");
  CHECK(got.thinking);
  got = Render(With(R"("thinkingConfig":{"includeThoughts":true})"), off);
  CHECK(At(got.body, "generationConfig.thinkingConfig") ==
        R"({"thinkingBudget":0})");
  CHECK(Joined(got.dropped) == "thinkingConfig");
}

TEST_CASE("max_tokens leaves room for thoughts, max_completion_tokens is all",
          "[adapters][gemini][thinking][TRN-8]") {
  const auto [model, members, cap] =
      GENERATE(table<std::string, std::string, std::string>({
          {"gemini-2.5-flash", R"("max_completion_tokens":100)", "100"},
          {"gemini-2.5-flash", R"("max_tokens":100)", "8292"},
          {"gemini-2.5-flash", R"("max_tokens":100,"reasoning_effort":"none")",
           "100"},
          {"gemini-2.5-flash", R"("max_tokens":100,"reasoning_effort":"low")",
           "1124"},
          {"gemini-3-pro-preview",
           R"("max_tokens":100,"reasoning_effort":"high")", "16484"},
          {"gemini-2.5-flash-lite", R"("max_tokens":100)", "100"},
          {"gemini-2.0-flash", R"("max_tokens":100)", "100"},
          // Not beyond what the model can: more is refused there.
          {"gemini-2.5-flash", R"("max_tokens":60000)", "65536"},
          {"gemini-2.5-flash", R"("max_tokens":70000)", "65536"},
          {"gemini-2.5-flash", R"("max_completion_tokens":70000)", "65536"},
          {"gemini-2.5-flash", R"("max_tokens":9,"max_completion_tokens":10)",
           "10"},
      }));
  CAPTURE(model, members);
  const RenderedRequest got = Render(With(members), {.model = model});
  CHECK(At(got.body, "generationConfig.maxOutputTokens") == cap);
}

}  // namespace
}  // namespace llm::gemini
