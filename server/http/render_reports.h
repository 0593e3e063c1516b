// Models, usage, routes and keys as JSON.
//
// Costs are exact decimal text in the messages and are printed as JSON
// numbers with the same digits: no double in between.
#ifndef LLM_SERVER_HTTP_RENDER_REPORTS_H_
#define LLM_SERVER_HTTP_RENDER_REPORTS_H_

#include <string>

#include "llm/v1/admin.pb.h"
#include "llm/v1/models.pb.h"
#include "llm/v1/usage.pb.h"
#include "router/route_plan.h"

namespace llm::server {

// OpenAI's element, plus context_length, max_output_tokens, pricing,
// capabilities, health, aliases and providers. What is unknown is absent.
std::string RenderModel(const v1::Model& model);
std::string RenderModels(const v1::ListModelsResponse& models);

std::string RenderUsage(const v1::GetUsageResponse& usage);

// {"model", "provider", "deployment", "upstream_model", "task_type",
//  "task_source", "reason", "config_version", "variant",
//  "candidates": [{… "tier": "primary|fallback", "reason"}], "excluded": […]}
std::string RenderPlan(const RoutePlan& plan);

// {"key": {…}, "secret": "sk-…"}
std::string RenderCreatedKey(const v1::CreateKeyResponse& created);
// {"keys": [{…}]}
std::string RenderKeys(const v1::ListKeysResponse& keys);
// {"key": {…}}
std::string RenderRevokedKey(const v1::RevokeKeyResponse& revoked);

// {"providers": [{"id", "dialect", "host", "keys", "models", "health"}]}
std::string RenderProviders(const v1::ListProvidersResponse& providers);
// {"provider", "model", "ok", "checks": [{"name", "outcome", …}]}
std::string RenderTestedProvider(const v1::TestProviderResponse& tested);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_RENDER_REPORTS_H_
