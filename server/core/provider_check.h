// "Test connection": three plain calls pinned to one provider, so that what
// an operator sees is what a caller would meet [OPS-6]. Nothing here talks to
// providers: the router does, with its deadlines, rows and prices.
//
// Each call is billed and ledgered: role `probe`, key id "probe" [LED-2,
// HLT-1].
//
// Threads:   The gateway's loop.
// Ownership: Everything passed in outlives the returned task.
#ifndef LLM_SERVER_CORE_PROVIDER_CHECK_H_
#define LLM_SERVER_CORE_PROVIDER_CHECK_H_

#include <string>

#include "absl/status/statusor.h"
#include "adapters/core/task.h"
#include "llm/v1/admin.pb.h"
#include "router/health_board.h"
#include "router/route_table.h"
#include "router/router.h"

namespace llm::server {

enum class CheckKind { kChat, kStream, kToolCall };
inline constexpr CheckKind kAllChecks[] = {CheckKind::kChat, CheckKind::kStream,
                                           CheckKind::kToolCall};

struct CheckTarget {
  std::string provider;
  // Public id, or an upstream id the catalog does not know.
  std::string model;
  ModelTraits traits;
};

// The model to test with: the one named, else the first that the provider
// serves and that takes tools, else the first.
// kNotFound: no such provider; kInvalidArgument (param `model`): it serves
// none, so one must be named.
absl::StatusOr<CheckTarget> FindCheckTarget(
    const RouteTable& table, const v1::TestProviderRequest& request);

// The caller that these calls are accounted to.
Caller ProbeCaller();

// One call. `context` is fresh, of ProbeCaller; its deadline is set here.
Task<v1::ProviderCheck> RunCheck(CheckKind kind, const CheckTarget& target,
                                 CallContext context, Router& router);

v1::ListProvidersResponse DescribeProviders(const RouteTable& table,
                                            const HealthBoard& health,
                                            Instant now);

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_PROVIDER_CHECK_H_
