// Completes a draft into a RouteTable: catalog, deployments, prices, tasks.
//
// Errors: Faults of the whole (dangling names, clashing aliases, prices that
//         could never apply) go to the context's list.
#ifndef LLM_SERVER_CONFIG_ROUTE_TABLE_BUILDER_H_
#define LLM_SERVER_CONFIG_ROUTE_TABLE_BUILDER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/config_draft.h"

namespace llm::server {

// Null if the price list could not be built; the list then says why.
std::shared_ptr<const RouteTable> BuildRouteTable(LoadContext* context,
                                                  ConfigDraft* draft);

// The steps, each over what the earlier ones made.

// Models of the catalog and of the file, with their deployments and aliases.
void AddModels(const ConfigDraft& draft, LoadContext* context,
               RouteTable* table);
// Price rows for models whose price the file gives.
std::vector<PriceRow> PriceOverrides(const ConfigDraft& draft,
                                     const RouteTable& table,
                                     const PriceBook& built_in,
                                     LoadContext* context);
// Built-in tasks over what is served, then those of the file.
void AddTasks(const ConfigDraft& draft, LoadContext* context,
              RouteTable* table);

// Twelve hex digits of everything in effect that is not secret.
std::string ConfigVersion(const Config& config, const RouteTable& table);

}  // namespace llm::server

#endif  // LLM_SERVER_CONFIG_ROUTE_TABLE_BUILDER_H_
