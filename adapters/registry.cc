#include "adapters/registry.h"

#include <iterator>

#include "absl/strings/str_cat.h"
#include "adapters/anthropic/anthropic_provider.h"
#include "adapters/gemini/gemini_provider.h"
#include "adapters/openai/openai_provider.h"
#include "adapters/openai/profiles.h"
#include "adapters/simulated/simulated_provider.h"

namespace llm {
namespace {

std::vector<BuiltInProvider> MakeBuiltIns() {
  std::vector<BuiltInProvider> list;
  for (const openai::Profile& profile : openai::AllProfiles()) {
    for (const openai::Site& site : profile.sites) {
      BuiltInProvider provider{.id = site.id,
                               .dialect = "openai",
                               .profile = profile.id,
                               .base_url = site.base_url,
                               .key_variables = {},
                               .currency = site.currency,
                               .price_provider = site.price_provider,
                               .on_by_default = site.on_by_default,
                               .needs_key = site.needs_key,
                               .base_url_variable = site.base_url_variable};
      for (const auto name : {site.key_variable, site.other_key_variable}) {
        if (!name.empty()) provider.key_variables.push_back(name);
      }
      list.push_back(std::move(provider));
    }
  }
  // Known by name; a build without the dialect says so when it is used.
  list.push_back({"gemini",
                  "gemini",
                  "",
                  "https://generativelanguage.googleapis.com/v1beta",
                  {"GEMINI_API_KEY", "GOOGLE_API_KEY"},
                  "USD",
                  "gemini",
                  true,
                  true});
  list.push_back({"anthropic",
                  "anthropic",
                  "",
                  "https://api.anthropic.com",
                  {"ANTHROPIC_API_KEY"},
                  "USD",
                  "anthropic",
                  true,
                  true});
  list.push_back(
      {"simulated", "simulated", "", "", {}, "USD", "simulated", false});
  return list;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Provider>> MakeProvider(
    const ProviderSettings& settings, HttpTransport& transport,
    const Clock& clock, Beside* beside) {
  if (settings.dialect == "openai") {
    return std::make_unique<OpenAiProvider>(settings, transport, clock, beside);
  }
  if (settings.dialect == "anthropic") {
    return std::make_unique<AnthropicProvider>(settings, transport, clock);
  }
  if (settings.dialect == "gemini") {
    return std::make_unique<GeminiProvider>(settings, transport, clock, beside);
  }
  if (settings.dialect == "simulated") {
    return MakeSimulatedProvider(settings, clock);
  }
  return absl::UnimplementedError(absl::StrCat("provider ", settings.id.value,
                                               ": this build does not speak"
                                               " the dialect \"",
                                               settings.dialect, "\""));
}

const std::vector<BuiltInProvider>& BuiltInProviders() {
  // Constant after the first call; C++ makes that call safe between threads.
  static const std::vector<BuiltInProvider> kList = MakeBuiltIns();
  return kList;
}

}  // namespace llm
