#include "server/config/catalog.h"

#include "server/config/catalog_more.h"

namespace llm::server {
namespace {

constexpr auto kOff = ReasoningSwitch::kOff;
constexpr auto kOn = ReasoningSwitch::kOn;

// Letters: t tools, f forced tool choice, p parallel tools, s JSON schema,
// o JSON object, v vision, a audio, r reasons, x refuses sampling parameters,
// e makes embeddings and does not chat.

// https://api-docs.deepseek.com (2026-11): chat and reasoner name today's
// flash model with thinking off and on; thinking refuses a forced tool
// choice, no model takes a JSON schema, flash sees images.
const std::vector<CatalogModel>& DeepSeek() {
  static const auto* const kModels = new std::vector<CatalogModel>{
      {"deepseek-chat", "deepseek-flash", kOff, "tfpov", {}},
      {"deepseek-reasoner", "deepseek-flash", kOn, "tporv", {}},
      {"deepseek-flash", "", kAsAsked, "tporv", {"deepseek-v4-flash"}},
      {"deepseek-v4-pro", "", kAsAsked, "tpor", {}},
  };
  return *kModels;
}

// https://platform.openai.com/docs/models (2026-08) and the parameter matrix
// of Pydantic AI (verified live 2026-07). From o1 on sampling parameters are
// refused, or only taken while effort is none: leaving them out is safe.
// Models that only the Responses API serves (-pro, -codex) are not here.
const std::vector<CatalogModel>& OpenAi() {
  static const auto* const kModels = new std::vector<CatalogModel>{
      {"gpt-5.6-sol", "", kAsAsked, "tfpsovrx", {"gpt-5.6"}},
      {"gpt-5.6-terra", "", kAsAsked, "tfpsovrx", {}},
      {"gpt-5.6-luna", "", kAsAsked, "tfpsovrx", {}},
      {"gpt-5.5", "", kAsAsked, "tfpsovrx", {}},
      {"gpt-5.4", "", kAsAsked, "tfpsovrx", {}},
      {"gpt-5.4-mini", "", kAsAsked, "tfpsovrx", {}},
      {"gpt-5.4-nano", "", kAsAsked, "tfpsovrx", {}},
      {"gpt-5.3-chat-latest", "", kAsAsked, "tfpsovrx", {}},
      {"gpt-5.2", "", kAsAsked, "tfpsovrx", {}},
      {"gpt-5.1", "", kAsAsked, "tfpsovrx", {}},
      {"gpt-5", "", kAsAsked, "tfpsovrx", {}},
      {"gpt-5-mini", "", kAsAsked, "tfpsovrx", {}},
      {"gpt-5-nano", "", kAsAsked, "tfpsovrx", {}},
      {"gpt-4.1", "", kAsAsked, "tfpsov", {}},
      {"gpt-4.1-mini", "", kAsAsked, "tfpsov", {}},
      {"gpt-4.1-nano", "", kAsAsked, "tfpsov", {}},
      {"gpt-4o", "", kAsAsked, "tfpsov", {}},
      {"gpt-4o-mini", "", kAsAsked, "tfpsov", {}},
      {"o3", "", kAsAsked, "tfpsovrx", {}},
      {"o4-mini", "", kAsAsked, "tfpsovrx", {}},
      {"o3-mini", "", kAsAsked, "tfpsorx", {}},
      {"o1", "", kAsAsked, "tfpsovrx", {}},
      {"gpt-audio", "", kAsAsked, "tfpa", {}, 128'000, 16'384},
      {"gpt-audio-mini", "", kAsAsked, "tfpa", {}, 128'000, 16'384},
      {"gpt-4", "", kAsAsked, "tf", {}},
      {"gpt-3.5-turbo", "", kAsAsked, "tfpo", {}},
      {"text-embedding-3-small", "", kAsAsked, "e", {}},
      {"text-embedding-3-large", "", kAsAsked, "e", {}},
      {"text-embedding-ada-002", "", kAsAsked, "e", {}},
  };
  return *kModels;
}

// https://help.aliyun.com/zh/model-studio/models (autumn 2026). The 3.5 to
// 3.8 families think by default, which refuses a forced tool choice, and take
// JSON schemas; the older commercial hybrids think only when asked.
const std::vector<CatalogModel>& Qwen() {
  static const auto* const kModels = new std::vector<CatalogModel>{
      {"qwen-plus", "", kAsAsked, "tfpor", {}, 1'000'000, 32'768},
      {"qwen-flash", "", kAsAsked, "tfpor", {}, 1'000'000, 32'768},
      {"qwen-turbo", "", kAsAsked, "tfpor", {}, 1'000'000, 16'384},
      {"qwen-max", "", kAsAsked, "tfpo", {}, 32'768, 8'192},
      {"qwen3-max", "", kAsAsked, "tfpor", {}, 262'144, 65'536},
      {"qwen3.8-max", "", kAsAsked, "tpsor", {}, 1'000'000, 131'072},
      {"qwen3.8-flash", "", kAsAsked, "tpsor", {}, 1'000'000, 131'072},
      {"qwen3.7-max", "", kAsAsked, "tpsor", {}, 1'000'000, 65'536},
      {"qwen3.7-plus", "", kAsAsked, "tpsor", {}, 1'000'000, 65'536},
      {"qwen3.7-flash", "", kAsAsked, "tpsor", {}, 1'000'000, 65'536},
      {"qwen3.6-plus", "", kAsAsked, "tpsor", {}, 1'000'000, 65'536},
      {"qwen3.6-flash", "", kAsAsked, "tpsor", {}, 1'000'000, 65'536},
      {"qwen3.6-max-preview", "", kAsAsked, "tpsor", {}, 262'144, 65'536},
      {"qwen3.5-plus", "", kAsAsked, "tpsor", {}, 1'000'000, 65'536},
      {"qwen3.5-flash", "", kAsAsked, "tpsor", {}, 1'000'000, 65'536},
      {"qwen-long", "", kAsAsked, "o", {}, 10'000'000, 8'192},
      {"qwen3-coder-plus", "", kAsAsked, "tfpo", {}, 1'000'000, 65'536},
      {"qwen3-coder-flash", "", kAsAsked, "tfpo", {}, 1'000'000, 65'536},
      {"qwen3-vl-plus", "", kAsAsked, "tpovr", {}, 262'144, 32'768},
      {"text-embedding-v4", "", kAsAsked, "e", {}, 8'192},
      {"text-embedding-v3", "", kAsAsked, "e", {}, 8'192},
  };
  return *kModels;
}

// https://platform.claude.com/docs/en/about-claude/models (2026-08) and
// anthropic.md: from Opus 4.7 on sampling parameters are refused, Fable and
// Mythos refuse a forced tool choice. JSON objects are asked for in words.
const std::vector<CatalogModel>& Anthropic() {
  static const auto* const kModels = new std::vector<CatalogModel>{
      {"claude-fable-5-1", "", kAsAsked, "tpsovrx", {"claude-fable-5.1"}},
      {"claude-fable-5", "", kAsAsked, "tpsovrx", {}},
      {"claude-opus-5", "", kAsAsked, "tfpsovrx", {}},
      {"claude-opus-4-8", "", kAsAsked, "tfpsovrx", {"claude-opus-4.8"}},
      {"claude-opus-4-7", "", kAsAsked, "tfpsovrx", {"claude-opus-4.7"}},
      {"claude-opus-4-6", "", kAsAsked, "tfpsovr", {"claude-opus-4.6"}},
      {"claude-opus-4-5", "", kAsAsked, "tfpsovr", {"claude-opus-4.5"}},
      {"claude-opus-4-1", "", kAsAsked, "tfpsovr", {"claude-opus-4.1"}},
      {"claude-sonnet-5", "", kAsAsked, "tfpsovrx", {}},
      {"claude-sonnet-4-6", "", kAsAsked, "tfpsovr", {"claude-sonnet-4.6"}},
      {"claude-sonnet-4-5", "", kAsAsked, "tfpsovr", {"claude-sonnet-4.5"}},
      {"claude-haiku-4-5", "", kAsAsked, "tfpsovr", {"claude-haiku-4.5"}},
  };
  return *kModels;
}

// https://ai.google.dev/gemini-api/docs/models and .../embeddings (2026-08).
const std::vector<CatalogModel>& Gemini() {
  static const auto* const kModels = new std::vector<CatalogModel>{
      {"gemini-3.7-flash", "", kAsAsked, "tfpsovar", {}},
      {"gemini-3.6-flash", "", kAsAsked, "tfpsovar", {}},
      {"gemini-3.5-flash", "", kAsAsked, "tfpsovar", {}},
      {"gemini-3.5-flash-lite", "", kAsAsked, "tfpsovar", {}},
      {"gemini-3.1-pro-preview", "", kAsAsked, "tfpsovar", {}},
      {"gemini-3.1-flash-lite", "", kAsAsked, "tfpsovar", {}},
      {"gemini-3-pro-preview", "", kAsAsked, "tfpsovar", {}},
      {"gemini-3-flash-preview", "", kAsAsked, "tfpsovar", {}},
      {"gemini-2.5-pro", "", kAsAsked, "tfpsovar", {}},
      {"gemini-2.5-flash", "", kAsAsked, "tfpsovar", {}},
      {"gemini-2.5-flash-lite", "", kAsAsked, "tfpsovar", {}},
      {"gemini-embedding-001", "", kAsAsked, "e", {}, 2'048},
      {"gemini-embedding-2", "", kAsAsked, "e", {}, 8'192},
  };
  return *kModels;
}

const std::vector<CatalogModel>& Simulated() {
  static const auto* const kModels = new std::vector<CatalogModel>{
      {"simulated", "", kAsAsked, "tfpsova", {}, 1'000'000, 65'536},
      {"simulated-deep", "", kOn, "tfpsovar", {}, 1'000'000, 65'536},
      {"simulated-embedding", "", kAsAsked, "e", {}, 1'000'000},
  };
  return *kModels;
}

const CatalogModel* FindIn(const std::vector<CatalogModel>& models,
                           std::string_view id) {
  for (const CatalogModel& model : models) {
    if (model.id == id) return &model;
  }
  return nullptr;
}

}  // namespace

const std::vector<CatalogModel>& CatalogOf(std::string_view provider) {
  static const auto* const kEmpty = new std::vector<CatalogModel>;
  if (provider == "deepseek") return DeepSeek();
  if (provider == "openai") return OpenAi();
  if (provider == "qwen" || provider == "qwen-intl") return Qwen();
  if (provider == "anthropic") return Anthropic();
  if (provider == "gemini") return Gemini();
  if (provider == "simulated") return Simulated();
  const std::vector<CatalogModel>* const more = MoreCatalogOf(provider);
  return more == nullptr ? *kEmpty : *more;
}

const CatalogModel* FindInCatalog(std::string_view id) {
  for (const auto* models : {&DeepSeek(), &OpenAi(), &Qwen(), &Anthropic(),
                             &Gemini(), &Simulated()}) {
    if (const CatalogModel* model = FindIn(*models, id)) return model;
  }
  for (const std::vector<CatalogModel>* models : MoreCatalogs()) {
    if (const CatalogModel* model = FindIn(*models, id)) return model;
  }
  return nullptr;
}

ModelTraits TraitsOf(const CatalogModel& model) {
  const auto can = [&](char letter) {
    return model.can.find(letter) != std::string_view::npos;
  };
  ModelTraits traits;
  traits.tools = can('t');
  traits.forced_tool_choice = can('f');
  traits.parallel_tools = can('p');
  traits.json_schema = can('s');
  traits.json_object = can('o');
  traits.vision = can('v');
  traits.audio = can('a');
  traits.reasoning = can('r');
  traits.refuses_sampling = can('x');
  traits.embeddings = can('e');
  traits.context_window = model.context_window;
  traits.max_output_tokens = model.max_output_tokens;
  return traits;
}

const std::vector<std::string_view>& QuickPreference() {
  static const auto* const kOrder = new std::vector<std::string_view>{
      "deepseek-chat",    "qwen-plus",        "gpt-5.4-mini",
      "gpt-4.1-mini",     "gpt-4o-mini",      "qwen-flash",
      "qwen3.5-plus",     "gpt-4.1",          "gpt-4o",
      "deepseek-flash",   "gemini-3.5-flash", "gemini-2.5-flash",
      "claude-haiku-4-5", "claude-sonnet-5"};
  return *kOrder;
}

const std::vector<std::string_view>& DeepPreference() {
  static const auto* const kOrder = new std::vector<std::string_view>{
      "deepseek-reasoner", "deepseek-v4-pro",
      "qwen3-max",         "qwen3.7-max",
      "gpt-5.6-sol",       "gpt-5.5",
      "gpt-5.4",           "o3",
      "o4-mini",           "gemini-3.1-pro-preview",
      "gemini-2.5-pro",    "claude-opus-5",
      "claude-sonnet-5"};
  return *kOrder;
}

}  // namespace llm::server
