#include "server/config/provider_section.h"

#include <algorithm>
#include <utility>

#include "server/config/secret_reference.h"
#include "server/config/setting_text.h"
#include "server/config/text.h"

namespace llm::server {
namespace {

constexpr int kMaxInFlight = 100'000;

bool HasDialect(std::string_view dialect) {
  return dialect == "openai" || dialect == "anthropic" || dialect == "gemini" ||
         dialect == "simulated";
}

const BuiltInProvider* FindBuiltIn(const LoadContext& context,
                                   std::string_view id) {
  if (context.sources->built_in == nullptr) return nullptr;
  for (const BuiltInProvider& provider : *context.sources->built_in) {
    if (provider.id == id) return &provider;
  }
  return nullptr;
}

// The first of `variables` that is set and not empty.
std::optional<std::string> SetVariable(
    const LoadContext& context,
    const std::vector<std::string_view>& variables) {
  for (const std::string_view name : variables) {
    const std::optional<std::string> value = context.Env(std::string(name));
    if (value.has_value() && !value->empty()) return std::string(name);
  }
  return std::nullopt;
}

// "A or B".
std::string OneOf(const std::vector<std::string_view>& names) {
  std::string text;
  for (const std::string_view name : names) {
    text += Cat(text.empty() ? "" : " or ", name);
  }
  return text;
}

ProviderSettings SettingsOf(const BuiltInProvider& known) {
  ProviderSettings settings;
  settings.id = {std::string(known.id)};
  settings.dialect = std::string(known.dialect);
  settings.profile = std::string(known.profile);
  settings.base_url = std::string(known.base_url);
  if (!known.currency.empty()) {
    settings.currency = {std::string(known.currency)};
  }
  settings.price_provider = std::string(
      known.price_provider.empty() ? known.id : known.price_provider);
  return settings;
}

class ProviderReader {
 public:
  ProviderReader(std::string id, const YamlCursor& cursor, LoadContext* context)
      : id_(std::move(id)),
        cursor_(cursor),
        context_(context),
        known_(FindBuiltIn(*context, id_)) {
    draft_.place = {cursor.line(), cursor.path()};
    if (known_ != nullptr) {
      draft_.settings = SettingsOf(*known_);
    } else {
      if (id_ == "simulated") draft_.settings.dialect = "simulated";
      draft_.settings.price_provider = id_;
    }
    draft_.settings.id = {id_};
  }

  ProviderDraft Read() {
    ReadFields(
        cursor_,
        {{"dialect", [this](const YamlCursor& c) { ReadDialect(c); }},
         {"profile", [this](const YamlCursor& c) { ReadProfile(c); }},
         {"base_url", [this](const YamlCursor& c) { ReadBaseUrl(c); }},
         {"api_version", [this](const YamlCursor& c) { ReadVersion(c); }},
         {"api_keys", [this](const YamlCursor& c) { ReadKeys(c); }},
         {"currency", [this](const YamlCursor& c) { ReadCurrency(c); }},
         {"timeouts",
          [this](const YamlCursor& c) { draft_.timeouts = ReadTimeouts(c); }},
         {"proxy", [this](const YamlCursor& c) { ReadProxy(c); }},
         {"ca_file", [this](const YamlCursor& c) { ReadCaFile(c); }},
         {"http2", [this](const YamlCursor& c) { ReadHttp2(c); }},
         {"max_in_flight", [this](const YamlCursor& c) { ReadLimit(c); }},
         {"max_queue", [this](const YamlCursor& c) { ReadQueue(c); }},
         {"queue_timeout",
          [this](const YamlCursor& c) { ReadQueueTimeout(c); }},
         {"probe", [this](const YamlCursor& c) { ReadProbe(c); }},
         {"simulated", [this](const YamlCursor& c) { ReadSimulated(c); }}});
    Complete();
    return std::move(draft_);
  }

 private:
  void ReadDialect(const YamlCursor& cursor) {
    const std::optional<std::string> text = cursor.Text();
    if (!text.has_value()) return;
    if (!HasDialect(*text)) {
      return cursor.Fault(Cat(
          "unknown dialect",
          DidYouMean(*text, {"openai", "anthropic", "gemini", "simulated"})));
    }
    draft_.settings.dialect = *text;
    if (known_ != nullptr && known_->dialect != *text) {
      draft_.settings.profile.clear();
    }
  }

