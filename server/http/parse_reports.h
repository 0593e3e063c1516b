// Queries and bodies of the routes beside chat.
//
// Unlike a chat request, these are ours alone: what is unknown is refused
// [BUD-5].
//
// Errors: kInvalidArgument (invalid_request) with the name at fault.
#ifndef LLM_SERVER_HTTP_PARSE_REPORTS_H_
#define LLM_SERVER_HTTP_PARSE_REPORTS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "llm/v1/admin.pb.h"
#include "llm/v1/usage.pb.h"

namespace llm::server {

using QueryPairs = std::vector<std::pair<std::string, std::string>>;

// from=, to=, by=a,b; any name that `by` knows is a filter: model=gpt-4o.
absl::StatusOr<v1::GetUsageRequest> ParseUsageQuery(const QueryPairs& query);

// include_revoked=true
absl::StatusOr<v1::ListKeysRequest> ParseListKeys(const QueryPairs& query);

// {"name", "org", "team", "user", "models", "expires_at", "org_admin"}
absl::StatusOr<v1::CreateKeyRequest> ParseCreateKey(std::string_view body);

// {"model"}, or no body at all.
absl::StatusOr<v1::TestProviderRequest> ParseTestProvider(
    std::string_view body);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_PARSE_REPORTS_H_
