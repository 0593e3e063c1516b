#include "server/config/model_section.h"

#include <algorithm>
#include <utility>

#include "adapters/core/money.h"
#include "server/config/provider_section.h"
#include "server/config/setting_text.h"
#include "server/config/text.h"

namespace llm::server {
namespace {

constexpr int64_t kMaxTokens = 1'000'000'000;
constexpr int kMaxWeight = 1000;

// "0.15" per million tokens is 150000 pico-units per token.
absl::StatusOr<int64_t> ParsePrice(std::string_view text) {
  absl::StatusOr<int64_t> price = ParseDecimal(text, 6);
  if (!price.ok()) {
    return absl::InvalidArgumentError(Cat(
        "'", Shown(text), "' is not a decimal price with at most 6 decimals"));
  }
  return price;
}

PriceSet ReadPerMillion(const YamlCursor& cursor) {
  PriceSet prices;
  const auto into = [](std::optional<int64_t>* to) {
    return [to](const YamlCursor& c) { *to = c.Parsed<int64_t>(ParsePrice); };
  };
  ReadFields(cursor,
             {{"input", into(&prices.input)},
              {"cached_input", into(&prices.cached_input)},
              {"cached_input_explicit", into(&prices.cached_input_explicit)},
              {"cache_write", into(&prices.cache_write)},
              {"cache_write_1h", into(&prices.cache_write_1h)},
              {"output", into(&prices.output)},
              {"output_thinking_mode", into(&prices.output_thinking_mode)},
              {"audio_input", into(&prices.audio_input)},
              {"audio_cached_input", into(&prices.audio_cached_input)},
              {"audio_output", into(&prices.audio_output)},
              {"image_input", into(&prices.image_input)}});
  return prices;
}

PriceDraft ReadPrice(const YamlCursor& cursor) {
  PriceDraft price;
  price.place = {cursor.line(), cursor.path()};
  bool given = false;
  ReadFields(cursor, {{"currency",
                       [&](const YamlCursor& c) {
                         price.currency =
                             c.Checked(CheckCurrencySetting).value_or("");
                       }},
                      {"per_million", [&](const YamlCursor& c) {
                         given = true;
                         price.prices = ReadPerMillion(c);
                         if (!c.is_null() && c.is_map() &&
                             (!price.prices.input || !price.prices.output)) {
                           c.Fault("needs input and output");
                         }
                       }}});
  if (!given) cursor.Fault("needs per_million: {input: …, output: …}");
  return price;
}

DeploymentDraft ReadDeployment(const YamlCursor& cursor) {
  DeploymentDraft deployment;
  deployment.place = {cursor.line(), cursor.path()};
  ReadFields(cursor, {{"provider",
                       [&](const YamlCursor& c) {
                         deployment.provider = c.Text().value_or("");
                       }},
                      {"upstream",
                       [&](const YamlCursor& c) {
                         deployment.upstream = c.Checked(CheckModelName);
                       }},
                      {"weight", [&](const YamlCursor& c) {
                         deployment.weight =
                             static_cast<int>(c.Int(1, kMaxWeight).value_or(1));
                       }}});
  if (deployment.provider.empty()) cursor.Fault("needs a provider");
  return deployment;
}

void SetCapability(const YamlCursor& cursor, const std::string& name, bool on,
                   CapabilityPatch* patch) {
  const std::vector<std::string>& known = CapabilityNames();
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    return cursor.Fault(Cat("unknown capability", DidYouMean(name, known)));
  }
  (*patch)[name] = on;
}

// What chats does not embed, and the other way round.
void CheckEmbeds(const YamlCursor& cursor, const CapabilityPatch& patch) {
  const auto embeds = patch.find("embeddings");
  if (embeds == patch.end() || !embeds->second) return;
  for (const auto& [name, on] : patch) {
    if (on && name != "embeddings") {
      return cursor.Fault(
          Cat("embeddings stands alone: a model with it does not chat, so it "
              "has no ",
              name));
    }
  }
}

// A list is all there is; a mapping changes what it names.
CapabilityPatch ReadCapabilities(const YamlCursor& cursor) {
  CapabilityPatch patch;
  if (cursor.is_list()) {
    for (const std::string& name : CapabilityNames()) patch[name] = false;
    // Refusing sampling is a quirk, not something a list would name.
    patch.erase("sampling");
    for (const YamlCursor& item : cursor.Items()) {
      if (const auto name = item.Text()) {
        SetCapability(item, *name, true, &patch);
      }
    }
    if (patch["json_schema"]) patch["json_object"] = true;
    CheckEmbeds(cursor, patch);
    return patch;
  }
  for (const auto& [name, member] : cursor.Members()) {
    if (const auto on = member.Parsed<bool>(ParseBoolSetting)) {
      SetCapability(member, name, *on, &patch);
    }
  }
  CheckEmbeds(cursor, patch);
  return patch;
}

std::vector<NameAt> ReadAliases(const YamlCursor& cursor) {
  std::vector<NameAt> aliases;
  for (const YamlCursor& item : cursor.Items()) {
    if (auto name = item.Checked(CheckModelName)) {
      aliases.push_back({*std::move(name), {item.line(), item.path()}});
    }
  }
  return aliases;
}

// `single`: what `provider` named; `listed`: there are deployments.
void CompleteModel(const YamlCursor& cursor,
                   std::optional<DeploymentDraft> single, bool listed,
                   ModelDraft* model) {
  if (listed && (single.has_value() || model->upstream.has_value())) {
    cursor.Fault("has deployments; provider and upstream belong in them");
  } else if (single.has_value()) {
    single->upstream = model->upstream;
    model->deployments.push_back(*std::move(single));
  }
  if (model->context_window && model->max_output_tokens &&
      *model->max_output_tokens > *model->context_window) {
    cursor.Fault("max_output_tokens is larger than context_window");
  }
}

ModelDraft ReadModel(const std::string& id, const YamlCursor& cursor) {
  ModelDraft model;
  model.id = id;
  model.place = {cursor.line(), cursor.path()};
  std::optional<DeploymentDraft> single;
  bool listed = false;
  const auto tokens = [](std::optional<int64_t>* to) {
    return [to](const YamlCursor& c) { *to = c.Int(1, kMaxTokens); };
  };
  ReadFields(
      cursor,
      {{"provider",
        [&](const YamlCursor& c) {
          single.emplace();
          single->provider = c.Text().value_or("");
          single->place = {c.line(), c.path()};
        }},
       {"upstream",
        [&](const YamlCursor& c) {
          model.upstream = c.Checked(CheckModelName);
        }},
       {"deployments",
        [&](const YamlCursor& c) {
          listed = true;
          for (const YamlCursor& item : c.Items()) {
            model.deployments.push_back(ReadDeployment(item));
          }
          if (c.is_list() && model.deployments.empty()) c.Fault("is empty");
        }},
       {"aliases",
        [&](const YamlCursor& c) { model.aliases = ReadAliases(c); }},
       {"context_window", tokens(&model.context_window)},
       {"max_output_tokens", tokens(&model.max_output_tokens)},
       {"capabilities",
        [&](const YamlCursor& c) { model.capabilities = ReadCapabilities(c); }},
       {"timeouts",
        [&](const YamlCursor& c) { model.timeouts = ReadTimeouts(c); }},
       {"price", [&](const YamlCursor& c) { model.price = ReadPrice(c); }}});
  CompleteModel(cursor, std::move(single), listed, &model);
  return model;
}

}  // namespace

const std::vector<std::string>& CapabilityNames() {
  static const auto* const kNames = new std::vector<std::string>{
      "tools",  "tool_choice", "parallel_tools", "json_schema", "json_object",
      "vision", "audio",       "reasoning",      "sampling",    "embeddings"};
  return *kNames;
}

void ReadModels(const YamlCursor& section, ConfigDraft* draft) {
  for (const auto& [id, cursor] : section.Members()) {
    if (const absl::Status status = CheckModelName(id); !status.ok()) {
      cursor.Fault(Words(status));
      continue;
    }
    draft->models.push_back(ReadModel(id, cursor));
  }
}

}  // namespace llm::server