  // Quirks of a vendor we know, at an address of one's own.
  void ReadProfile(const YamlCursor& cursor) {
    const std::optional<std::string> text = cursor.Text();
    if (!text.has_value()) return;
    std::vector<std::string> known;
    if (context_->sources->built_in != nullptr) {
      for (const BuiltInProvider& row : *context_->sources->built_in) {
        if (!row.profile.empty()) known.emplace_back(row.profile);
      }
    }
    if (!text->empty() &&
        std::find(known.begin(), known.end(), *text) == known.end()) {
      return cursor.Fault(Cat("unknown profile", DidYouMean(*text, known)));
    }
    draft_.settings.profile = *text;
  }

  void ReadBaseUrl(const YamlCursor& cursor) {
    base_url_given_ = true;
    if (auto url = cursor.Parsed<std::string>(ParseBaseUrlSetting)) {
      draft_.settings.base_url = *std::move(url);
    }
  }

  void ReadVersion(const YamlCursor& cursor) {
    if (auto version = cursor.Checked(CheckApiVersionSetting)) {
      draft_.settings.api_version = *std::move(version);
    }
  }

  void ReadKeys(const YamlCursor& cursor) {
    keys_given_ = true;
    for (const YamlCursor& item : cursor.Items()) {
      const std::optional<std::string> reference = item.Text();
      if (!reference.has_value()) continue;
      absl::StatusOr<ApiKey> key = ResolveSecret(*reference, context_);
      if (!key.ok()) {
        item.Fault(Words(key.status()));
        continue;
      }
      draft_.settings.api_keys.push_back(*std::move(key));
    }
  }

  void ReadCurrency(const YamlCursor& cursor) {
    if (auto code = cursor.Checked(CheckCurrencySetting)) {
      draft_.settings.currency = {*std::move(code)};
    }
  }

  void ReadProxy(const YamlCursor& cursor) {
    const std::optional<std::string> text = cursor.Text();
    if (!text.has_value() || text->empty()) return;
    if (const absl::Status status = CheckProxySetting(*text); !status.ok()) {
      return cursor.Fault(Words(status));
    }
    draft_.settings.endpoint.proxy = *text;
  }

  void ReadCaFile(const YamlCursor& cursor) {
    const std::optional<std::string> text = cursor.Text();
    if (!text.has_value() || text->empty()) return;
    const auto content = ReadSmallFile(*text, size_t{8} << 20);
    if (!content.ok()) return cursor.Fault(Words(content.status()));
    draft_.settings.endpoint.ca_file = *text;
  }

  void ReadHttp2(const YamlCursor& cursor) {
    if (const auto on = cursor.Parsed<bool>(ParseBoolSetting)) {
      draft_.settings.endpoint.http2 = *on;
    }
  }

  void ReadProbe(const YamlCursor& cursor) {
    if (const auto on = cursor.Parsed<bool>(ParseBoolSetting)) {
      draft_.settings.probe = *on;
    }
  }

  void ReadLimit(const YamlCursor& cursor) {
    if (const auto limit = cursor.Int(1, kMaxInFlight)) {
      draft_.settings.max_in_flight = static_cast<int>(*limit);
    }
  }

  void ReadQueue(const YamlCursor& cursor) {
    if (const auto length = cursor.Int(0, kMaxInFlight)) {
      draft_.settings.max_queue = static_cast<int>(*length);
    }
  }

  void ReadQueueTimeout(const YamlCursor& cursor) {
    absl::Duration& timeout = draft_.settings.queue_timeout;
    timeout = cursor.Duration().value_or(timeout);
  }

  void ReadSimulated(const YamlCursor& cursor) {
    simulated_given_ = true;
    SimulatedOptions& options = draft_.settings.simulated;
    const auto duration = [](absl::Duration* to) {
      return [to](const YamlCursor& c) { *to = c.Duration().value_or(*to); };
    };
    ReadFields(cursor, {{"latency", duration(&options.latency)},
                        {"chunk_interval", duration(&options.chunk_interval)},
                        {"failure_rate",
                         [&options](const YamlCursor& c) {
                           options.failure_rate =
                               c.Parsed<double>(ParseShareSetting).value_or(0);
                         }},
                        {"fail_status", [&options](const YamlCursor& c) {
                           const std::optional<std::string> text = c.Text();
                           if (!text.has_value() || *text == "0") return;
                           options.fail_status =
                               static_cast<int>(c.Int(400, 599).value_or(0));
                         }}});
  }

