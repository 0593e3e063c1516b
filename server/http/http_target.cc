#include "server/http/http_target.h"

#include <algorithm>

#include "adapters/core/json.h"
#include "adapters/core/status_macros.h"
#include "adapters/core/text.h"
#include "router/call_error.h"
#include "router/call_identity.h"

namespace llm::server {
namespace {

absl::Status BadTarget(std::string_view message) {
  return RefuseField("", message);
}

bool TakePrefix(std::string_view* text, std::string_view prefix) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

// Takes a leading segment: "/v1" of "/v1/models" and of "/v1" alone.
bool TakeSegment(std::string_view* path, std::string_view segment) {
  if (!path->starts_with(segment)) return false;
  const std::string_view rest = path->substr(segment.size());
  if (!rest.empty() && rest[0] != '/') return false;
  *path = rest;
  return true;
}

std::string_view TakeUntil(std::string_view* text, char mark) {
  const size_t end = text->find(mark);
  const std::string_view part = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  return part;
}

absl::Status ReadPathTag(std::string_view tag, HttpTarget* out) {
  const std::string_view name = TakeUntil(&tag, '=');
  auto value = PercentDecode(tag, false);
  if (!value) return BadTarget("A tag in the path is malformed.");
  ReplaceInvalidUtf8(&*value);
  if (value->size() > kMaxTag) {
    return BadTarget("A tag in the path is longer than 256 bytes.");
  }
  if (name == "run") {
    out->run = *std::move(value);
  } else if (name == "task") {
    out->task = *std::move(value);
  } else if (name == "agent") {
    out->agent = *std::move(value);
  } else {
    return BadTarget("Tags in the path are run=, task= and agent=.");
  }
  return absl::OkStatus();
}

absl::Status ReadTags(std::string_view* path, HttpTarget* out) {
  if (!TakePrefix(path, "/t/")) return absl::OkStatus();
  const size_t end = std::min(path->find('/'), path->size());
  std::string_view tags = path->substr(0, end);
  path->remove_prefix(end);
  while (!tags.empty()) {
    LLM_RETURN_IF_ERROR(ReadPathTag(TakeUntil(&tags, ','), out));
  }
  return absl::OkStatus();
}

absl::Status ReadQuery(std::string_view query, HttpTarget* out) {
  while (!query.empty()) {
    std::string_view pair = TakeUntil(&query, '&');
    if (pair.empty()) continue;
    auto name = PercentDecode(TakeUntil(&pair, '='), true);
    auto value = PercentDecode(pair, true);
    if (!name || !value) return BadTarget("The query is malformed.");
    out->query.emplace_back(*std::move(name), *std::move(value));
  }
  return absl::OkStatus();
}

absl::Status SetArgument(std::string_view text, HttpRoute route,
                         HttpTarget* out) {
  if (text.empty()) return absl::OkStatus();
  auto decoded = PercentDecode(text, false);
  if (!decoded) return BadTarget("The path is malformed.");
  out->argument = *std::move(decoded);
  out->route = route;
  return absl::OkStatus();
}

struct FixedRoute {
  std::string_view path;
  HttpRoute route;
};
constexpr FixedRoute kApiRoutes[] = {
    {"/chat/completions", HttpRoute::kChat},
    {"/embeddings", HttpRoute::kEmbeddings},
    {"/models", HttpRoute::kModels},
    {"/usage", HttpRoute::kUsage},
    {"/route", HttpRoute::kRoute},
};
constexpr FixedRoute kRootRoutes[] = {
    {"/healthz", HttpRoute::kHealth},
    {"/readyz", HttpRoute::kReady},
    {"/metrics", HttpRoute::kMetrics},
    {"/admin/v1/keys", HttpRoute::kKeys},
    {"/admin/v1/providers", HttpRoute::kProviders},
};

absl::Status MatchApi(std::string_view path, HttpTarget* out) {
  for (const FixedRoute& fixed : kApiRoutes) {
    if (path == fixed.path) out->route = fixed.route;
  }
  if (!TakePrefix(&path, "/models/")) return absl::OkStatus();
  return SetArgument(path, HttpRoute::kModel, out);
}

absl::Status MatchRoot(std::string_view path, HttpTarget* out) {
  for (const FixedRoute& fixed : kRootRoutes) {
    if (path == fixed.path) out->route = fixed.route;
  }
  if (TakePrefix(&path, "/admin/v1/providers/")) {
    constexpr std::string_view kTest = "/test";
    if (!path.ends_with(kTest)) return absl::OkStatus();
    path.remove_suffix(kTest.size());
    if (path.find('/') != std::string_view::npos) return absl::OkStatus();
    return SetArgument(path, HttpRoute::kTestProvider, out);
  }
  if (!TakePrefix(&path, "/admin/v1/keys/")) return absl::OkStatus();
  constexpr std::string_view kRevoke = "/revoke";
  HttpRoute route = HttpRoute::kKey;
  if (path.ends_with(kRevoke)) {
    path.remove_suffix(kRevoke.size());
    route = HttpRoute::kRevokeKey;
  }
  if (path.find('/') != std::string_view::npos) return absl::OkStatus();
  return SetArgument(path, route, out);
}

}  // namespace

std::optional<std::string> PercentDecode(std::string_view text,
                                         bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
      continue;
    }
    const int byte = EscapedByte(text, i);
    if (byte <= 0) return std::nullopt;
    out.push_back(static_cast<char>(byte));
    i += 2;
  }
  return out;
}

absl::StatusOr<HttpTarget> ParseTarget(std::string_view target) {
  HttpTarget out;
  std::string_view path = TakeUntil(&target, '?');
  LLM_RETURN_IF_ERROR(ReadQuery(target, &out));
  LLM_RETURN_IF_ERROR(ReadTags(&path, &out));
  std::string_view api = path;
  TakeSegment(&api, "/api");
  if (!TakeSegment(&api, "/v1")) {
    LLM_RETURN_IF_ERROR(MatchRoot(path, &out));
    return out;
  }
  // Clients that append /v1 to a base that has it.
  TakeSegment(&api, "/v1");
  LLM_RETURN_IF_ERROR(MatchApi(api, &out));
  return out;
}

std::string_view AllowedMethods(HttpRoute route) {
  switch (route) {
    case HttpRoute::kChat:
    case HttpRoute::kEmbeddings:
    case HttpRoute::kRoute:
    case HttpRoute::kRevokeKey:
    case HttpRoute::kTestProvider:
      return "POST";
    case HttpRoute::kKeys:
      return "GET, HEAD, POST";
    case HttpRoute::kKey:
      return "DELETE";
    default:
      return "GET, HEAD";
  }
}

bool IsAllowed(HttpRoute route, std::string_view method) {
  std::string_view allowed = AllowedMethods(route);
  while (!allowed.empty()) {
    std::string_view one = TakeUntil(&allowed, ',');
    if (!one.empty() && one[0] == ' ') one.remove_prefix(1);
    if (one == method) return true;
  }
  return false;
}

bool TakesBody(HttpRoute route, std::string_view method) {
  return method == "POST" && route != HttpRoute::kRevokeKey;
}

}  // namespace llm::server
