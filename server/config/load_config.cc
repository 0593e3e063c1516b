#include "server/config/load_config.h"

#include <utility>

#include "server/config/config_draft.h"
#include "server/config/model_section.h"
#include "server/config/provider_section.h"
#include "server/config/route_table_builder.h"
#include "server/config/secret_reference.h"
#include "server/config/service_section.h"
#include "server/config/task_section.h"
#include "server/config/text.h"
#include "server/config/yaml_cursor.h"

namespace llm::server {
namespace {

constexpr size_t kMaxFileBytes = size_t{8} << 20;
constexpr char kAdminKeyVariable[] = "LLM_SERVICE_ADMIN_KEY";

void ReadSections(const YamlCursor& root, LoadContext* context,
                  ConfigDraft* draft) {
  const auto service = [&](const YamlCursor& c) {
    ReadServiceSection(c, context, draft);
  };
  ReadFields(root,
             {{"server", service},
              {"auth", service},
              {"store", service},
              {"embeddings", service},
              {"providers",
               [&](const YamlCursor& c) { ReadProviders(c, context, draft); }},
              {"models", [&](const YamlCursor& c) { ReadModels(c, draft); }},
              {"tasks", [&](const YamlCursor& c) { ReadTasks(c, draft); }},
              {"routing", [&](const YamlCursor& c) { ReadRouting(c, draft); }},
              {"usage", [&](const YamlCursor& c) { ReadUsage(c, draft); }}});
}

// False if the file could not be read as YAML at all.
bool ReadFile(const std::string& file, LoadContext* context,
              ConfigDraft* draft) {
  const absl::StatusOr<std::string> text = ReadSmallFile(file, kMaxFileBytes);
  if (!text.ok()) {
    context->faults->Add(1, "yaml", Words(text.status()));
    return false;
  }
  const std::optional<YamlCursor> root = ParseYaml(*text, context->faults);
  if (!root.has_value()) return false;
  try {
    ReadSections(*root, context, draft);
  } catch (const YAML::Exception& error) {
    context->faults->Add(error.mark.line + 1, "yaml", error.msg);
    return false;
  }
  return true;
}

void AddDefaultAdminKey(LoadContext* context, ConfigDraft* draft) {
  if (draft->places.contains("auth.admin_key")) return;
  const std::optional<std::string> value = context->Env(kAdminKeyVariable);
  if (!value.has_value() || value->empty()) return;
  absl::StatusOr<ApiKey> key =
      ResolveSecret(Cat("env:", kAdminKeyVariable), context);
  if (!key.ok()) {
    draft->places["auth.admin_key"] = {0, kAdminKeyVariable};
    context->faults->Add(0, kAdminKeyVariable, Words(key.status()));
    return;
  }
  draft->config.auth.admin_key = *std::move(key);
}

}  // namespace

ConfigResult LoadConfig(const ConfigSources& sources) {
  FaultList faults(sources.file);
  LoadContext context{&sources, &faults, {}};
  ConfigDraft draft;
  if (!sources.file.empty() && !ReadFile(sources.file, &context, &draft)) {
    return {nullptr, faults.Lines()};
  }
  ReadEnvironment(&context, &draft);
  AddDefaultAdminKey(&context, &draft);
  CheckService(&context, &draft);
  // Providers that were written down and refused are not replaced by others.
  if (draft.providers.empty() && faults.empty()) {
    AddProvidersOfEnvironment(&context, &draft);
  }
  std::shared_ptr<const RouteTable> table = BuildRouteTable(&context, &draft);
  if (!faults.empty()) return {nullptr, faults.Lines()};
  draft.config.table = std::move(table);
  return {std::make_shared<const Config>(std::move(draft.config)), {}};
}

}  // namespace llm::server