  void Complete() {
    ProviderSettings& settings = draft_.settings;
    const bool simulated = settings.dialect == "simulated";
    if (!simulated && settings.base_url.empty() && !base_url_given_) {
      CompleteBaseUrl();
    }
    if (simulated_given_ && !simulated) {
      cursor_.Fault("simulated options need dialect: simulated");
    }
    settings.timeouts = ApplyTimeouts(draft_.timeouts, settings.timeouts);
    CheckTimeouts(draft_.timeouts, settings.timeouts, context_->faults);
    if (!keys_given_ && known_ != nullptr) CompleteKeys();
  }

  // Some vendors give each customer an address of its own.
  void CompleteBaseUrl() {
    if (known_ == nullptr || known_->base_url_variable.empty()) {
      return cursor_.Fault(
          "needs a base_url: it is not a provider known by name");
    }
    const std::string variable(known_->base_url_variable);
    const std::optional<std::string> text = context_->Env(variable);
    if (!text.has_value() || text->empty()) {
      return cursor_.Fault(Cat("needs a base_url, or ", variable, " set"));
    }
    auto url = ParseBaseUrlSetting(*text);
    if (!url.ok()) {
      return cursor_.Fault(Cat(variable, " ", Words(url.status())));
    }
    draft_.settings.base_url = *std::move(url);
  }

  // A built-in id brings its key variable along, but only to its own address:
  // a credential never meets a destination it was not made for [SEC-1]. Where
  // the id has no address, the file or the vendor's variable says whose it is.
  void CompleteKeys() {
    const bool elsewhere = base_url_given_ && !known_->base_url.empty();
    if (elsewhere || known_->key_variables.empty()) return;
    const auto name = SetVariable(*context_, known_->key_variables);
    if (!name.has_value()) {
      if (!known_->needs_key) return;  // local servers go without
      return cursor_.Fault(
          Cat("needs api_keys, or ", OneOf(known_->key_variables), " set"));
    }
    absl::StatusOr<ApiKey> key = ResolveSecret(Cat("env:", *name), context_);
    if (!key.ok()) return cursor_.Fault(Words(key.status()));
    draft_.settings.api_keys.push_back(*std::move(key));
  }

  std::string id_;
  const YamlCursor& cursor_;
  LoadContext* context_;
  const BuiltInProvider* known_;
  ProviderDraft draft_;
  bool base_url_given_ = false;
  bool keys_given_ = false;
  bool simulated_given_ = false;
};

ProviderDraft SimulatedProvider(const LoadContext& context) {
  ProviderDraft draft;
  if (const BuiltInProvider* known = FindBuiltIn(context, "simulated")) {
    draft.settings = SettingsOf(*known);
  } else {
    draft.settings.id = {"simulated"};
    draft.settings.dialect = "simulated";
    draft.settings.price_provider = "simulated";
  }
  return draft;
}

}  // namespace

void ReadProviders(const YamlCursor& section, LoadContext* context,
                   ConfigDraft* draft) {
  for (const auto& [id, cursor] : section.Members()) {
    if (const absl::Status status = CheckProviderName(id); !status.ok()) {
      cursor.Fault(Words(status));
      continue;
    }
    draft->providers.push_back(ProviderReader(id, cursor, context).Read());
  }
}

void AddProvidersOfEnvironment(LoadContext* context, ConfigDraft* draft) {
  std::vector<std::string>& notices = draft->config.notices;
  static const std::vector<BuiltInProvider> kNone;
  const std::vector<BuiltInProvider>& built_in =
      context->sources->built_in == nullptr ? kNone
                                            : *context->sources->built_in;
  for (const BuiltInProvider& known : built_in) {
    if (!known.on_by_default) continue;
    const auto name = SetVariable(*context, known.key_variables);
    if (!name.has_value()) continue;
    absl::StatusOr<ApiKey> key = ResolveSecret(Cat("env:", *name), context);
    if (!key.ok()) {
      context->faults->Add(0, *name, Words(key.status()));
      continue;
    }
    ProviderDraft provider{SettingsOf(known), {}, {}};
    provider.settings.api_keys.push_back(*std::move(key));
    draft->providers.push_back(std::move(provider));
    notices.push_back(Cat("provider ", known.id, " is on: ", *name, " is set"));
  }
  if (!draft->providers.empty()) return;
  draft->providers.push_back(SimulatedProvider(*context));
  notices.push_back("no provider key is set: the simulated provider answers");
}

}  // namespace llm::server
