// Where a request wants to go: route, rest of the path, tags, query.
//
// Routes are matched on the raw path, byte for byte; only the parts that hold
// somebody's data (a model id, a tag, a key id) are percent-decoded. So no
// encoding trick turns one route into another [SEC-3].
//
// Threads: Pure functions.
#ifndef LLM_SERVER_HTTP_HTTP_TARGET_H_
#define LLM_SERVER_HTTP_HTTP_TARGET_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace llm::server {

enum class HttpRoute {
  kNone,
  kChat,
  kEmbeddings,
  kModels,
  kModel,  // id in `argument`
  kUsage,
  kRoute,
  kHealth,
  kReady,
  kMetrics,
  kKeys,
  kKey,        // id in `argument`
  kRevokeKey,  // id in `argument`
  kProviders,
  kTestProvider,  // id in `argument`
};

struct HttpTarget {
  HttpRoute route = HttpRoute::kNone;
  std::string argument;
  // From /t/run=R,task=T,agent=A/…
  std::string run;
  std::string task;
  std::string agent;
  // Decoded, in order.
  std::vector<std::pair<std::string, std::string>> query;
};

// kInvalidArgument (invalid_request) for malformed escapes and tags; an
// unknown path is a target with route kNone.
absl::StatusOr<HttpTarget> ParseTarget(std::string_view target);

// "%2F" to "/". nullopt for malformed escapes and for NUL.
std::optional<std::string> PercentDecode(std::string_view text,
                                         bool plus_is_space);

// The methods of a route, as an Allow header: "GET, HEAD".
std::string_view AllowedMethods(HttpRoute route);
bool IsAllowed(HttpRoute route, std::string_view method);
// Whether a body means anything there.
bool TakesBody(HttpRoute route, std::string_view method);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_HTTP_TARGET_H_
