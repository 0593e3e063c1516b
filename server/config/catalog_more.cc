// The models of the vendors that are on by configuration only. Those of which
// the price list knows nothing (OpenRouter, Together, Fireworks, SiliconFlow,
// Azure) have no list here: `provider/id` or `models:` names them.
#include "server/config/catalog_more.h"

namespace llm::server {
namespace {

using Models = std::vector<CatalogModel>;

// https://platform.moonshot.ai/docs/pricing/chat (2026-11): required tool
// choices are refused; JSON schemas and pictures from k2.5 on. What their
// models refuse of sampling is in the adapter's table.
const Models& Moonshot() {
  static const auto* const kModels = new Models{
      {"kimi-k3", "", kAsAsked, "tpsovr", {}},
      {"kimi-k2.7-code", "", kAsAsked, "tpsor", {}},
      {"kimi-k2.7-code-highspeed", "", kAsAsked, "tpsor", {}},
      {"kimi-k2.6", "", kAsAsked, "tpsovr", {}},
      {"kimi-k2.5", "", kAsAsked, "tpsovr", {}},
      {"kimi-k2-thinking", "", kAsAsked, "tpor", {}},
      {"kimi-k2-thinking-turbo", "", kAsAsked, "tpor", {}},
      {"moonshot-v1-8k", "", kAsAsked, "tpo", {}},
      {"moonshot-v1-32k", "", kAsAsked, "tpo", {}},
      {"moonshot-v1-128k", "", kAsAsked, "tpo", {}},
  };
  return *kModels;
}

// https://docs.z.ai/guides/overview/pricing and
// https://bigmodel.cn/pricing (2026-11): tool_choice auto only, JSON objects
// without a schema, thinking from 4.5 on.
const Models& Glm() {
  static const auto* const kModels = new Models{
      {"glm-5.2", "", kAsAsked, "tor", {}},
      {"glm-5.1", "", kAsAsked, "tor", {}},
      {"glm-5", "", kAsAsked, "tor", {}},
      {"glm-5-turbo", "", kAsAsked, "tor", {}},
      {"glm-4.7", "", kAsAsked, "tor", {}},
      {"glm-4.7-flashx", "", kAsAsked, "tor", {}},
      {"glm-4.5-air", "", kAsAsked, "tor", {}},
  };
  return *kModels;
}

// What only the international site lists.
const Models& Zai() {
  static const auto* const kModels = [] {
    auto* const models = new Models(Glm());
    for (const std::string_view id : {"glm-5.3", "glm-4.5", "glm-4.7-flash"}) {
      models->push_back({id, "", kAsAsked, "tor", {}});
    }
    return models;
  }();
  return *kModels;
}

// https://console.groq.com/docs/models (2026-11): schemas on gpt-oss and
// llama-4 only.
const Models& Groq() {
  static const auto* const kModels = new Models{
      {"openai/gpt-oss-120b", "", kAsAsked, "tfsor", {"gpt-oss-120b"}},
      {"openai/gpt-oss-20b", "", kAsAsked, "tfsor", {"gpt-oss-20b"}},
      {"llama-3.3-70b-versatile", "", kAsAsked, "tfpo", {}},
      {"llama-3.1-8b-instant", "", kAsAsked, "tfpo", {}},
      {"qwen/qwen3-32b", "", kAsAsked, "tfpor", {}},
      {"meta-llama/llama-4-scout-17b-16e-instruct", "", kAsAsked, "tfpsov", {}},
  };
  return *kModels;
}

// https://docs.mistral.ai/getting-started/models (2026-11).
const Models& Mistral() {
  static const auto* const kModels = new Models{
      {"mistral-large-2512", "", kAsAsked, "tfpsov", {"mistral-large-latest"}},
      {"mistral-medium-2604", "", kAsAsked, "tfpsovr", {"mistral-medium-3.5"}},
      {"mistral-medium-2508", "", kAsAsked, "tfpsov", {}},
      {"mistral-small-2603", "", kAsAsked, "tfpsovr", {"mistral-small-latest"}},
      {"codestral-2508", "", kAsAsked, "tfpso", {"codestral-latest"}},
      {"devstral-2512", "", kAsAsked, "tfpso", {}},
      {"magistral-medium-latest", "", kAsAsked, "tfpsor", {}},
      {"ministral-14b-2512", "", kAsAsked, "tfpso", {}, 262'144},
      {"ministral-3b-2512", "", kAsAsked, "tfpso", {}, 262'144},
      {"mistral-embed", "", kAsAsked, "e", {}},
  };
  return *kModels;
}

// https://docs.x.ai/docs/models (2026-11).
const Models& Xai() {
  static const auto* const kModels = new Models{
      {"grok-4.5", "", kAsAsked, "tfpsovr", {}},
      {"grok-4.3", "", kAsAsked, "tfpsovr", {}},
      {"grok-4.20", "", kAsAsked, "tfpsovr", {}},
      {"grok-build-0.1", "", kAsAsked, "tfpsor", {}},
      {"grok-4-0709", "", kAsAsked, "tfpsovr", {"grok-4"}},
      {"grok-4-1-fast-reasoning", "", kAsAsked, "tfpsovr", {"grok-4-1-fast"}},
      {"grok-code-fast-1", "", kAsAsked, "tfpsor", {"grok-code-fast"}},
  };
  return *kModels;
}

// https://www.volcengine.com/docs/82379/1330310 (2026-11); ids carry a date
// upstream, so a deployment may name its own.
const Models& Volcengine() {
  static const auto* const kModels = new Models{
      {"doubao-seed-1-6", "", kAsAsked, "tfpsovr", {}, 256'000, 32'768},
      {"doubao-seed-1-6-flash", "", kAsAsked, "tfpsovr", {}, 256'000, 32'768},
  };
  return *kModels;
}

// https://platform.minimax.io/docs/guides/models-intro (2026-11): always
// think; pictures from M3 on.
const Models& MiniMax() {
  static const auto* const kModels = new Models{
      {"MiniMax-M3", "", kAsAsked, "tpovr", {}},
      {"MiniMax-M2.7", "", kAsAsked, "tpor", {}},
      {"MiniMax-M2.7-highspeed", "", kAsAsked, "tpor", {}},
      {"MiniMax-M2.5", "", kAsAsked, "tpor", {}},
      {"MiniMax-M2.5-highspeed", "", kAsAsked, "tpor", {}},
  };
  return *kModels;
}

}  // namespace

const std::vector<CatalogModel>* MoreCatalogOf(std::string_view provider) {
  if (provider == "moonshot" || provider == "moonshot-cn") return &Moonshot();
  if (provider == "zhipu") return &Glm();
  if (provider == "zai") return &Zai();
  if (provider == "groq") return &Groq();
  if (provider == "mistral") return &Mistral();
  if (provider == "xai") return &Xai();
  if (provider == "volcengine") return &Volcengine();
  if (provider == "minimax" || provider == "minimax-cn") return &MiniMax();
  return nullptr;
}

std::vector<const std::vector<CatalogModel>*> MoreCatalogs() {
  return {&Moonshot(), &Zai(),        &Groq(),   &Mistral(),
          &Xai(),      &Volcengine(), &MiniMax()};
}

}  // namespace llm::server
