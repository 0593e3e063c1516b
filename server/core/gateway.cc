#include "server/core/gateway.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/core/json.h"
#include "adapters/core/text.h"
#include "router/call_error.h"
#include "router/closest_names.h"
#include "router/route_plan.h"
#include "server/core/in_flight.h"
#include "server/core/provider_check.h"
#include "server/core/readiness.h"

namespace llm::server {
namespace {

// One wording for every way of being unknown [SEC-7].
absl::Status Unauthenticated() {
  return RefuseCall(absl::StatusCode::kUnauthenticated, "invalid_api_key",
                    "missing or wrong API key; send it as "
                    "'Authorization: Bearer sk-…'");
}

std::string_view BearerToken(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (!absl::StartsWithIgnoreCase(ToAbsl(authorization), ToAbsl(kScheme)))
    return {};
  authorization.remove_prefix(kScheme.size());
  const size_t begin = authorization.find_first_not_of(' ');
  return begin == std::string_view::npos ? std::string_view()
                                         : authorization.substr(begin);
}

Caller LocalCaller() {
  Caller caller;
  caller.tenant = "local";
  caller.admin = true;
  return caller;
}

Caller AdminCaller() {
  Caller caller;
  caller.key_id = KeyId{"admin"};
  caller.tenant = "admin";
  caller.admin = true;
  return caller;
}

// What went wrong behind the gateway, in the contract's words. Stores begin
// their messages with the field at fault: "from: not a time".
absl::Status StoreFailure(const absl::Status& status) {
  if (status.GetPayload(ToAbsl(kUpstreamErrorUrl))) return status;
  const std::string_view message = ToStd(status.message());
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return RefuseCall(status.code(), "not_found", message, "id");
    case absl::StatusCode::kInvalidArgument: {
      const std::string_view field = message.substr(0, message.find(':'));
      const bool named = field.size() < message.size() &&
                         field.find_first_of(" ,") == std::string_view::npos;
      return RefuseCall(status.code(), "invalid_request", message,
                        named ? field : std::string_view());
    }
    default:
      return status;
  }
}

}  // namespace

Gateway::Gateway(GatewayParts parts) : parts_(std::move(parts)) {}

absl::StatusOr<Caller> Gateway::Authenticate(
    std::string_view authorization) const {
  if (parts_.keys == nullptr) return LocalCaller();
  const std::string_view token = BearerToken(authorization);
  if (token.empty()) return Unauthenticated();
  if (!parts_.snapshot.admin_key.empty() &&
      parts_.snapshot.admin_key.Equals(token)) {
    return AdminCaller();
  }
  absl::StatusOr<Caller> caller =
      parts_.keys->Check(token, parts_.clock->WallNow());
  if (caller.ok()) return caller;
  // "Cannot verify" is never "wrong key" [ERR-3].
  if (!absl::IsUnauthenticated(caller.status())) {
    return RefuseCall(absl::StatusCode::kUnavailable, "overloaded",
                      "the key store cannot be read; try again");
  }
  return Unauthenticated();
}

absl::Status Gateway::AuthoriseAdmin(std::string_view authorization) const {
  if (parts_.keys == nullptr) return absl::OkStatus();
  const std::string_view token = BearerToken(authorization);
  if (!parts_.snapshot.admin_key.empty() &&
      parts_.snapshot.admin_key.Equals(token)) {
    return absl::OkStatus();
  }
  return Unauthenticated();
}

CallContext Gateway::NewCall(Caller caller, std::string_view door) const {
  CallContext context;
  context.received = parts_.clock->Monotonic();
  context.received_wall = parts_.clock->WallNow();
  context.call_id.value = MintUuidV7(context.received_wall, *parts_.random);
  context.caller = std::move(caller);
  context.door = std::string(door);
  return context;
}

absl::StatusOr<RoutePlan> Gateway::Explain(const CallContext& context,
                                           const ChatRequest& request) const {
  return parts_.snapshot.router->Explain(context, request);
}

ListingFacts Gateway::Facts() const {
  return {&table(), parts_.health, &parts_.snapshot.rates,
          parts_.clock->WallNow(), parts_.clock->Monotonic()};
}

v1::ListModelsResponse Gateway::ListModels(const Caller& caller) const {
  const ListingFacts facts = Facts();
  v1::ListModelsResponse response;
  response.set_object("list");
  for (const std::string& id : table().model_order) {
    const PublicModel* model = table().FindModel(id);
    if (model == nullptr || !KeyAllows(table(), caller.allowed_models, id)) {
      continue;
    }
    *response.add_data() = DescribeModel(*model, facts);
  }
  return response;
}

absl::StatusOr<v1::Model> Gateway::GetModel(const Caller& caller,
                                            std::string_view id) const {
  const PublicModel* model = table().FindModel(id);
  if (model != nullptr &&
      KeyAllows(table(), caller.allowed_models, model->id.value)) {
    return DescribeModel(*model, Facts());
  }
  // Only of what the caller may see.
  std::vector<std::string> names;
  for (const std::string& known : table().model_order) {
    if (KeyAllows(table(), caller.allowed_models, known)) {
      names.push_back(known);
    }
  }
  return RefuseCall(absl::StatusCode::kNotFound, "model_not_found",
                    absl::StrCat("no such model",
                                 DidYouMean(ClosestNames(id, std::move(names))),
                                 " (GET /v1/models lists what is served)"),
                    "model");
}

