// Who may enter, and where to: the first line is an Authorization value, the
// rest a request target. The answers agree with a second, plainer reading
// [SEC-3].
#include <map>

#include "adapters/core/json.h"
#include "adapters/core/random.h"
#include "adapters/core/system_clock.h"
#include "server/auth/key_secret.h"
#include "server/core/gateway.h"
#include "server/http/http_target.h"
#include "tests/fuzz/fuzz_check.h"

namespace llm::server {
namespace {

constexpr std::string_view kAdminKey = "admin-0123456789";
constexpr std::string_view kKey =
    "sk-0123456789abcdef0123456789abcdef0123456789abcdef";

class OneKey : public KeyStore {
 public:
  absl::StatusOr<Caller> Check(std::string_view secret,
                               absl::Time) const override {
    if (!IsKeySecret(secret) || DigestOf(secret) != DigestOf(kKey)) {
      return absl::UnauthenticatedError("unknown");
    }
    Caller caller;
    caller.key_id.value = "one";
    return caller;
  }
  Task<absl::StatusOr<v1::CreateKeyResponse>> Create(
      v1::CreateKeyRequest) override {
    co_return v1::CreateKeyResponse();
  }
  Task<absl::StatusOr<v1::ListKeysResponse>> List(bool) override {
    co_return v1::ListKeysResponse();
  }
  Task<absl::StatusOr<v1::RevokeKeyResponse>> Revoke(std::string) override {
    co_return v1::RevokeKeyResponse();
  }
  absl::Status Health() const override { return absl::OkStatus(); }
};

// The token of a bearer credential, read letter by letter.
std::string_view Token(std::string_view value) {
  constexpr std::string_view kScheme = "bearer ";
  for (size_t i = 0; i < kScheme.size(); ++i) {
    if (i >= value.size()) return {};
    const char c = value[i];
    const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (low != kScheme[i]) return {};
  }
  value.remove_prefix(kScheme.size());
  while (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

void CheckCredentials(std::string_view value) {
  static const OneKey* const kStore = new OneKey();
  static const SystemClock* const kClock = new SystemClock();
  GatewayParts parts;
  parts.keys = const_cast<OneKey*>(kStore);
  parts.clock = kClock;
  parts.snapshot.admin_key = ApiKey(std::string(kAdminKey));
  const Gateway gateway(std::move(parts));
  const std::string_view token = Token(value);
  const absl::StatusOr<Caller> caller = gateway.Authenticate(value);
  fuzz::Check(caller.ok() == (token == kKey || token == kAdminKey),
              "the key, or nobody");
  fuzz::Check(!caller.ok() || caller->admin == (token == kAdminKey),
              "the admin, or not");
  fuzz::Check(gateway.AuthoriseAdmin(value).ok() == (token == kAdminKey),
              "the admin, or nobody");
  static const absl::Status* const kRefused =
      new absl::Status(gateway.Authenticate("").status());
  fuzz::Check(caller.ok() || caller.status() == *kRefused,
              "one constant refusal");
}

absl::StatusOr<HttpTarget> Parse(std::string_view target) {
#ifdef LLM_FUZZ_PLANTED
  // Decodes before it matches.
  std::string decoded(target);
  for (size_t at = decoded.find("%2"); at != std::string::npos;
       at = decoded.find("%2", at + 1)) {
    if (at + 2 < decoded.size() && (decoded[at + 2] | 0x20) == 'f') {
      decoded.replace(at, 3, "/");
    }
  }
  return ParseTarget(decoded);
#else
  return ParseTarget(target);
#endif
}

// The raw path without tags and base, or nothing where it has no base.
std::optional<std::string_view> ApiPath(std::string_view path) {
  if (path.starts_with("/api/")) path.remove_prefix(4);
  if (path != "/v1" && !path.starts_with("/v1/")) return std::nullopt;
  path.remove_prefix(3);
  if (path == "/v1" || path.starts_with("/v1/")) path.remove_prefix(3);
  return path;
}

bool Agrees(std::string_view path, HttpRoute route) {
  static const std::map<HttpRoute, std::string_view> kApi = {
      {HttpRoute::kChat, "/chat/completions"},
      {HttpRoute::kEmbeddings, "/embeddings"},
      {HttpRoute::kModels, "/models"},
      {HttpRoute::kUsage, "/usage"},
      {HttpRoute::kRoute, "/route"}};
  static const std::map<HttpRoute, std::string_view> kRoot = {
      {HttpRoute::kHealth, "/healthz"},
      {HttpRoute::kReady, "/readyz"},
      {HttpRoute::kMetrics, "/metrics"},
      {HttpRoute::kProviders, "/admin/v1/providers"},
      {HttpRoute::kKeys, "/admin/v1/keys"}};
  if (path.starts_with("/t/")) {
    const size_t end = path.find('/', 3);
    path.remove_prefix(std::min(end, path.size()));
  }
  const auto api = ApiPath(path);
  if (const auto it = kApi.find(route); it != kApi.end()) {
    return api && *api == it->second;
  }
  if (const auto it = kRoot.find(route); it != kRoot.end()) {
    return !api && path == it->second;
  }
  if (route == HttpRoute::kModel) return api && api->starts_with("/models/");
  const std::string_view list = route == HttpRoute::kTestProvider
                                    ? "/admin/v1/providers/"
                                    : "/admin/v1/keys/";
  return !api && path.starts_with(list);
}

// What the check of the head lets through (request_head.h).
bool IsTarget(std::string_view text) {
  return text.starts_with('/') &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c <= '~' && c != '#'; });
}

void CheckTarget(std::string_view target) {
  if (!IsTarget(target)) return;
  const absl::StatusOr<HttpTarget> parsed = Parse(target);
  if (!parsed.ok()) return;
  for (const std::string& tag : {parsed->run, parsed->task, parsed->agent}) {
    fuzz::Check(tag.size() <= 256, "a short tag");
    fuzz::Check(IsValidUtf8(tag), "a tag of text");
    fuzz::Check(tag.find('\0') == std::string::npos, "a tag without NUL");
  }
  fuzz::Check(parsed->argument.find('\0') == std::string::npos, "no NUL");
  if (parsed->route == HttpRoute::kNone) return;
  const std::string_view path = target.substr(0, target.find('?'));
  fuzz::Check(Agrees(path, parsed->route), "the route of the raw path");
  const absl::StatusOr<HttpTarget> bare = Parse(path);
  fuzz::Check(bare.ok() && bare->route == parsed->route,
              "a query changes no route");
}

}  // namespace
}  // namespace llm::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  llm::fuzz::Input input(data, size);
  llm::server::CheckCredentials(input.Until('\n'));
  llm::server::CheckTarget(input.rest());
  return 0;
}