Task<absl::StatusOr<v1::GetUsageResponse>> Gateway::GetUsage(
    const Caller& caller, const v1::GetUsageRequest& request) {
  UsageScope scope;
  if (!caller.admin) {
    if (caller.org_admin && !caller.org.empty()) {
      scope.org = caller.org;
    } else {
      scope.key_id = caller.key_id.value;
    }
  }
  absl::StatusOr<v1::GetUsageResponse> usage =
      co_await parts_.usage->Query(request, std::move(scope));
  if (!usage.ok()) co_return StoreFailure(usage.status());
  co_return usage;
}

namespace {
absl::Status NoKeys() {
  return RefuseCall(absl::StatusCode::kFailedPrecondition, "invalid_request",
                    "virtual keys are off: set auth.mode to keys");
}
}  // namespace

Task<absl::StatusOr<v1::CreateKeyResponse>> Gateway::CreateKey(
    const v1::CreateKeyRequest& request) {
  if (parts_.keys == nullptr) co_return NoKeys();
  for (const std::string& model : request.models()) {
    if (table().FindModel(model) == nullptr) {
      co_return RefuseCall(absl::StatusCode::kInvalidArgument,
                           "invalid_request",
                           "a listed model is not served here", "models");
    }
  }
  absl::StatusOr<v1::CreateKeyResponse> done =
      co_await parts_.keys->Create(request);
  if (!done.ok()) co_return StoreFailure(done.status());
  if (parts_.key_log) parts_.key_log("key_created", done->key());
  co_return done;
}

Task<absl::StatusOr<v1::ListKeysResponse>> Gateway::ListKeys(
    const v1::ListKeysRequest& request) {
  if (parts_.keys == nullptr) co_return NoKeys();
  co_return co_await parts_.keys->List(request.include_revoked());
}

Task<absl::StatusOr<v1::RevokeKeyResponse>> Gateway::RevokeKey(
    const v1::RevokeKeyRequest& request) {
  if (parts_.keys == nullptr) co_return NoKeys();
  absl::StatusOr<v1::RevokeKeyResponse> done =
      co_await parts_.keys->Revoke(request.id());
  if (!done.ok()) co_return StoreFailure(done.status());
  if (parts_.key_log) parts_.key_log("key_revoked", done->key());
  co_return done;
}

v1::ListProvidersResponse Gateway::ListProviders() const {
  return DescribeProviders(table(), *parts_.health, parts_.clock->Monotonic());
}

Task<absl::StatusOr<v1::TestProviderResponse>> Gateway::TestProvider(
    const v1::TestProviderRequest& request) {
  const std::shared_ptr<Router> router = parts_.snapshot.router;
  absl::StatusOr<CheckTarget> target =
      FindCheckTarget(router->table(), request);
  if (!target.ok()) co_return target.status();
  v1::TestProviderResponse response;
  response.set_provider(target->provider);
  response.set_model(target->model);
  response.set_ok(true);
  for (const CheckKind kind : kAllChecks) {
    const CallContext context = NewCall(ProbeCaller(), "admin");
    if (parts_.state->refusing) {
      co_return Shed(context,
                     "the service is shutting down; try another instance")
          .status;
    }
    const InFlight counted(*parts_.state);
    v1::ProviderCheck check =
        co_await RunCheck(kind, *target, context, *router);
    if (check.outcome() == "failed") response.set_ok(false);
    *response.add_checks() = std::move(check);
  }
  co_return response;
}

void Gateway::NoteRefusal(const CallContext& context, std::string_view code,
                          int http_status) {
  if (parts_.observer == nullptr) return;
  RefusedCall refused;
  refused.door = context.door;
  refused.request_id = context.call_id.value;
  refused.key_id = context.caller.key_id.value;
  refused.code = std::string(code);
  refused.http_status = http_status;
  refused.client_request_id = context.client_request_id;
  refused.trace_id = context.trace_id;
  parts_.observer->OnRefused(refused);
}

absl::Status Gateway::StoreHealth() const {
  absl::Status usage = parts_.usage->Health();
  if (!usage.ok() || parts_.keys == nullptr) return usage;
  return parts_.keys->Health();
}

bool Gateway::Ready() const {
  return parts_.state->ready && !parts_.state->draining && StoreHealth().ok();
}

std::string Gateway::ReadinessJson() const {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.Key("ready");
  json.Bool(Ready());
  json.Key("draining");
  json.Bool(parts_.state->draining);
  json.Member("config_version", table().version);
  const absl::Status store = StoreHealth();
  json.Member("store",
              store.ok() ? std::string_view("ok") : ToStd(store.message()));
  WriteHealth(table(), *parts_.health, parts_.clock->Monotonic(), json);
  json.EndObject();
  return out;
}

void Gateway::SetSnapshot(GatewaySnapshot snapshot) {
  parts_.snapshot = std::move(snapshot);
}

}  // namespace llm::server
